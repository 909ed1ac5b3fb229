/* How fast the parts of a picture move: from frames to cells of 4 x 4 pixels of a small grey
 * picture. Each frame is compared with one about a tenth of a second before it, whatever the
 * source's rate. It depends on these two frames alone. */
#ifndef SCORE_MOVEMENT_H
#define SCORE_MOVEMENT_H

#include <stdbool.h>

#include "compute/backend.h"
#include "video/frame.h"

enum { MOVEMENT_CELL = 4 }; /* pixels of the small picture */

/* The small picture. It has 240 rows unless the frame is very wide, and the frame's aspect as
 * nearly as its multiples allow. */
typedef struct {
    int width, height; /* multiples of 2 MOVEMENT_CELL */
} MovementSize;

typedef struct Movement Movement;

/* The size for frames of this shape. */
MovementSize movement_size(int frame_width, int frame_height);

/* `be` is borrowed. */
int movement_open(Movement **out, Backend *be, MovementSize size);
void movement_free(Movement **m); /* accepts NULL */

/* Forgets the frames before: between clips. */
void movement_reset(Movement *m);

/* Keeps the next frame. Forgets those before a gap, and a damaged one. */
void movement_add(Movement *m, const Frame *f);

/* Compares the last frame with an older one. *ready: is there one? If frames have no time (NaN),
 * each counts as a tenth of a second. */
int movement_measure(Movement *m, bool *ready);

/* How far the camera moved between the two, in pixels of 240 rows. Up to 0.3 is left as it is; more
 * is taken out of the movement. */
float movement_shift(const Movement *m);

/* Of the last comparison, row by row, height / 4 x width / 4: the mean speed of each cell, and its
 * mean movement to the right and down. In pixels of a picture of 240 rows, in a tenth of a second.
 * Borrowed until the next one. */
const float *movement_speed(const Movement *m);
const float *movement_right(const Movement *m);
const float *movement_down(const Movement *m);

/* Of the last frame that was kept, row by row as above: the mean grey level of each cell. */
void movement_levels(const Movement *m, float *out);

#endif
