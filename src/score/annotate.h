/* What `score --video` and `score --maps` show: the error over the frame, and the score's course.
 */
#ifndef SCORE_ANNOTATE_H
#define SCORE_ANNOTATE_H

#include "score/scorer.h"
#include "video/draw.h"

enum { ANNOTATE_CELL = 8, ANNOTATE_STRIP = 48 }; /* pixels */

/* Draws into canvas, whose height is the frame's plus ANNOTATE_STRIP: the frame, the scorer's last
 * error map over it, and below the PSNR of the last frames as a curve (newest right; `history`,
 * oldest first, NaN where a frame has no score). map is scratch of (size / ANNOTATE_CELL)^2 floats.
 */
void annotate_frame(Canvas canvas, const Frame *frame, const Scorer *s, float *map,
                    const double *history, int count);

#endif
