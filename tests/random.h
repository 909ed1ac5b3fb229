/* Random numbers that only tests draw. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <math.h>

#include "base/rng.h"

/* A purpose far above the program's own, which count up from 1: no draw of a test is one of the
 * program's. */
#define RNG_TEST ((RngPurpose)(1 << 16))
_Static_assert(RNG_PLANT < 1 << 8, "the program's purposes come near the tests' own");

/* Standard normal (Box-Muller); element `index`. */
static inline double rng_normal(const Rng *r, uint64_t index) {
    uint32_t block[4];
    rng_block(r, (uint32_t)index, block);
    double u = (block[0] + 1.0) * 0x1p-32, v = block[1] * 0x1p-32; /* u in (0, 1] */
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

#endif
