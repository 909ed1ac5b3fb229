/* A row of a results table: one model, score and ground truth under one protocol. */
#ifndef EVAL_RESULT_H
#define EVAL_RESULT_H

#include <stdbool.h>

#include "eval/alarms.h"
#include "eval/protocol.h"

typedef struct {
    const char *model;    /* name of the model, or "persistence" */
    const char *protocol; /* its name in protocols[] */
    int64_t frames, abnormal;
    double auroc_micro, auroc_macro; /* in percent */
    double psnr;                     /* mean of the score over all scored frames, dB */
    double low, high;                /* 95 % interval of auroc_micro, in percent */
    double ap, eer;                  /* in percent */
    const char *normalise;           /* "per-clip", "global", "none" */
    const char *score;               /* "frame", ... (variant.h), or "given" */
    double smooth;                   /* deviation of an added Gaussian filter in frames; 0: none */
    const char *labels, *hash;       /* the ground truth */
    Alarms alarms;
} ResultRow;

/* Computes all figures of judged scores into the row. `fps` and `budget` as in alarms.h. ERR_FAIL
 * if memory is out. */
int result_measure(ResultRow *row, const Judged *j, double fps, double budget);

/* Whether the row is persistence's. */
bool result_is_baseline(const ResultRow *row);

/* The row of persistence that was judged like `row`: of the same score, or of its PSNR if it has no
 * such score. NULL if there is none. */
const ResultRow *result_baseline(const ResultRow *rows, int count, const ResultRow *row);

/* Whether the rows hold persistence and also another model to compare with it. */
bool results_compare(const ResultRow *rows, int count);

/* Whether any row's score is not the plain score of a frame, so that tables must name the score. */
bool results_tell_score(const ResultRow *rows, int count);

#endif
