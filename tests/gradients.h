/* Gradients by finite differences: what the tests of operations and of the network share. */
#ifndef TESTS_GRADIENTS_H
#define TESTS_GRADIENTS_H

#include <math.h>
#include <stdint.h>

#include "random.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

enum { DIRECTIONS = 2, MAX_INPUTS = 6, MAX_VALUES = 9216 };

static inline void normals(float *out, int64_t n, uint32_t stream, double scale) {
    Rng r = rng_stream(3, RNG_TEST, 1, stream);
    for (int64_t i = 0; i < n; i++)
        out[i] = (float)(scale * rng_normal(&r, (uint64_t)i));
}

/* x = base + t v */
static inline void move(float *x, const float *base, const float *v, double t, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(base[i] + t * v[i]);
}

/* Derivative of L at t = 0 from its values at -2h, -h, h, 2h. */
static inline double five_points(const double at[4], double h) {
    return (8 * (at[2] - at[1]) - (at[3] - at[0])) / (12 * h);
}

static const double points[4] = {-2, -1, 1, 2};

/* |numerical - g v| / |g|. */
static inline double relative(double numerical, const float *g, const float *v, int64_t n) {
    double along = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        along += (double)g[i] * v[i];
        squares += (double)g[i] * g[i];
    }
    assert_true(squares > 0);
    return fabs(numerical - along) / sqrt(squares);
}

#endif
