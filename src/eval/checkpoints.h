/* The checkpoints that a run kept, each on the test set: how much choosing one there would gain. */
#ifndef EVAL_CHECKPOINTS_H
#define EVAL_CHECKPOINTS_H

#include "eval/evaluate.h"

typedef struct {
    char **name; /* "epoch-010", ... */
    int names;
    ResultRow *rows; /* checkpoint by checkpoint, then the last one */
    int count, each; /* rows; rows of one checkpoint */
    int *best; /* of each of its rows: the row of highest micro AUROC, the latest; -1 without any */
} EvalCheckpoints;

/* Evaluates RUN/epoch-*.safetensors. `e` and `rows` are what the run's last checkpoint, its first
 * model, gave with `plan`. ERR_FAIL where there are none; ERR_STOPPED. */
int eval_checkpoints_run(EvalCheckpoints *out, const char *run, Backend *be, const Evaluation *e,
                         const ResultPlan *plan, const ResultRow *rows, int count, int top,
                         void (*progress)(int64_t done, int64_t total));
void eval_checkpoints_free(EvalCheckpoints *c); /* accepts a zeroed one */

#endif
