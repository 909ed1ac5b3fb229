/* A picture from a source. Its pixels stay as the decoder left them until somebody reads them: a
 * resize converts those that it needs, frame_bgr all. Both give the same levels. */
#ifndef VIDEO_FRAME_H
#define VIDEO_FRAME_H

#include "video/ignore.h"
#include "video/pixels.h"

/* How a picture that is stored otherwise is shown. Mirrored and upside down are told of the stored
 * rows; after that they become columns if transposed. */
enum { FRAME_MIRRORED = 1, FRAME_UPSIDE_DOWN = 2, FRAME_TRANSPOSED = 4 };

typedef struct {
    int width, height; /* as shown */
    int64_t index;     /* position in the source, from 0; never the number in a file's name */
    double seconds;    /* presentation time from the first frame on, never less than that of the
                          frame before; NaN where there is none */
    double wall;       /* when it came, in seconds since 1970 UTC; NaN where it is recorded */
    bool corrupt;      /* the decoder reported an error in this frame */
    bool after_gap;    /* frames before it were lost: no pair may cross the gap */
    int orientation;   /* FRAME_MIRRORED and so on */
    Pixels pixels;     /* of bgr or of picture; set for resize.c */
    uint8_t *bgr;      /* owned, reused; frame_bgr gives it filled */
    int capacity;      /* bytes that bgr holds */
    struct AVFrame *picture; /* owned, reused: the decoder's buffers */
    const Ignore *ignore;    /* what a resize leaves black; borrowed; NULL: nothing */
} Frame;

/* Makes room for width x height pixels of BGR and makes them the frame's. The old picture is lost.
 * Fails only when memory is out. */
int frame_reserve(Frame *f, int width, int height);

/* The whole picture as it is shown: height x width x 3, BGR, rows from top to bottom without
 * padding. It is converted in the first call. The pixels belong to the frame and may be changed.
 * NULL when memory is out. */
uint8_t *frame_bgr(Frame *f);

/* Moves a picture without copying pixels. `from` gets the old buffers of `to` and shows nothing. */
void frame_move(Frame *to, Frame *from);

/* Frees the pixels and zeroes *f. Accepts a zeroed frame. */
void frame_free(Frame *f);

/* Bilinear resize of `in` to out (width x height, tight BGR, owned by the caller): half-pixel
 * centres, no antialiasing, rounded to 8 bits. The result differs from OpenCV's INTER_LINEAR by at
 * most one grey level, because of OpenCV's fixed point. So scores stay comparable with the
 * literature (method B.1, D.6). Converts the pixels that it reads, and no others. */
void frame_resize(uint8_t *out, int width, int height, const Frame *in);

/* The same in grey, one byte a pixel: the decoder's luma where there is one, without reading
 * colours; else 0.114 B + 0.587 G + 0.299 R. */
void frame_resize_grey(uint8_t *out, int width, int height, const Frame *in);

#endif
