/* Planes of floats for optical flow, in scratch. A plane has zeros before its first row and behind
 * its last, at least a row of them. So the neighbours of a border pixel can be read like any
 * others: their weights are 0. */
#ifndef COMPUTE_CPU_ISA_PLANE_H
#define COMPUTE_CPU_ISA_PLANE_H

#include "compute/cpu/isa.h"

typedef struct {
    float *at;
    int64_t w, h;
} Plane;

/* Zeroes. *next is where planes follow in scratch. */
INLINE Plane isa_plane(float **next, int64_t w, int64_t h) {
    int64_t pad = flow_pad(w);
    Plane p = {*next + pad, w, h};
    memset(*next, 0, (size_t)(pad + w * h + pad) * sizeof(float));
    *next += flow_plane(w, h);
    return p;
}

/* Beyond the border the picture continues with its last row. */
INLINE float *isa_row(Plane p, int64_t y) {
    return p.at + (y < 0 ? 0 : y >= p.h ? p.h - 1 : y) * p.w;
}

INLINE void isa_slopes_x(Plane out, Plane in) {
    int64_t w = in.w, second = w > 1;
    for (int64_t y = 0; y < in.h; y++) {
        const float *restrict from = isa_row(in, y);
        float *restrict to = isa_row(out, y);
#pragma omp simd
        for (int64_t x = 1; x < w - 1; x++)
            to[x] = 0.5F * (from[x + 1] - from[x - 1]);
        to[0] = 0.5F * (from[second] - from[0]);
        to[w - 1] = 0.5F * (from[w - 1] - from[w - 1 - second]);
    }
}

INLINE void isa_slopes_y(Plane out, Plane in) {
    for (int64_t y = 0; y < in.h; y++) {
        const float *restrict up = isa_row(in, y - 1), *restrict down = isa_row(in, y + 1);
        float *restrict to = isa_row(out, y);
#pragma omp simd
        for (int64_t x = 0; x < in.w; x++)
            to[x] = 0.5F * (down[x] - up[x]);
    }
}

/* The picture at places between its pixels, which it moves into the picture. The two loops are
 * apart because GCC makes jumps of clamps whose results it can use. */
INLINE void isa_read_row(float *restrict out, Plane p, float *restrict at_x, float *restrict at_y,
                         int n) {
    int w = (int)p.w, h = (int)p.h;
    float most_x = (float)(w - 1), most_y = (float)(h - 1);
    const float *restrict from = p.at;
#pragma omp simd
    for (int i = 0; i < n; i++) {
        float x = at_x[i] > 0 ? at_x[i] : 0, y = at_y[i] > 0 ? at_y[i] : 0;
        at_x[i] = x < most_x ? x : most_x;
        at_y[i] = y < most_y ? y : most_y;
    }
#pragma omp simd
    for (int i = 0; i < n; i++) {
        int x = (int)at_x[i], y = (int)at_y[i], at = y * w + x;
        int right = x + 1 < w, below = (y + 1 < h) * w;
        float ax = at_x[i] - (float)x, ay = at_y[i] - (float)y;
        float top = (1 - ax) * from[at] + ax * from[at + right];
        float bottom = (1 - ax) * from[at + below] + ax * from[at + below + right];
        out[i] = (1 - ay) * top + ay * bottom;
    }
}

/* The picture at the places (x + u, y + v) of one row. `spare` is two rows. */
INLINE void isa_warp_row(float *restrict out, Plane p, const float *restrict u,
                         const float *restrict v, int64_t y, float *const spare[2]) {
    float *restrict at_x = spare[0], *restrict at_y = spare[1];
#pragma omp simd
    for (int x = 0; x < (int)p.w; x++) {
        at_x[x] = (float)x + u[x];
        at_y[x] = (float)y + v[x];
    }
    isa_read_row(out, p, at_x, at_y, (int)p.w);
}

#endif
