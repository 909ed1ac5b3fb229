#include "camera/tail.h"

#include <math.h>

/* A surprise is the logarithm of a share (method I.3), so its tail is exponential (shape 0) where
 * it is honest. SPREAD says how far from that footage must be expected to be. */
static const double SHAPE_MOST = 0.3, SPREAD = 0.1;
static const double NARROW = 0.02, WIDE = 10; /* scales, in mean excesses */

static double shape_at(int i) {
    return SHAPE_MOST * (2.0 * i / (TAIL_SHAPES - 1) - 1);
}

/* -ln of the share of excesses that are greater; INFINITY beyond the end of the distribution. */
static double hazard(double excess, double shape, double scale) {
    double x = excess / scale;
    if (fabs(shape) < 1e-9)
        return x;
    return shape * x <= -1 ? INFINITY : log1p(shape * x) / shape;
}

static double ln_likelihood(const double *peaks, int64_t count, double from, double shape,
                            double scale) {
    double sum = 0;
    for (int64_t i = 0; i < count && isfinite(sum); i++)
        sum += (1 + shape) * hazard(peaks[i] - from, shape, scale);
    return -sum - (double)count * log(scale) - 0.5 * shape * shape / (SPREAD * SPREAD);
}

void tail_fit(Tail *t, const double *peaks, int64_t count, double from, double hours) {
    double mean = 0, top = -INFINITY, sum = 0;
    for (int64_t i = 0; i < count; i++)
        mean += (peaks[i] - from) / (double)count;
    *t = (Tail){.from = from, .hours = hours, .peaks = count};
    for (int k = 0; k < TAIL_SCALES; k++)
        t->scale[k] = mean * NARROW * pow(WIDE / NARROW, (double)k / (TAIL_SCALES - 1));
    for (int s = 0; s < TAIL_SHAPES; s++)
        for (int k = 0; k < TAIL_SCALES; k++) {
            t->share[s][k] = ln_likelihood(peaks, count, from, shape_at(s), t->scale[k]);
            top = fmax(top, t->share[s][k]);
        }
    for (int s = 0; s < TAIL_SHAPES; s++)
        for (int k = 0; k < TAIL_SCALES; k++)
            sum += t->share[s][k] = exp(t->share[s][k] - top);
    for (int s = 0; s < TAIL_SHAPES; s++)
        for (int k = 0; k < TAIL_SCALES; k++)
            t->share[s][k] /= sum;
}

static double share_above(const Tail *t, int shape, int scale, double level) {
    return exp(-hazard(level - t->from, shape_at(shape), t->scale[scale]));
}

double tail_rate(const Tail *t, double level) {
    double above = 0;
    for (int s = 0; s < TAIL_SHAPES; s++)
        for (int k = 0; k < TAIL_SCALES; k++)
            above += t->share[s][k] * share_above(t, s, k, level);
    return above * (double)t->peaks / t->hours;
}

double tail_level(const Tail *t, double peaks_an_hour) {
    double low = t->from, high = t->from + 1;
    if (tail_rate(t, low) <= peaks_an_hour)
        return low;
    while (tail_rate(t, high) > peaks_an_hour)
        high += high - t->from;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        *(tail_rate(t, middle) > peaks_an_hour ? &low : &high) = middle;
    }
    return high;
}

/* One of the distributions: its share, and how many peaks it expects for each that was seen. */
typedef struct {
    double share, expects;
} Way;

/* The chance of n peaks: the rate of all peaks has a gamma distribution of `seen` events, so those
 * to come have a negative binomial one. */
static double chance_of(const Way *way, int ways, double seen, double n) {
    double sum = 0, common = lgamma(seen + n) - lgamma(seen) - lgamma(n + 1);
    for (int i = 0; i < ways; i++) {
        double x = way[i].expects;
        double ln = -seen * log1p(x) + (n > 0 ? n * (log(x) - log1p(x)) : 0);
        sum += way[i].share * exp(common + ln);
    }
    return sum;
}

void tail_counts(const Tail *t, double level, double hours, int64_t *low, int64_t *high) {
    static const double TRIFLE = 1e-9;
    Way way[TAIL_SHAPES * TAIL_SCALES];
    double below = 0;
    int ways = 0;
    for (int s = 0; s < TAIL_SHAPES; s++)
        for (int k = 0; k < TAIL_SCALES; k++)
            if (t->share[s][k] > TRIFLE)
                way[ways++] = (Way){t->share[s][k], hours / t->hours * share_above(t, s, k, level)};
    *low = *high = -1;
    for (int64_t n = 0; *high < 0; n++) {
        below += chance_of(way, ways, (double)t->peaks, (double)n);
        *low = *low < 0 && (below > 0.025 || n == TAIL_MOST) ? n : *low;
        *high = below >= 0.975 || n == TAIL_MOST ? n : *high;
    }
}
