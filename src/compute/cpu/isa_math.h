/* Transcendental functions that vectorise, for the inner loops of isa_*.c. */
#ifndef COMPUTE_CPU_ISA_MATH_H
#define COMPUTE_CPU_ISA_MATH_H

#include <stdint.h>

/* e^x with relative error 2e-7, for x <= 88; 0 below -87; a NaN stays a NaN. Vectorises. */
static inline float isa_exp(float x) {
    const float shift = 0x1.8p23f; /* adding it leaves the nearest integer in the low bits */
    union {
        float f;
        uint32_t i;
    } m = {x * 1.44269504f + shift}, power;
    float n = m.f - shift;
    float r = x - n * 0.693359375f - n * -2.12194440e-4f;
    float p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + (r + 1);
    power.i = (m.i << 23) + 0x3f800000;
    return x < -87 ? 0 : p * power.f;
}

/* The normal distribution's Phi(x) = (1 + erf(x / sqrt 2)) / 2, by Abramowitz and Stegun 7.1.26. e
 * is exp(-x^2 / 2), which the callers need too. Absolute error 3e-7 in float. Vectorises. */
static inline float isa_normal_cdf(float x, float e) {
    float t = 1 / (1 + 0.3275911f * 0.70710678f * __builtin_fabsf(x));
    float p =
        t * (0.254829592f +
             t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    return 0.5f + __builtin_copysignf(0.5f - 0.5f * p * e, x);
}

/* GELU(x) = x Phi(x), and its slope. */
static inline float isa_gelu(float x) {
    return x * isa_normal_cdf(x, isa_exp(-0.5f * x * x));
}

static inline float isa_gelu_slope(float x) {
    float e = isa_exp(-0.5f * x * x);
    return isa_normal_cdf(x, e) + x * 0.39894228f * e;
}

/* GELU(x) = x (1/2 + x P(x^2)), where P is a least-squares fit for |x| < 4.2; the slope is fitted
 * likewise for |x| < 4.5. Errors are up to 7e-5 and 1.3e-4 for |x| < 12, far below bf16's precision
 * near such values. Takes half the time of the exact form. */
static inline float isa_gelu_bf16(float x) {
    float c = x < -4.2f ? -4.2f : x > 4.2f ? 4.2f : x, t = c * c;
    float p = 5.998023606e-11f;
    p = p * t - 5.633284506e-9f;
    p = p * t + 2.343664107e-7f;
    p = p * t - 5.760753083e-6f;
    p = p * t + 9.457425040e-5f;
    p = p * t - 1.114147250e-3f;
    p = p * t + 9.830128402e-3f;
    p = p * t - 6.636036932e-2f;
    p = p * t + 3.989074230e-1f;
    return x * (0.5f + c * p);
}

static inline float isa_gelu_slope_bf16(float x) {
    float c = x < -4.5f ? -4.5f : x > 4.5f ? 4.5f : x, t = c * c;
    float p = -2.210802201e-11f;
    p = p * t + 2.521317821e-9f;
    p = p * t - 1.268052898e-7f;
    p = p * t + 3.721932217e-6f;
    p = p * t - 7.122189709e-5f;
    p = p * t + 9.405411547e-4f;
    p = p * t - 8.815853857e-3f;
    p = p * t + 5.860928446e-2f;
    p = p * t - 2.649256587e-1f;
    p = p * t + 7.976261377e-1f;
    return 0.5f + c * p;
}

#endif
