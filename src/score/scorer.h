/* From a pair to its score (Eq. 8): predict the next frame, compare it with the real one.
 *
 * The scorer keeps nothing between calls and runs one pair at a time, so a frame's score is the
 * same bits offline and live. */
#ifndef SCORE_SCORER_H
#define SCORE_SCORER_H

#include <stdint.h>

#include "compute/backend.h"
#include "model/model_file.h"

typedef struct Scorer Scorer;

/* What a model says of itself, for tables. */
typedef struct {
    char path[1024];      /* of the file, or "persistence" */
    int64_t size, frames; /* input side in pixels, input frames */
    int64_t parameters;   /* 0: persistence */
    ModelInfo model;      /* zeroed for persistence */
} ScorerInfo;

/* `model`: a run folder or a checkpoint file. */
int scorer_open(Scorer **out, const char *model, Backend *be);

/* The baseline that predicts Y = X (the newest input frame) at this size. */
int scorer_open_persistence(Scorer **out, int64_t size, int64_t frames);

void scorer_free(Scorer **s);
const ScorerInfo *scorer_info(const Scorer *s); /* borrowed */

/* From now on, the model's layers' values widen `ranges` (model/vit.h). */
void scorer_observe(Scorer *s, VitRange *ranges);

/* x: frames x size x size x 3, y: size x size x 3, BGR. *psnr in dB: 10 log10(1 / MSE), peak 1, MSE
 * over pixels in [0, 1] and the prediction not clamped (method B.2). Infinite where they are equal.
 */
int scorer_run(Scorer *s, const uint8_t *x, const uint8_t *y, double *psnr);

/* The last call's prediction, planes (3, size, size) in [-1, 1]; host memory, borrowed. */
const float *scorer_prediction(const Scorer *s);

/* The last call's squared error in [0, 1] units, averaged over channels and over cells of `cell`
 * pixels: (size / cell)^2 values, row by row. */
void scorer_error_map(const Scorer *s, float *out, int64_t cell);

/* The last call's prediction and difference (heat map of the absolute error, white at 1/4 of the
 * range) as pictures: size x size x 3 BGR each; either may be NULL. */
void scorer_pictures(const Scorer *s, uint8_t *prediction, uint8_t *difference);

#endif
