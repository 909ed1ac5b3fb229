/* Pseudo anomalies: which pairs become one, and how their frames change. All draws are pure
 * functions of (seed, epoch, index of the pair), so each epoch has its own. */
#ifndef TRAIN_PSEUDO_H
#define TRAIN_PSEUDO_H

#include "train/settings.h"

/* Does this pair become a pseudo anomaly? For steps that see either X or X^P (method B.5). */
bool pseudo_chosen(const TrainSettings *t, int64_t epoch, int64_t index);

/* ---- PASRM: the mask token replaces patches (method A.7). */

/* The cells of a frame, and the number of masked ones: ceil(cells x ratio). */
int64_t pseudo_cells(const TrainSettings *t, const VitConfig *v);
int64_t pseudo_masked_cells(const TrainSettings *t, const VitConfig *v);

/* Draws the mask of pair `index` in `epoch` into N patch flags (0 or 1). */
void pseudo_draw(uint8_t *mask, const TrainSettings *t, const VitConfig *v, int64_t epoch,
                 int64_t index);

/* ---- stale cells (method C.5). */

/* Replaces the cells of the mask that pair `index` would have in `epoch`, in the newest of `count`
 * frames (3 x size x size planes each), by those of the frame before: a part of the picture stands
 * still for one frame. */
void pseudo_stale(float *frames, int64_t count, const TrainSettings *t, const VitConfig *v,
                  int64_t epoch, int64_t index);

/* Draws which of `count` pictures is the intruder. */
int64_t pseudo_intruder(const TrainSettings *t, int64_t epoch, int64_t index, int64_t count);

/* ---- SmoothMixS (method C.2). */

/* Blends the grey image of `intruder` (size x size x 3, BGR) into `frames` (`count` frames of
 * 3 x size x size planes in [-1, 1]) through a window with soft edges. The window moves by up to 10
 * pixels each way from frame to frame. */
void pseudo_patch(float *frames, int64_t count, const uint8_t *intruder, int64_t size,
                  const TrainSettings *t, int64_t epoch, int64_t index);

#endif
