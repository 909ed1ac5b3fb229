/* An evaluation: some models score the test clips, and ground truths judge the scores. */
#ifndef EVAL_EVALUATE_H
#define EVAL_EVALUATE_H

#include "data/labels.h"
#include "eval/localise.h"
#include "eval/result.h"
#include "score/scorer.h"
#include "score/variant.h"

enum { EVALUATE_MODELS = 2 }; /* the model and persistence */

/* What the variants of a score need. */
enum { EVALUATE_NETWORK = 1, EVALUATE_OPINIONS = 2 };

typedef struct {
    const Dataset *data;               /* borrowed; root NULL: names only, scores from elsewhere */
    const Labels *const *labels;       /* borrowed; [truths] ground truths of equal lengths */
    int truths;                        /* number of ground truths */
    const char *source;                /* named in files: path of the model or of the scores */
    Scorer *scorer[EVALUATE_MODELS];   /* borrowed; NULL: scores from elsewhere */
    const char *name[EVALUATE_MODELS]; /* shown in tables */
    int models, clips;
    int parts;           /* that scored: EVALUATE_NETWORK, EVALUATE_OPINIONS */
    bool keeps_zero;     /* scores from elsewhere that are no PSNRs keep their program's zero */
    int64_t first, last; /* frames without a score at start and end of each clip: F, 0 */
    /* [model][variant]: a score for every frame, in dB up to SCORE_WINDOW, clips end to end,
     * higher = more normal. Frames without a score hold the nearest score of their clip. NULL: not
     * computed. */
    double *value[EVALUATE_MODELS][SCORE_KINDS];
    bool *missing; /* frames without a score besides first and last; NULL: none */
} Evaluation;

/* Scores all test clips in one pass, all variants that these `parts` allow.
 * `top` is the number of patches that SCORE_TOP_PATCHES takes. `scorer` and `name` are borrowed;
 * all scorers have one input size. `where` receives each pair's error maps; `where` and `progress`
 * may be NULL. ERR_STOPPED when the user asks to stop; ERR_FAIL names the clip. */
int evaluation_run(Evaluation *out, const Dataset *data, const Labels *const *labels, int truths,
                   Scorer *const *scorer, const char *const *name, int models, int parts, int top,
                   Localiser *where, void (*progress)(int64_t done, int64_t total));
void evaluation_free(Evaluation *e); /* accepts a zeroed one */

/* Which rows evaluation_rows makes. */
typedef struct {
    const Protocol *const *protocol;
    int protocols;
    bool score[SCORE_KINDS]; /* SCORE_FRAME alone for scores from elsewhere */
    double smooth;           /* > 0: each row has a second one with a Gaussian of this deviation */
    double fps, budget;      /* of the alarms (alarms.h) */
} ResultPlan;

/* Makes the result rows, ordered by ground truth, model, score, protocol, smoothing. The caller
 * owns *rows (mem_free). */
int evaluation_rows(const Evaluation *e, const ResultPlan *plan, ResultRow **rows, int *count);

/* Applies a protocol to one score of one model, which was computed, with the first ground truth. */
int evaluation_judge(Judged *out, const Evaluation *e, int model, ScoreKind score,
                     const Protocol *p);

#endif
