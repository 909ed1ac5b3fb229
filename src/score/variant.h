/* Other scores of a frame than its PSNR. A small anomaly hardly changes the mean over a whole
 * frame, so most look at parts of the same error map. They are in dB: 10 log10(1 / mean squared
 * error of the part). Higher is more normal. */
#ifndef SCORE_VARIANT_H
#define SCORE_VARIANT_H

#include "score/scorer.h"

typedef enum {
    SCORE_FRAME,       /* PSNR of the frame (Eq. 8), the paper's score */
    SCORE_MAX_PATCH,   /* the worst patch of 2 x 2 cells; patches tile from the top left */
    SCORE_TOP_PATCHES, /* mean error of the k worst patches */
    SCORE_WINDOW,      /* the worst window of 4 x 4 cells; one starts at each cell */
    SCORE_MOTION,      /* minus the surprise of the motion (motion.h), from no error map */
    SCORE_SURPRISE,    /* minus the surprise of all opinions (surprise.h) */
    SCORE_STEADY,      /* minus the surprise through a causal filter (steady.h) */
    SCORE_KINDS,
} ScoreKind;

extern const char *const score_names[]; /* "frame", "max-patch", ..., "steady" */

/* The side of a cell in pixels: a 28th of the input's side, rounded. So a patch and a window show
 * about the same part of the scene at every input size. At 224 a patch is 16 pixels wide and a
 * window 32. */
int variant_cell(int64_t image);

/* Computes the scores from a map of side x side cells (scorer_error_map with variant_cell). Leaves
 * out[SCORE_FRAME] and all after out[SCORE_WINDOW] unchanged. Cells at the right and lower rim that
 * fill no patch are ignored. A map smaller than a patch or window counts as one. `patches` has room
 * for side^2 values. k >= 1; if there are fewer than k patches, all count. */
void variant_scores(double out[SCORE_KINDS], const float *map, int side, int k, float *patches);

#endif
