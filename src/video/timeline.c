#include "video/timeline.h"

#include <math.h>

static double place(Timeline *t, double seconds) {
    double step = seconds - t->last;
    if (t->begun && step > 0) /* a single long pause is not the usual distance */
        t->step = t->step > 0 ? fmin(step, 2 * t->step) : step;
    t->begun = true;
    return t->last = seconds;
}

double timeline_add(Timeline *t, double stamp) {
    if (!isfinite(stamp))
        return t->begun ? t->last += t->step : NAN;
    if (!t->begun)
        t->shift = -stamp;
    double seconds = stamp + t->shift;
    if (t->begun && seconds < t->last - 1.5 * t->step) { /* less is a stamp that is a little off */
        seconds = t->last + t->step;
        t->shift = seconds - stamp;
    }
    return place(t, fmax(seconds, t->last));
}
