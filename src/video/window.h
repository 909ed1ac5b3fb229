/* The last frames of a source at the network's size: F input frames and the one to predict. The
 * only state between a stream and its scores. */
#ifndef VIDEO_WINDOW_H
#define VIDEO_WINDOW_H

#include "video/frame.h"

typedef struct {
    int size, frames; /* F */
    int64_t filled;   /* frames pushed, at most F + 1 */
    uint8_t *data;    /* (F + 1) x size x size x 3, oldest first */
} Window;

int window_open(Window *w, int size, int frames);
void window_free(Window *w); /* accepts a zeroed one */

/* Resizes the frame, appends it and drops the oldest. True once there is a whole pair: x, the F
 * frames before the newest, and y, the newest. */
bool window_push(Window *w, const Frame *f);

/* Forgets all frames: the next pair begins after a gap or in another clip. */
void window_reset(Window *w);

const uint8_t *window_x(const Window *w);
const uint8_t *window_y(const Window *w);

#endif
