/* What the files of the cpu backend share. */
#ifndef COMPUTE_CPU_H
#define COMPUTE_CPU_H

#include "compute/backend.h"

/* Compiles a loop kernel for several instruction sets and picks one at start. Only GCC knows the
 * attribute; sanitizers run before its resolvers could. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CPU_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CPU_CLONES
#endif

/* Rows of a matrix that one task takes: 64 rows of any width stay in the second-level cache. */
enum { CPU_ROWS = 64 };

static inline int64_t cpu_tasks(int64_t rows) {
    return (rows + CPU_ROWS - 1) / CPU_ROWS;
}

/* Scratch of the backend: at least `floats`, of any content; kept, and valid until the next call.
 * NULL, with the failure latched, when memory is out. */
float *cpu_scratch(Backend *be, int64_t floats);

/* exp(x) to 1 ulp-ish (relative 2e-7) for x <= 88; 0 below -87; vectorises. */
static inline float cpu_exp(float x) {
    x = x < -87 ? -87 : x;
    float n = __builtin_rintf(x * 1.44269504f);
    float r = x - n * 0.693359375f - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1;
    union {
        uint32_t i;
        float f;
    } scale = {.i = ((uint32_t)(int32_t)n + 127) << 23}; /* for NaN, p is NaN whatever this is */
    return p * scale.f;
}

/* erf(x) by Abramowitz and Stegun 7.1.26: absolute error 5e-7 in float; vectorises. */
static inline float cpu_erf(float x) {
    float a = __builtin_fabsf(x), t = 1 / (1 + 0.3275911f * a);
    float p =
        t * (0.254829592f +
             t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    return __builtin_copysignf(1 - p * cpu_exp(-a * a), x);
}

void cpu_linear(Backend *be);
void cpu_attention(Backend *be);
void cpu_image(Backend *be);
void cpu_optimizer(Backend *be);

#endif
