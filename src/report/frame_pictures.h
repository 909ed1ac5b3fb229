/* Pictures of one test frame: what a model predicts, where it errs, and what it finds odd. The
 * frame is scored again. */
#ifndef REPORT_FRAME_PICTURES_H
#define REPORT_FRAME_PICTURES_H

#include <stdbool.h>

#include "data/dataset.h"
#include "score/scorer.h"

/* size x size x 3 BGR each, owned. */
typedef struct {
    int size;
    uint8_t *frame, *prediction, *difference;
    uint8_t *odd; /* the frame under the map of the opinion that speaks; NULL without a surprise */
    uint8_t *truth;   /* the frame with boxes around the parts of the mask; NULL without a mask */
    FrameScore score; /* without a surprise where `odd` is NULL */
} FramePictures;

/* Makes the pictures of frame `index` of a test clip. `index` must be at least the scorer's number
 * of input frames. A surprise may depend on all frames before, so with `odd` they are all read. */
int frame_pictures(FramePictures *out, Scorer *s, const Dataset *data, int clip, int64_t index,
                   bool odd);
void frame_pictures_free(FramePictures *p); /* accepts a zeroed one */

#endif
