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

/* Inverse of erf on (-1, 1): Giles's starting value, then Newton steps to double precision. */
static double erf_inverse(double y) {
    double w = -log((1 - y) * (1 + y));
    double x = y * (0.886 + 0.06 * w); /* close enough near 0; Newton does the rest */
    for (int i = 0; i < 6; i++)
        x -= (erf(x) - y) * 0.5 * sqrt(M_PI) * exp(x * x);
    return x;
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
