/* From a pair to its score (Eq. 8): predict the next frame, compare it with the real one.
 *
 * The scorer runs one pair at a time and no call of scorer_run affects the next, so a frame's PSNR
 * has the same bits offline and live. So has its surprise, which may depend on all frames since the
 * source began (stays.h). */
#ifndef SCORE_SCORER_H
#define SCORE_SCORER_H

#include <stdint.h>

#include "compute/backend.h"
#include "model/model_file.h"
#include "score/judgement.h"
#include "score/surprise.h"

typedef struct Scorer Scorer;

/* A model's description, for tables. */
typedef struct {
    char path[1024];      /* the model's file, or "persistence" */
    int64_t size, frames; /* input side in pixels, input frames */
    double interval;      /* seconds between frames; 0: every frame */
    int64_t parameters;   /* 0: persistence */
    ModelInfo model;      /* zeroed for persistence */
} ScorerInfo;

/* Opens a model; `model` is a run folder or a checkpoint file. */
int scorer_open(Scorer **out, const char *model, Backend *be);

/* Opens the baseline that predicts Y = X (the newest input frame) at this size. */
int scorer_open_persistence(Scorer **out, int64_t size, int64_t frames);

void scorer_free(Scorer **s);
const ScorerInfo *scorer_info(const Scorer *s); /* borrowed */

/* Does the model know anything that makes a surprise? */
bool scorer_has_surprise(const Scorer *s);

/* For opinions about more than a pair: forgets the frames before, between clips; and sees the next
 * frame of the source, every one, not only those of pairs. */
void scorer_reset(Scorer *s);
void scorer_add(Scorer *s, const Frame *f);

/* What all opinions say of the last frame, whose PSNR may be NaN. */
int scorer_judge(Scorer *s, double psnr, Opinions *out);

/* Where they see it; NULL where the model knows nothing of it. Borrowed. */
const Motion *scorer_motion(const Scorer *s);
const Stays *scorer_stays(const Scorer *s);

/* What it never looks at, and frames must lack; NULL: nothing. Borrowed. */
const Ignore *scorer_ignore(const Scorer *s);

/* Takes frames at another interval than the model learned. */
void scorer_set_interval(Scorer *s, double seconds);

/* Makes later calls of scorer_run record the ranges of the layers' values in `ranges`
 * (model/vit.h). */
void scorer_observe(Scorer *s, VitRange *ranges);

/* x: frames x size x size x 3, y: size x size x 3, BGR. *psnr is 10 log10(1 / MSE) in dB, peak 1.
 * The MSE is over pixels in [0, 1] and the prediction is not clamped (method B.2). *psnr is
 * infinite where both are equal. */
int scorer_run(Scorer *s, const uint8_t *x, const uint8_t *y, double *psnr);

/* The last call's prediction: planes (3, size, size) in [-1, 1] in host memory, borrowed. */
const float *scorer_prediction(const Scorer *s);

/* Writes the last call's squared error of pixels in [0, 1], averaged over channels and over cells
 * of cell x cell pixels: (size / cell)^2 values, row by row. */
void scorer_error_map(const Scorer *s, float *out, int64_t cell);

/* Draws the last call's prediction and difference, each size x size x 3 BGR. The difference is a
 * heat map of the absolute error, white at 1/4 of the range. Either may be NULL. */
void scorer_pictures(const Scorer *s, uint8_t *prediction, uint8_t *difference);

#endif
