/* Scores of a frame other than its PSNR, from the same error map: a small anomaly drowns in the
 * mean over a frame. All in dB, 10 log10(1 / mean squared error of the place), higher = more
 * normal. */
#ifndef SCORE_VARIANT_H
#define SCORE_VARIANT_H

#include "score/scorer.h"

typedef enum {
    SCORE_FRAME,       /* PSNR of the frame (Eq. 8): the paper's */
    SCORE_MAX_PATCH,   /* the worst patch of 2 x 2 cells, side by side from the top left */
    SCORE_TOP_PATCHES, /* mean error of the k worst patches */
    SCORE_WINDOW,      /* the worst window of 4 x 4 cells, at every cell */
    SCORE_KINDS,
} ScoreKind;

extern const char *const score_names[]; /* "frame", "max-patch", "top-patches", "window", NULL */

/* Pixels a side of the cells: a 28th of the input's side, rounded, so that patch and window show
 * about the same part of the scene at every input size: at 224 a patch is 16 pixels wide, a window
 * 32. */
int variant_cell(int64_t image);

/* From a map of side x side cells (scorer_error_map with variant_cell) to out; out[SCORE_FRAME]
 * stays. Pixels at the right and lower rim that fill no patch are not seen; where a frame is
 * smaller than a patch or window it is one. `patches` has room for side^2 values. k >= 1; all
 * patches where there are fewer. */
void variant_scores(double out[SCORE_KINDS], const float *map, int side, int k, float *patches);

#endif
