#include "video/sampler.h"

#include <math.h>

/* Of a distance: time stamps are rounded, to a millisecond at worst. */
static const double ROUNDING = 1e-3;

void sampler_start(Sampler *s, double interval) {
    *s = (Sampler){.interval = interval};
}

bool sampler_take(Sampler *s, double seconds) {
    if (s->interval <= 0 || isnan(seconds))
        return true;
    double step = s->begun ? fmin(seconds - s->last, s->interval) : 0;
    bool take = !s->begun || s->due <= seconds + step / 2 + ROUNDING;
    s->last = seconds;
    if (!take)
        return false;
    s->due = s->begun ? s->due + s->interval : seconds + s->interval;
    if (s->due <= seconds) /* the source is slower */
        s->due = seconds + s->interval;
    s->begun = true;
    return true;
}

double sampler_fit(double wanted, double spacing) {
    if (wanted <= 0 || spacing <= 0)
        return 0;
    return spacing * fmax(ceil(wanted / spacing - 0.05), 1);
}

int64_t sampler_list(int64_t *take, const double *seconds, int64_t n, double interval) {
    Sampler s;
    int64_t count = 0;
    sampler_start(&s, interval);
    for (int64_t i = 0; i < n; i++)
        if (sampler_take(&s, seconds[i]))
            take[count++] = i;
    return count;
}
