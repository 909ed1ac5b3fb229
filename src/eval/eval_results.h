/* Everything that an evaluation gives; tables, files and the page are made of it. */
#ifndef EVAL_EVAL_RESULTS_H
#define EVAL_EVAL_RESULTS_H

#include "eval/checkpoints.h"
#include "eval/eval_localise.h"
#include "eval/evaluate.h"

/* All that an evaluation gave; borrowed. */
typedef struct {
    const Evaluation *evaluation;
    const ResultRow *rows;
    int count;
    const EvalCheckpoints *checkpoints; /* count 0: not asked for */
    const EvalLocalise *localise;       /* localiser NULL: not asked for */
    bool alarms;                        /* whether tables show the rows' alarms */
    double fps, budget;                 /* of these */
} EvalResults;

#endif
