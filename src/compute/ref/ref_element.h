/* How the reference reads and writes the elements of tensors and weights, whatever their type. */
#ifndef COMPUTE_REF_REF_ELEMENT_H
#define COMPUTE_REF_REF_ELEMENT_H

#include "compute/tensor.h"
#include "compute/weight.h"

static inline float ref_get(Tensor t, int64_t row, int64_t col) {
    const void *at = tensor_at(t, row, col);
    if (t.type == F32)
        return *(const float *)at;
    if (t.type == BF16)
        return bf16_float(*(const uint16_t *)at);
    return t.scale * (float)(*(const uint8_t *)at - t.zero);
}

static inline void ref_put(Tensor t, int64_t row, int64_t col, double value) {
    void *at = tensor_at(t, row, col);
    if (t.type == F32)
        *(float *)at = (float)value;
    else if (t.type == BF16)
        *(uint16_t *)at = bf16_round((float)value);
    else
        *(uint8_t *)at = u8_round((float)value, 1 / t.scale, t.zero);
}

/* The value of a weight in a product with an input of this type. `scale` is the scale of the
 * weight's row. */
static inline double ref_weight(float w, DType type, float scale) {
    if (type == F32)
        return w;
    return type == BF16 ? bf16_float(bf16_round(w)) : scale * (float)weight_round(w, scale);
}

#endif
