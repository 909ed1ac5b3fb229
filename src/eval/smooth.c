#include "eval/smooth.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* The index from which frame i, before or after the clip, takes its score. -1: its score is 0. */
static int64_t source_of(SmoothEdge edge, int64_t i, int64_t n) {
    if (i >= 0 && i < n)
        return i;
    if (edge == EDGE_REFLECT) {
        int64_t k = (i % (2 * n) + 2 * n) % (2 * n); /* a period is the clip and its mirror */
        return k < n ? k : 2 * n - 1 - k;
    }
    if (edge == EDGE_REPEAT)
        return (i % n + n) % n;
    return -1;
}

/* EDGE_REPEAT needs the radius: frame -r is frame 0, and the last is frame n - 1 + r. */
static void pad(double *out, const double *score, int64_t n, int64_t radius, SmoothEdge edge) {
    for (int64_t i = -radius; i < n + radius; i++) {
        int64_t shift = edge != EDGE_REPEAT ? 0 : i < 0 ? radius : i >= n ? -radius : 0;
        int64_t from = source_of(edge, i + shift, n);
        out[i + radius] = from < 0 ? 0 : score[from];
    }
}

static void gaussian_weights(double *w, int64_t window, const Smooth *s) {
    bool raw = s->kind == SMOOTH_GAUSSIAN_RAW;
    double centre = (double)(window / 2 - (raw ? 1 : 0)), sum = 0;
    for (int64_t i = 0; i < window; i++) {
        double d = ((double)i - centre) / s->sigma;
        sum += w[i] = exp(-0.5 * d * d);
    }
    double scale = raw ? s->sigma * sqrt(2 * M_PI) : sum;
    for (int64_t i = 0; i < window; i++)
        w[i] /= scale;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *scratch, const double *x, int64_t window) {
    memcpy(scratch, x, (size_t)window * sizeof *x);
    qsort(scratch, (size_t)window, sizeof *x, ascending);
    return scratch[window / 2];
}

static double weighted(const double *w, const double *x, int64_t window) {
    double sum = 0;
    for (int64_t i = 0; i < window; i++)
        sum += w[i] * x[i];
    return sum;
}

int smooth_run(const Smooth *s, double *score, int64_t n) {
    if (s->kind == SMOOTH_NONE || n == 0)
        return 0;
    int64_t window = s->window ? s->window : 2 * (int64_t)(4 * s->sigma + 0.5) + 1;
    int64_t radius = window / 2;
    double *padded = mem_alloc((size_t)(n + 2 * radius), sizeof *padded);
    double *w = mem_alloc((size_t)window, sizeof *w); /* or the median's scratch */
    int code = padded && w ? 0 : ERR_FAIL;
    if (!code) {
        pad(padded, score, n, radius, s->edge);
        if (s->kind == SMOOTH_GAUSSIAN || s->kind == SMOOTH_GAUSSIAN_RAW)
            gaussian_weights(w, window, s);
        for (int64_t i = 0; i < window && s->kind == SMOOTH_MEAN; i++)
            w[i] = 1 / (double)window;
        int64_t margin = s->edge == EDGE_KEEP ? radius : 0;
        for (int64_t i = margin; i < n - margin; i++)
            score[i] = s->kind == SMOOTH_MEDIAN ? median(w, padded + i, window)
                                                : weighted(w, padded + i, window);
    }
    mem_free(w);
    mem_free(padded);
    return code;
}
