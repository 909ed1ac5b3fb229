/* log.jsonl of a run: one JSON object in a line, one line for each step, and one more at the end of
 * an epoch. Parts of the loss that a run does not compute are absent. */
#ifndef TRAIN_RUN_LOG_H
#define TRAIN_RUN_LOG_H

#include "train/trainer.h"

typedef struct RunLog RunLog;

/* Opens `path` for appending and keeps only the lines of steps below `step`: a resumed run repeats
 * the steps after its checkpoint. An incomplete last line is dropped too. */
int run_log_open(RunLog **out, const char *path, int64_t step);

/* Append a line, which reaches the file at once. ERR_FAIL if the write fails. */
int run_log_step(RunLog *l, const Trainer *t, const StepReport *r, double images_per_second,
                 double stall);
/* mean_loss and seconds are of the last `steps` steps of the epoch: after a resume not of all. */
int run_log_epoch(RunLog *l, const Trainer *t, int64_t steps, double mean_loss, double seconds);
void run_log_free(RunLog **l);

#endif
