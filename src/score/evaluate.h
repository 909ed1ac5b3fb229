/* An evaluation: every test clip scored by some models side by side, against labels. */
#ifndef SCORE_EVALUATE_H
#define SCORE_EVALUATE_H

#include "data/labels.h"
#include "score/regular.h"
#include "score/report.h"
#include "score/scorer.h"

enum { EVALUATE_MODELS = 2 }; /* the model and persistence */

typedef struct {
    const Dataset *data;  /* borrowed */
    const Labels *labels; /* borrowed */
    Scorer *scorer[EVALUATE_MODELS];
    const char *name[EVALUATE_MODELS]; /* in tables */
    int models, clips;
    int64_t first;   /* unscored frames at the start of each clip: F */
    int64_t *length; /* scored frames of each clip */
    uint8_t *label;  /* of the scored frames, clips concatenated */
    double *psnr[EVALUATE_MODELS];
    int64_t frames, abnormal; /* scored */
} Evaluation;

/* Scores all test clips. `scorer` and `name` are borrowed and of one input size. `progress` may be
 * NULL. ERR_STOPPED when the user asks to stop; ERR_FAIL names the clip. */
int evaluation_run(Evaluation *out, const Dataset *data, const Labels *labels,
                   Scorer *const *scorer, const char *const *name, int models,
                   void (*progress)(int64_t done, int64_t total));
void evaluation_free(Evaluation *e); /* accepts a zeroed one */

/* The results: for each model one row per normalisation; 2 x models rows. */
int evaluation_rows(const Evaluation *e, ResultRow *rows);

/* Anomaly scores of one model (Eq. 9), `frames` of them; owned by the caller (mem_free). */
double *evaluation_anomaly(const Evaluation *e, int model, Normalise how);

#endif
