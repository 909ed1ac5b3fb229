/* A matrix of activations in backend memory: row-major, rows are tokens, columns are features. */
#ifndef COMPUTE_TENSOR_H
#define COMPUTE_TENSOR_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* How a number is stored. U8 represents scale * (byte - zero), with the tensor's scale and zero;
 * only inputs of linear layers use it. */
typedef enum { F32, BF16, U8 } DType;

typedef struct {
    void *data; /* borrowed from a slab */
    int64_t rows, cols;
    DType type;
    float scale; /* U8 only */
    int32_t zero;
} Tensor;

static inline int64_t tensor_count(Tensor t) {
    return t.rows * t.cols;
}

static inline size_t dtype_bytes(DType type) {
    return type == F32 ? 4 : type == BF16 ? 2 : 1;
}

static inline size_t tensor_bytes(Tensor t) {
    return (size_t)tensor_count(t) * dtype_bytes(t.type);
}

/* The address of an element. */
static inline void *tensor_at(Tensor t, int64_t row, int64_t col) {
    return (char *)t.data + (size_t)(row * t.cols + col) * dtype_bytes(t.type);
}

/* bfloat16: the upper half of a float. */
static inline float bf16_float(uint16_t x) {
    uint32_t bits = (uint32_t)x << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* Rounds to the nearest, ties to even; a NaN stays a NaN. */
static inline uint16_t bf16_round(float f) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? (bits >> 16 | 0x40) : rounded);
}

/* Rounds to the nearest byte of the tensor's scale, clamped to 0 .. 255; a NaN becomes 0. After the
 * clamp, adding 1.5 * 2^23 puts the nearest integer into the lowest bits, which vectorises. */
static inline uint8_t u8_round(float f, float inverse_scale, int32_t zero) {
    const float least = (float)-zero, most = (float)(255 - zero);
    float q = f * inverse_scale;
    q = q > least ? q : least;
    q = q < most ? q : most;
    q += 0x1.8p23f;
    uint32_t bits;
    memcpy(&bits, &q, sizeof bits);
    return (uint8_t)(bits + (uint32_t)zero);
}

#endif
