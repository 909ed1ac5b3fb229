/* The constants of optical flow, which all backends share (docs/method.md has the sources). First
 * dense Lucas-Kanade from coarse to fine, then a variational refinement at full size. */
#ifndef COMPUTE_FLOW_H
#define COMPUTE_FLOW_H

#include <stdint.h>

/* Lucas-Kanade. A level has half the sides of the one before. */
enum {
    FLOW_LEVELS = 4,     /* at most */
    FLOW_LEAST = 8,      /* no level has a side below it, except the picture itself */
    FLOW_ITERATIONS = 2, /* at each level */
    FLOW_WINDOW = 3,     /* radius of the means of products */
    FLOW_SOFTEN = 1,     /* radius of the mean of the flow after each iteration */
};
static const float flow_damping = 2; /* square grey levels: pulls to rest */

/* Refinement: robust weights 1 / sqrt(x^2 + eps) of data and smoothness; successive
 * over-relaxation, first the pixels with x + y even. */
enum { FLOW_OUTER = 3, FLOW_SWEEPS = 5 };
static const float flow_data = 5, flow_smooth = 10, flow_robust = 1e-6F;
static const float flow_normal = 0.01F; /* added to the squared slopes that divide a residual */
static const float flow_rest = 1e-4F;   /* added to the diagonal */
static const float flow_omega = 1.6F;

/* Writes the sizes of the levels; [0] is the picture. Returns their number. */
static inline int flow_levels(int64_t width, int64_t height, int64_t size[FLOW_LEVELS][2]) {
    int n = 0;
    do {
        size[n][0] = width;
        size[n++][1] = height;
        width /= 2;
        height /= 2;
    } while (n < FLOW_LEVELS && width >= FLOW_LEAST && height >= FLOW_LEAST);
    return n;
}

#endif
