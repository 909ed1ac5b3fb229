/* Boxes of an error map: where in the frame the errors are.
 *
 * A box is a part of the map at half of its own maximum: the connected cells (8 neighbours) around
 * a peak that have at least half its error, provided that none of them is higher than the peak (of
 * equal ones the first counts). So each object appears at its own level, a weaker peak on the slope
 * of a stronger one does not, and no threshold is taken from test data. */
#ifndef SCORE_BOXES_H
#define SCORE_BOXES_H

#include "video/box.h"

/* A frame's weaker boxes are dropped: region figures end at one false alarm a frame. */
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

/* Writes the boxes of `map` (errors, finite) with their scores into out, at most BOXES_MAX and the
 * highest first; corners are cells, clip and frame 0. Returns how many. */
int boxes_find(const BoxFinder *f, const float *map, Detection out[BOXES_MAX]);

/* Where a map lies on a frame: cells of `cell` pixels of the network's input (size x size), to
 * which the frame was stretched. A pixel belongs to the cell that its centre is in: this is the
 * first pixel (of `extent` across) of cell `at` or later ones. */
int cell_start(int64_t at, int64_t cell, int64_t size, int extent);

/* A box of cells in pixels of the frame. */
Box box_in_frame(Box cells, int64_t cell, int64_t size, int width, int height);

#endif
