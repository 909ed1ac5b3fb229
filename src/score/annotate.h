/* The pictures of `score --video` and `score --maps`: the map of what is odd over the frame, and
 * a curve of the score. */
#ifndef SCORE_ANNOTATE_H
#define SCORE_ANNOTATE_H

#include "score/scorer.h"
#include "score/surprise.h"
#include "video/draw.h"

enum { ANNOTATE_CELL = 8, ANNOTATE_STRIP = 48 }; /* pixels */

/* Floats that annotate_frame needs. */
int annotate_room(const Scorer *s);

/* Blends the map of the opinion that speaks over a picture of the frame; without a surprise the
 * map of errors. The maps are those of the last scores. `map` is scratch of annotate_room floats.
 */
void annotate_map(Canvas picture, const Scorer *s, float *map, FrameScore shown);

/* Draws the frame, the map of the opinion that speaks over it, and below it the last frames' scores
 * as a curve, newest at the right: the surprise if the model has one, else the PSNR. The canvas is
 * ANNOTATE_STRIP higher than the frame. `shown` is the frame's score. `history` holds `count`
 * values of the curve, oldest first, NaN where a frame has no score. `map` as in annotate_map. */
void annotate_frame(Canvas canvas, const Frame *frame, const Scorer *s, float *map,
                    FrameScore shown, const double *history, int count);

#endif
