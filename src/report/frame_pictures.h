/* Pictures of one test frame: what a model predicts and where it errs. The frame is scored again.
 */
#ifndef REPORT_FRAME_PICTURES_H
#define REPORT_FRAME_PICTURES_H

#include "data/dataset.h"
#include "score/scorer.h"

/* size x size x 3 BGR each, owned. */
typedef struct {
    int size;
    uint8_t *frame, *prediction, *difference;
    uint8_t *truth; /* the frame with boxes around the parts of the mask; NULL without a mask */
} FramePictures;

/* Makes the pictures of frame `index` of a test clip. `index` must be at least the scorer's number
 * of input frames. */
int frame_pictures(FramePictures *out, Scorer *s, const Dataset *data, int clip, int64_t index);
void frame_pictures_free(FramePictures *p); /* accepts a zeroed one */

#endif
