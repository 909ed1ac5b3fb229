/* Pseudo anomalies: which patches of a frame the mask token replaces (PASRM; method A.7). */
#ifndef TRAIN_PSEUDO_H
#define TRAIN_PSEUDO_H

#include "train/settings.h"

/* Cells of a frame, and how many of them are masked: ceil(cells x ratio). */
int64_t pseudo_cells(const TrainSettings *t, const VitConfig *v);
int64_t pseudo_masked_cells(const TrainSettings *t, const VitConfig *v);

/* Draws the mask of pair `index` in `epoch` into N patch flags (0 or 1). A pure function of (seed,
 * epoch, index): a fresh mask every time a pair is seen. */
void pseudo_draw(uint8_t *mask, const TrainSettings *t, const VitConfig *v, int64_t epoch,
                 int64_t index);

#endif
