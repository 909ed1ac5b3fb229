/* Pictures of one test frame as a model sees it, made by scoring it again. */
#ifndef REPORT_FRAME_PICTURES_H
#define REPORT_FRAME_PICTURES_H

#include "data/dataset.h"
#include "score/scorer.h"

/* size x size x 3 BGR each, owned. */
typedef struct {
    int size;
    uint8_t *frame, *prediction, *difference;
    uint8_t *truth; /* the frame, boxes around the mask's parts; NULL where there is no mask */
} FramePictures;

/* Frame `index` of a test clip, which must have the scorer's number of frames before it. */
int frame_pictures(FramePictures *out, Scorer *s, const Dataset *data, int clip, int64_t index);
void frame_pictures_free(FramePictures *p); /* accepts a zeroed one */

#endif
