/* When the pictures of a written video are shown: seconds to whole ticks that only grow. */
#ifndef VIDEO_TICKS_H
#define VIDEO_TICKS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t scale; /* ticks a second */
    int64_t frame; /* ticks that a picture without a time is shown */
    int64_t last;  /* the tick of the last picture */
    bool begun;    /* there is a last picture */
    bool anchored; /* one of the pictures had a time */
    double given;  /* the last time; valid if anchored, as is the next */
    double start;  /* the time that stands at tick 0 */
} Ticks;

/* The tick of the next picture, which came at `seconds`. The first picture has tick 0, and the
 * others keep their distance from it. A picture comes `frame` ticks after the last one if its time
 * is not finite, is not above that one's, or is more than a year away. A time below the last one's
 * begins a new part, the next video: those after it keep their distance from it. */
int64_t ticks_next(Ticks *t, double seconds);

#endif
