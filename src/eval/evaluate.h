/* An evaluation: the test clips' scores by some models side by side, against ground truths. */
#ifndef EVAL_EVALUATE_H
#define EVAL_EVALUATE_H

#include "data/labels.h"
#include "eval/localise.h"
#include "eval/result.h"
#include "score/scorer.h"
#include "score/variant.h"

enum { EVALUATE_MODELS = 2 }; /* the model and persistence */

typedef struct {
    const Dataset *data;               /* borrowed; root NULL: scores from elsewhere, names only */
    const Labels *const *labels;       /* borrowed; the ground truths, of equal lengths */
    int truths;                        /* how many there are */
    const char *source;                /* in files: the model's path, or where scores came from */
    Scorer *scorer[EVALUATE_MODELS];   /* borrowed; NULL: scores from elsewhere */
    const char *name[EVALUATE_MODELS]; /* in tables */
    int models, clips;
    int64_t first, last; /* frames without a score at the ends of each clip: F, 0 */
    /* Of every frame, clips end to end, higher = more normal: dB by model and variant; the frames
     * without a score hold the nearest one of their clip. NULL: not there. */
    double *value[EVALUATE_MODELS][SCORE_KINDS];
} Evaluation;

/* Scores all test clips, all variants in one pass; `top` patches for SCORE_TOP_PATCHES. `scorer`
 * and `name` are borrowed and of one input size. `where` takes each pair's error maps; it and
 * `progress` may be NULL. ERR_STOPPED when the user asks to stop; ERR_FAIL names the clip. */
int evaluation_run(Evaluation *out, const Dataset *data, const Labels *const *labels, int truths,
                   Scorer *const *scorer, const char *const *name, int models, int top,
                   Localiser *where, void (*progress)(int64_t done, int64_t total));
void evaluation_free(Evaluation *e); /* accepts a zeroed one */

/* Which rows are wanted. */
typedef struct {
    const Protocol *const *protocol;
    int protocols;
    bool score[SCORE_KINDS]; /* SCORE_FRAME alone for scores from elsewhere */
    double smooth;           /* > 0: a row with this Gaussian beside each one without */
    double fps, budget;      /* of result.h */
} ResultPlan;

/* The results, by ground truth, model, score, protocol, smoothing. *rows is the caller's
 * (mem_free). */
int evaluation_rows(const Evaluation *e, const ResultPlan *plan, ResultRow **rows, int *count);

/* One model's score under a protocol, against the first ground truth. */
int evaluation_judge(Judged *out, const Evaluation *e, int model, ScoreKind score,
                     const Protocol *p);

#endif
