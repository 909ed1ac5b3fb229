/* The paper's Fig. 2: what two models make of the frames that score highest. */
#ifndef REPRODUCE_FRAME_GRID_H
#define REPRODUCE_FRAME_GRID_H

#include <stdbool.h>
#include <stdint.h>

#include "compute/backend.h"

typedef struct {
    char clip[256];
    int64_t index;
    bool abnormal;
    int size;                     /* of the pictures, size x size x 3 BGR */
    const uint8_t *frame, *truth; /* truth NULL where there is no mask */
    const uint8_t *prediction[2], *difference[2];
} GridFrame;

typedef struct FrameGrid FrameGrid;

/* The frame of lowest PSNR in each clip, by the second run's eval/scores.csv, the lowest first, at
 * most `count`; both runs' models predict it on that backend. `abnormal` is by the column `label`
 * of that file; ERR_FAIL where it has none of that name. */
int frame_grid_open(FrameGrid **out, const char *data, const char *first_run,
                    const char *second_run, const char *label, int count, Backend *be);
void frame_grid_free(FrameGrid **g);
int frame_grid_count(const FrameGrid *g);
const GridFrame *frame_grid_at(const FrameGrid *g, int i); /* borrowed */

#endif
