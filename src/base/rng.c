#include "base/rng.h"

#include <math.h>

static uint32_t draw(const Rng *r, uint64_t index) {
    uint32_t block[4];
    rng_block(r, (uint32_t)(index / 4), block);
    return block[index % 4];
}

double rng_uniform(const Rng *r, uint64_t index) {
    return draw(r, index) * 0x1p-32;
}

/* Inverse of erf where |y| <= 0.7, exact to a float: Giles's polynomial. */
static double erf_inverse(double y) {
    static const double c[] = {2.81022636e-08,  3.43273939e-07, -3.5233877e-06,
                               -4.39150654e-06, 0.00021858087,  -0.00125372503,
                               -0.00417768164,  0.246640727,    1.50140941};
    double w = -log((1 - y) * (1 + y)) - 2.5, x = c[0];
    for (int i = 1; i < 9; i++)
        x = x * w + c[i];
    return x * y;
}

double rng_truncated_normal(const Rng *r, uint64_t index, double sigma) {
    const double bound = erf(M_SQRT1_2); /* 2 Phi(1) - 1 */
    double u = (2 * ((draw(r, index) + 0.5) * 0x1p-32) - 1) * bound;
    double x = M_SQRT2 * sigma * erf_inverse(u);
    return fmin(fmax(x, -sigma), sigma);
}

void rng_permutation(const Rng *r, int64_t *out, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        out[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        uint32_t block[4];
        rng_block(r, (uint32_t)i, block);
        uint64_t wide = (uint64_t)block[0] << 32 | block[1];
        int64_t j = (int64_t)(((unsigned __int128)wide * (uint64_t)(i + 1)) >> 64);
        int64_t t = out[i];
        out[i] = out[j];
        out[j] = t;
    }
}
