/* How high the steady surprise stayed for some seconds: its least value of that time (method J.1).
 * An event is what stays above a level, so thresholds are taken from this and events are found by
 * it, with the same bits. A function of the frames since the source began. */
#ifndef CAMERA_SUSTAINED_H
#define CAMERA_SUSTAINED_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    double value, until; /* seconds of the next frame; INFINITY: there is none yet */
} SustainedFrame;

typedef struct {
    double hold;  /* seconds */
    double begun; /* seconds of the first frame; NaN: there was none */
    /* A ring of the frames that may still be the least: values and times ascend. */
    SustainedFrame *frame;
    int64_t first, count, room;
} Sustained;

/* Values must stay for `hold` >= 0 seconds. */
void sustained_open(Sustained *s, double hold);
void sustained_free(Sustained *s); /* accepts a zeroed one */

/* Forgets what was: at the start of a source, after a gap, and where a frame is not judged. */
void sustained_reset(Sustained *s);

/* Adds a frame's steady surprise, at finite seconds that do not run back. A frame counts until the
 * next one comes. *out is the least of the last `hold` seconds, 0 before these have gone by.
 * ERR_FAIL if memory is out. */
int sustained_add(Sustained *s, double value, double seconds, double *out);

#endif
