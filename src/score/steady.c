#include "score/steady.h"

#include <math.h>
#include <stdbool.h>

static const double TIME_CONSTANT = 0.3, STEP = 0.1; /* seconds */

Steady steady_start(void) {
    return (Steady){0, NAN};
}

double steady_add(Steady *s, double surprise, double seconds) {
    bool first = isnan(s->seconds);
    if (!isnan(surprise)) {
        double now = isfinite(seconds) ? seconds : first ? 0 : s->seconds + STEP;
        double keep = first ? 0 : exp(-fmax(now - s->seconds, 0) / TIME_CONSTANT);
        s->level = keep * s->level + (1 - keep) * log1p(surprise);
        s->seconds = now;
        first = false;
    }
    return first ? NAN : expm1(s->level);
}
