/* Boxes of an error map. They show where in the frame the errors are.
 *
 * A box holds a peak and the cells connected to it (8 neighbours) that have at least half its
 * error. A peak gets no box if one of these cells is higher (of equal cells the first counts as
 * higher). So each object appears at its own level, and a weaker peak on the slope of a stronger
 * one does not appear. No threshold is taken from test data. */
#ifndef SCORE_BOXES_H
#define SCORE_BOXES_H

#include "video/box.h"

/* The weaker boxes of a frame are dropped. They do not matter, since region metrics end at one
 * false alarm a frame. */
enum { BOXES_MAX = 16 };

typedef struct {
    int clip;
    int64_t frame;
    Box box;
    float score; /* the highest error in the box */
} Detection;

/* Scratch for maps of side x side cells; the caller frees it (also after a failure). */
typedef struct {
    int side;
    int32_t *peak, *queue, *owner;
} BoxFinder;

int box_finder_open(BoxFinder *f, int side);
void box_finder_free(BoxFinder *f); /* accepts a zeroed one */

/* Writes the boxes of `map` (finite errors) and their scores into out, highest first, at most
 * BOXES_MAX. Corners are in cells; clip and frame are 0. Returns the number of boxes. */
int boxes_find(const BoxFinder *f, const float *map, Detection out[BOXES_MAX]);

/* The first pixel of cell `at` on a frame of `extent` pixels across. A cell is `cell` pixels of the
 * network's input (size x size), to which the frame was stretched. A pixel belongs to the cell that
 * holds its centre. Where a cell holds no centre, the result is the first pixel of a later cell. */
int cell_start(int64_t at, int64_t cell, int64_t size, int extent);

/* Converts a box of cells to pixels of the frame. */
Box box_in_frame(Box cells, int64_t cell, int64_t size, int width, int height);

#endif
