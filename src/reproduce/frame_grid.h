/* The paper's Fig. 2: two models' predictions for the frames with the lowest PSNR. */
#ifndef REPRODUCE_FRAME_GRID_H
#define REPRODUCE_FRAME_GRID_H

#include <stdbool.h>
#include <stdint.h>

#include "compute/backend.h"

typedef struct {
    char clip[256];
    int64_t index;
    bool abnormal;
    int size;                     /* side of the pictures: size x size x 3 BGR */
    const uint8_t *frame, *truth; /* truth NULL if there is no mask */
    const uint8_t *prediction[2], *difference[2];
} GridFrame;

typedef struct FrameGrid FrameGrid;

/* Takes the frame of lowest PSNR from each clip, lowest first, at most `count` frames. The PSNRs
 * are those in the second run's eval/scores.csv; the column named `label` says which frames are
 * abnormal, and ERR_FAIL if there is no such column. The models of both runs predict each frame on
 * `be`. */
int frame_grid_open(FrameGrid **out, const char *data, const char *first_run,
                    const char *second_run, const char *label, int count, Backend *be);
void frame_grid_free(FrameGrid **g);
int frame_grid_count(const FrameGrid *g);
const GridFrame *frame_grid_at(const FrameGrid *g, int i); /* borrowed */

#endif
