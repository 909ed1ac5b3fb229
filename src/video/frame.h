/* A decoded picture: 8-bit BGR, rows from top to bottom without padding, as in the literature. */
#ifndef VIDEO_FRAME_H
#define VIDEO_FRAME_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint8_t *data; /* height x width x 3, BGR */
    int width, height;
    int capacity;   /* bytes that data holds; frames are reused, not reallocated */
    int64_t index;  /* position in the source, from 0; never the number in a file's name */
    double seconds; /* presentation time from the first frame on, never less than that of the
                       frame before; NaN where there is none */
    double wall;    /* when it came, in seconds since 1970 UTC; NaN where it is recorded */
    bool corrupt;   /* the decoder reported an error in this frame */
    bool after_gap; /* frames before it were lost: no pair may cross the gap */
} Frame;

/* Makes room for width x height pixels. The old content is lost. Fails only when memory is out. */
int frame_reserve(Frame *f, int width, int height);

/* Frees the pixels and zeroes *f. Accepts a zeroed frame. */
void frame_free(Frame *f);

/* Bilinear resize of `in` to out (width x height, tight BGR, owned by the caller): half-pixel
 * centres, no antialiasing, rounded to 8 bits. The result differs from OpenCV's INTER_LINEAR by at
 * most one grey level, because of OpenCV's fixed point. So scores stay comparable with the
 * literature (method B.1, D.6). */
void frame_resize(uint8_t *out, int width, int height, const Frame *in);

#endif
