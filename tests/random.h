/* Random numbers that only tests draw. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <math.h>

#include "base/rng.h"

/* A purpose beside the program's own. */
#define RNG_TEST ((RngPurpose)(RNG_SCENE + 1))

/* Standard normal (Box-Muller); element `index`. */
static inline double rng_normal(const Rng *r, uint64_t index) {
    uint32_t block[4];
    rng_block(r, (uint32_t)index, block);
    double u = (block[0] + 1.0) * 0x1p-32, v = block[1] * 0x1p-32; /* u in (0, 1] */
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

#endif
