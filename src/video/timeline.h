/* Presentation times that never run back: the seconds of a source's frames.
 *
 * Recordings that were joined, clocks that wrap and cameras that restart set their time stamps
 * back. A step back begins a new part, which follows the last frame at the usual distance. */
#ifndef VIDEO_TIMELINE_H
#define VIDEO_TIMELINE_H

#include <stdbool.h>

/* Zeroed: nothing has come yet. */
typedef struct {
    double shift; /* added to the time stamps of this part */
    double last;  /* seconds of the last frame */
    double step;  /* the last distance between two frames; 0 unknown */
    bool begun;
} Timeline;

/* Seconds from the first frame on, of a frame with this time stamp in seconds. A frame without one
 * (NaN) stands one step after the last; NaN as long as there has been none with one. */
double timeline_add(Timeline *t, double stamp);

#endif
