/* A row of a results table: one model, score and ground truth under one protocol. */
#ifndef EVAL_RESULT_H
#define EVAL_RESULT_H

#include <stdbool.h>

#include "eval/alarms.h"
#include "eval/protocol.h"

typedef struct {
    const char *model;    /* "persistence" or what was evaluated */
    const char *protocol; /* its name in protocols[] */
    int64_t frames, abnormal;
    double auroc_micro, auroc_macro; /* in percent */
    double psnr;                     /* mean of the score over all scored frames, dB */
    double low, high;                /* 95 % interval of auroc_micro, in percent */
    double ap, eer;                  /* in percent */
    const char *normalise;           /* "per-clip", "global", "none" */
    const char *score;               /* "frame", ... (variant.h), or "given" */
    double smooth;                   /* deviation of an added Gaussian filter, frames; 0: none */
    const char *labels, *hash;       /* the ground truth */
    Alarms alarms;
} ResultRow;

/* All figures of judged scores into the row. ERR_FAIL where memory is out. */
int result_measure(ResultRow *row, const Judged *j, double fps, double budget);

/* Whether the row is persistence's; its row that was judged like `row`, NULL where there is none;
 * whether the rows have both it and something to compare with it. */
bool result_is_baseline(const ResultRow *row);
const ResultRow *result_baseline(const ResultRow *rows, int count, const ResultRow *row);
bool results_compare(const ResultRow *rows, int count);

/* Whether the rows' scores are others than the plain one of a frame, so that a table must tell. */
bool results_tell_score(const ResultRow *rows, int count);

#endif
