/* Dropout and drop-path (method A.4), drawn from the counter-based RNG so that every backend, and
 * the backward pass, sees the same bits without storing a mask. */
#ifndef COMPUTE_NOISE_H
#define COMPUTE_NOISE_H

#include <math.h>
#include <stdint.h>

#include "base/rng.h"

/* One place in the network at one step. All zero: evaluation, nothing drops. */
typedef struct {
    uint64_t seed;
    uint32_t step, site;
    double drop;      /* probability of an element */
    double drop_path; /* probability of a whole residual branch, per image */
    int64_t tokens;   /* rows an image: image = row / tokens */
} Noise;

enum { NOISE_LANES = 8 }; /* elements one RNG block serves, 16 bits each */

/* Elements whose 16 bits lie below this drop: the rate to the nearest 1/65536. */
static inline uint32_t noise_threshold(const Noise *n) {
    return (uint32_t)lround(n->drop * 65536);
}

/* What kept elements are scaled by: 1 / keep, for the keep rate that is really drawn. */
static inline float noise_scale(const Noise *n) {
    return (float)(65536.0 / (65536.0 - noise_threshold(n)));
}

/* Factors (0 or the scale) of elements 8 * block .. 8 * block + 7 of a row-major matrix. */
static inline void noise_factors(const Noise *n, uint32_t threshold, float scale, int64_t block,
                                 float out[NOISE_LANES]) {
    Rng r = rng_stream(n->seed, RNG_DROPOUT, n->step, n->site);
    uint32_t bits[4];
    rng_block(&r, (uint32_t)block, bits);
    for (int i = 0; i < 4; i++) {
        out[2 * i] = (bits[i] & 0xffff) < threshold ? 0 : scale;
        out[2 * i + 1] = (bits[i] >> 16) < threshold ? 0 : scale;
    }
}

/* Factor of element i; for the reference, which asks one at a time. */
static inline float noise_element(const Noise *n, int64_t i) {
    if (n->drop <= 0)
        return 1;
    float factors[NOISE_LANES];
    noise_factors(n, noise_threshold(n), noise_scale(n), i / NOISE_LANES, factors);
    return factors[i % NOISE_LANES];
}

/* Factor of the residual branch for the image of a row: 0 or 1 / keep. */
static inline float noise_path(const Noise *n, int64_t row) {
    if (n->drop_path <= 0)
        return 1;
    Rng r = rng_stream(n->seed, RNG_DROP_PATH, n->step, n->site);
    uint32_t bits[4];
    rng_block(&r, (uint32_t)(row / n->tokens), bits);
    return bits[0] * 0x1p-32 < n->drop_path ? 0 : (float)(1 / (1 - n->drop_path));
}

#endif
