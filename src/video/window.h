/* The last frames of a source at the network's size: F input frames and the frame to predict.
 * Scoring a stream keeps no other state. */
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

/* Resizes the frame and appends it, dropping the oldest. True if the window holds a whole pair: x
 * is the F frames before the newest, y the newest. */
bool window_push(Window *w, const Frame *f);

/* Forgets all frames. Called after a gap and at the start of a clip. */
void window_reset(Window *w);

const uint8_t *window_x(const Window *w);
const uint8_t *window_y(const Window *w);

#endif
