/* The pictures of `score --video` and `score --maps`: the error map over the frame, and a curve of
 * the score. */
#ifndef SCORE_ANNOTATE_H
#define SCORE_ANNOTATE_H

#include "score/scorer.h"
#include "video/draw.h"

enum { ANNOTATE_CELL = 8, ANNOTATE_STRIP = 48 }; /* pixels */

/* Draws the frame, the scorer's last error map over it, and below it the PSNR of the last frames as
 * a curve, newest at the right. The canvas is ANNOTATE_STRIP higher than the frame. `history` holds
 * `count` PSNRs, oldest first, NaN where a frame has no score. `map` is scratch of (size /
 * ANNOTATE_CELL)^2 floats. */
void annotate_frame(Canvas canvas, const Frame *frame, const Scorer *s, float *map,
                    const double *history, int count);

#endif
