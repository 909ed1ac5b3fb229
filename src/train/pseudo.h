/* Pseudo anomalies: which pairs, and what becomes of their frames. All is a pure function of (seed,
 * epoch, index of the pair): drawn anew every time a pair is seen. */
#ifndef TRAIN_PSEUDO_H
#define TRAIN_PSEUDO_H

#include "train/settings.h"

/* Does this pair become a pseudo anomaly, where a step sees either (method B.5)? */
bool pseudo_chosen(const TrainSettings *t, int64_t epoch, int64_t index);

/* ---- PASRM: patches that the mask token replaces (method A.7). Cells of a frame, and how many of
 * them are masked: ceil(cells x ratio). */
int64_t pseudo_cells(const TrainSettings *t, const VitConfig *v);
int64_t pseudo_masked_cells(const TrainSettings *t, const VitConfig *v);

/* Draws the mask of pair `index` in `epoch` into N patch flags (0 or 1). */
void pseudo_draw(uint8_t *mask, const TrainSettings *t, const VitConfig *v, int64_t epoch,
                 int64_t index);

/* Which of `count` pictures the intruder is. */
int64_t pseudo_intruder(const TrainSettings *t, int64_t epoch, int64_t index, int64_t count);

/* ---- SmoothMixS (method C.2): the grey of `intruder` (size x size x 3, BGR) shows through a
 * window with soft edges in frames (count planes of 3 x size x size in [-1, 1]); from frame to
 * frame the window moves by up to 10 pixels each way. */
void pseudo_patch(float *frames, int64_t count, const uint8_t *intruder, int64_t size,
                  const TrainSettings *t, int64_t epoch, int64_t index);

#endif
