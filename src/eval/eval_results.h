/* All results of an evaluation: the input of tables, files and the page. */
#ifndef EVAL_EVAL_RESULTS_H
#define EVAL_EVAL_RESULTS_H

#include "eval/checkpoints.h"
#include "eval/eval_localise.h"
#include "eval/evaluate.h"

/* All pointers are borrowed. */
typedef struct {
    const Evaluation *evaluation;
    const ResultRow *rows;
    int count;
    const EvalCheckpoints *checkpoints; /* its count is 0 if not asked for */
    const EvalLocalise *localise;       /* its localiser is NULL if not asked for */
    bool alarms;                        /* whether tables show the rows' alarms */
    double fps, budget;                 /* of the alarms (eval/alarms.h) */
} EvalResults;

#endif
