/* log.jsonl of a run: one JSON object a line, one line a step, one more at the end of an epoch.
 * Parts of the loss that a run does not compute are absent. */
#ifndef TRAIN_RUN_LOG_H
#define TRAIN_RUN_LOG_H

#include "train/trainer.h"

typedef struct RunLog RunLog;

/* Opens path for appending after keeping only the lines of steps below `step` (a resumed run does
 * those again that came after its checkpoint; a torn last line goes too). */
int run_log_open(RunLog **out, const char *path, int64_t step);

/* Lines reach the file at once. A failed write surfaces at run_log_free's caller through the return
 * value of the next call. */
int run_log_step(RunLog *l, const Trainer *t, const StepReport *r, double images_per_second,
                 double stall);
/* `steps`: of this epoch that mean_loss and seconds are of; fewer than all after a resume. */
int run_log_epoch(RunLog *l, const Trainer *t, int64_t steps, double mean_loss, double seconds);
void run_log_free(RunLog **l);

#endif
