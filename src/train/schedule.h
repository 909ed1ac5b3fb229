/* The learning rate (method A.9). */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "train/settings.h"

/* lr(t), t an update count: linear warm-up from warmup_lr, then the cosine over all updates (raw t,
 * as timm's scheduler has it: a jump down where the warm-up ends) or the base rate. */
double schedule_lr(const TrainSettings *s, int64_t steps_per_epoch, int64_t t);

/* The rate that optimizer step n (from 0) uses: the scheduler moves after the step, so lr(n - 1).
 */
double schedule_step_lr(const TrainSettings *s, int64_t steps_per_epoch, int64_t n);

#endif
