/* Groups (kernels.h) as words of a vector, for the files that pack operands of products. */
#ifndef COMPUTE_CPU_ISA_GROUPS_H
#define COMPUTE_CPU_ISA_GROUPS_H

#include "compute/cpu/isa.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

/* Picks elements of a and b together, by index. clang makes shuffles from the loop. */
INLINE Words isa_pick(Words a, Words b, Words index) {
#if defined(__clang__)
    Words out;
    for (int i = 0; i < LANES; i++)
        out[i] = index[i] < LANES ? a[index[i] % LANES] : b[index[i] % LANES];
    return out;
#else
    return __builtin_shuffle(a, b, index);
#endif
}

/* Transposes a square of LANES x LANES words, by halves, quarters and so on. In each step rows i
 * and i + w exchange their off-diagonal blocks of w columns. */
INLINE void isa_transpose(Words x[LANES]) {
    static const uint32_t numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    Words lanes = (Words)((const Unaligned *)numbers)[0];
#pragma GCC unroll 4
    for (int w = LANES / 2; w > 0; w /= 2) {
        Words off = (Words)((lanes & (uint32_t)w) != 0); /* all ones where a column moves */
        Words low = lanes + (off & (uint32_t)(LANES - w));
        Words high = lanes + ((off & LANES) | (~off & (uint32_t)w));
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++)
            if (!(i & w)) {
                Words a = x[i], b = x[i + w];
                x[i] = isa_pick(a, b, low);
                x[i + w] = isa_pick(a, b, high);
            }
    }
}

/* Loads LANES groups. Their values are at a; for pairs (BF16) the second values are at b. */
INLINE Words isa_groups_at(DType type, const void *a, const void *b) {
    typedef uint16_t Shorts __attribute__((vector_size(VECTOR / 2), aligned(2), may_alias));
    const Unaligned *whole = a;
    const Shorts *first = a, *second = b;
    if (type == F32)
        return (Words)whole[0];
    return __builtin_convertvector(first[0], Words) | __builtin_convertvector(second[0], Words)
                                                          << 16;
}

/* Rounds 2 LANES floats to bf16, in order; each group is two adjacent values. The instruction turns
 * denormals into zero, even the largest, which bf16_round rounds to the smallest normal number. The
 * difference does not matter in a product. */
INLINE Words isa_round(Floats x0, Floats x1) {
#if defined(__AVX512BF16__)
    return (Words)_mm512_cvtne2ps_pbh((__m512)x1, (__m512)x0);
#else
    float x[2 * LANES];
    uint16_t y[2 * LANES];
    memcpy(x, &x0, sizeof x0);
    memcpy(x + LANES, &x1, sizeof x1);
    for (int i = 0; i < 2 * LANES; i++)
        y[i] = bf16_round(x[i]);
    Words out;
    memcpy(&out, y, sizeof out);
    return out;
#endif
}

/* Rounds to bf16 into LANES groups of two: the first value from a, the second from b. */
INLINE Words isa_round_groups(Floats a, Floats b) {
    Words both = isa_round(a, b);
#if defined(__AVX512BF16__)
    static const uint16_t order[] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                     8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return (Words)_mm512_permutexvar_epi16(_mm512_loadu_si512(order), (__m512i)both);
#else
    uint16_t values[2 * LANES];
    memcpy(values, &both, sizeof both);
    return isa_groups_at(BF16, values, values + LANES);
#endif
}

/* The sum of each group's values. */
INLINE Floats isa_group_sums(DType type, Words w) {
    return type == F32 ? (Floats)w : (Floats)(w << 16) + (Floats)(w & 0xffff0000u);
}

#endif
