/* Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011).
 *
 * A draw is a pure function of (seed, stream, index), so masks, shuffles and dropout need no state.
 * Every backend draws the same bits. Any thread may draw any element. A resumed run needs only its
 * step to continue exactly. A purpose and two numbers name a stream. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

typedef enum {
    RNG_INIT = 1,  /* weights */
    RNG_SHUFFLE,   /* order of the pairs in an epoch */
    RNG_MASK,      /* cells of a pseudo anomaly */
    RNG_DROPOUT,   /* elements */
    RNG_DROP_PATH, /* residual branches of a sample */
    RNG_SCENE,     /* the generated scene of the demo */
    RNG_PSEUDO,    /* which pairs become pseudo anomalies, and their patches */
    RNG_SECOND,    /* the frames of pseudo anomalies: jumps, other clips */
    RNG_BOOTSTRAP, /* clips drawn for a replicate */
    RNG_PLANT,     /* planted anomalies: when, where, whose movement */
    RNG_RECONNECT, /* pauses before a lost camera is tried again */
} RngPurpose;

/* A stream: its purpose and two numbers (step and layer, epoch and clip, ...). */
typedef struct {
    uint64_t seed;
    uint32_t purpose;
    uint32_t a, b;
} Rng;

static inline Rng rng_stream(uint64_t seed, RngPurpose purpose, uint32_t a, uint32_t b) {
    return (Rng){seed, (uint32_t)purpose, a, b};
}

/* Four independent uniform 32-bit numbers for `index` (up to 2^32 blocks in a stream). */
static inline void rng_block(const Rng *r, uint32_t index, uint32_t out[4]) {
    uint32_t c0 = index, c1 = r->purpose, c2 = r->a, c3 = r->b;
    uint32_t k0 = (uint32_t)r->seed, k1 = (uint32_t)(r->seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/* Element `index` of the stream, uniform in [0, 1) with 32 bits. */
double rng_uniform(const Rng *r, uint64_t index);

/* Element `index` of the stream, normal with deviation sigma and truncated at +-sigma. Uses the
 * inverse CDF (SimMIM's initialisation, method A.6). */
double rng_truncated_normal(const Rng *r, uint64_t index, double sigma);

/* Writes a uniform random permutation of 0..n-1 to out (Fisher-Yates). */
void rng_permutation(const Rng *r, int64_t *out, int64_t n);

#endif
