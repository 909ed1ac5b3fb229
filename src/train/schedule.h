/* The learning rate (method A.9). */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "train/settings.h"

/* lr(t) after t updates: a linear warm-up from warmup_lr, then the base rate or a cosine over all
 * updates. The cosine counts from update 0, as in timm, so that lr jumps down after the warm-up. */
double schedule_lr(const TrainSettings *s, int64_t steps_per_epoch, int64_t t);

/* The rate of optimizer step n (from 0): lr(n - 1), since the scheduler moves after the step. */
double schedule_step_lr(const TrainSettings *s, int64_t steps_per_epoch, int64_t n);

#endif
