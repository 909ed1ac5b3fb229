#include "video/ticks.h"

#include <math.h>

/* A longer distance comes from a broken clock. Its ticks need not fit an integer either. */
static const double YEAR = 366.0 * 24 * 3600;

static int64_t place(Ticks *t, double seconds) {
    int64_t usual = t->begun ? t->last + t->frame : 0;
    if (!isfinite(seconds) || (t->anchored && fabs(seconds - t->given) > YEAR))
        return usual;
    if (!t->anchored || seconds < t->given)
        t->start = seconds - (double)usual / (double)t->scale;
    t->anchored = true;
    t->given = seconds;
    int64_t tick = llrint((seconds - t->start) * (double)t->scale);
    return !t->begun || tick > t->last ? tick : usual;
}

int64_t ticks_next(Ticks *t, double seconds) {
    t->last = place(t, seconds);
    t->begun = true;
    return t->last;
}
