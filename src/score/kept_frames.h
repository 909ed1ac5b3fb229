/* A bounded record of footage: as many frames as have room, spread over all that was seen. */
#ifndef SCORE_KEPT_FRAMES_H
#define SCORE_KEPT_FRAMES_H

#include <stdint.h>

typedef struct {
    int64_t values;       /* of a frame */
    int64_t seen, stride; /* every stride-th frame is kept */
    int64_t count, most;  /* frames */
    int16_t *value;       /* [most][values]; pages take memory once touched */
} KeptFrames;

/* Room for frames of so many values, in `bytes` in all but for at least two. When it is full, every
 * second frame is forgotten and from then on half as many are kept. */
int kept_frames_open(KeptFrames *k, int64_t values, int64_t bytes);
void kept_frames_free(KeptFrames *k); /* accepts a zeroed one */

/* Where to write the next frame's values; NULL: it is not kept. */
int16_t *kept_frames_add(KeptFrames *k);

/* The values of a frame, from 0 to count - 1. */
const int16_t *kept_frames_at(const KeptFrames *k, int64_t frame);

#endif
