/* Dropout and drop-path (method A.4). The counter-based RNG gives every backend and the backward
 * pass the same bits, so no mask is stored. */
#ifndef COMPUTE_NOISE_H
#define COMPUTE_NOISE_H

#include <math.h>
#include <stdint.h>

#include "base/rng.h"

/* Maps the images of a part to those of the whole batch. Image b of the part is image first + b of
 * the whole batch; from b = `split` on it is image first + b + skip. All zero: the part is the
 * whole batch. A process that takes pairs p to p + n of a doubled batch of P pairs has {.first = p,
 * .split = n, .skip = P - n}, and draws what one process would draw for them. */
typedef struct {
    int64_t first, split, skip;
} BatchPart;

static inline int64_t batch_image(const BatchPart *p, int64_t b) {
    return p->first + b + (b >= p->split ? p->skip : 0);
}

/* One place in the network at one step. All zero: evaluation, nothing drops. */
typedef struct {
    uint64_t seed;
    uint32_t step, site;
    double drop;      /* probability of an element */
    double drop_path; /* probability of a whole residual branch, per image */
    int64_t tokens;   /* rows of an image: image = row / tokens */
    BatchPart part;
} Noise;

/* The row in the whole batch's residual stream of `row` in this part. It selects the random bits of
 * the row's elements. */
static inline int64_t noise_row(const Noise *n, int64_t row) {
    return batch_image(&n->part, row / n->tokens) * n->tokens + row % n->tokens;
}

enum { NOISE_LANES = 8 }; /* elements one RNG block serves, 16 bits each */

/* An element drops when its 16 bits are below this threshold: the rate to the nearest 1/65536. */
static inline uint32_t noise_threshold(const Noise *n) {
    return (uint32_t)lround(n->drop * 65536);
}

/* The factor of kept elements: 1 / keep, where keep is the rate after rounding to 1/65536. */
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

/* Factor of column `col` of `cols` in a row. The reference uses it, one element at a time. */
static inline float noise_element(const Noise *n, int64_t row, int64_t cols, int64_t col) {
    if (n->drop <= 0)
        return 1;
    int64_t i = noise_row(n, row) * cols + col;
    float factors[NOISE_LANES];
    noise_factors(n, noise_threshold(n), noise_scale(n), i / NOISE_LANES, factors);
    return factors[i % NOISE_LANES];
}

/* Factor of the residual branch of image b: 0 or 1 / keep. */
static inline float noise_path(const Noise *n, int64_t b) {
    if (n->drop_path <= 0)
        return 1;
    Rng r = rng_stream(n->seed, RNG_DROP_PATH, n->step, n->site);
    uint32_t bits[4];
    rng_block(&r, (uint32_t)batch_image(&n->part, b), bits);
    return bits[0] * 0x1p-32 < n->drop_path ? 0 : (float)(1 / (1 - n->drop_path));
}

#endif
