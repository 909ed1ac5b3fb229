/* Evaluates every checkpoint that a run kept: how much would choosing one on the test set gain? */
#ifndef EVAL_CHECKPOINTS_H
#define EVAL_CHECKPOINTS_H

#include "eval/evaluate.h"

typedef struct {
    char **name; /* "epoch-010", ... */
    int names;
    ResultRow *rows; /* checkpoint by checkpoint; the run's last checkpoint is at the end */
    int count, each; /* all rows; rows of one checkpoint */
    int *best; /* [each]: index of the row of highest micro AUROC, the latest if equal; -1: none */
} EvalCheckpoints;

/* Evaluates RUN/epoch-*.safetensors. `e` and `rows` are the evaluation of the run's last checkpoint
 * (the first model of `e`) by the same `plan`. ERR_FAIL if there are no such files; ERR_STOPPED. */
int eval_checkpoints_run(EvalCheckpoints *out, const char *run, Backend *be, const Evaluation *e,
                         const ResultPlan *plan, const ResultRow *rows, int count, int top,
                         void (*progress)(int64_t done, int64_t total));
void eval_checkpoints_free(EvalCheckpoints *c); /* accepts a zeroed one */

#endif
