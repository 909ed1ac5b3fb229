/* A weight matrix (out, in), and the conversion of its rows to bytes. */
#ifndef COMPUTE_WEIGHT_H
#define COMPUTE_WEIGHT_H

#include <math.h>
#include <stdint.h>

typedef struct {
    const float *data; /* f32, row-major, backend memory; may be NULL once packed */
    int64_t out, in;
    void *packed; /* made by weight_pack; NULL: not packed */
} Weight;

/* Scale of the signed bytes of one row: its largest value becomes 127. 0 for a row
 * of (almost) zeros. */
static inline float weight_scale(const float *row, int64_t n) {
    float top = 0;
    for (int64_t i = 0; i < n; i++)
        top = fmaxf(top, fabsf(row[i]));
    return top < 1e-30f ? 0 : top / 127; /* below, x / scale would pass 127 */
}

static inline int8_t weight_round(float x, float scale) {
    return (int8_t)(scale > 0 ? rintf(x / scale) : 0);
}

#endif
