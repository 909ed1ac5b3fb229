/* Loads and stores values of a tensor's type in inner loops. `type` must be a constant after
 * inlining, else the loops do not vectorise. */
#ifndef COMPUTE_CPU_ISA_VALUE_H
#define COMPUTE_CPU_ISA_VALUE_H

#include "compute/cpu/isa.h"

/* F32 or BF16. */
INLINE float isa_load(const void *p, DType type, int64_t i) {
    return type == F32 ? ((const float *)p)[i] : bf16_float(((const uint16_t *)p)[i]);
}

INLINE void isa_store(void *p, DType type, int64_t i, float x) {
    if (type == F32)
        ((float *)p)[i] = x;
    else
        ((uint16_t *)p)[i] = bf16_round(x);
}

/* 1 / the scale of a U8 tensor; 0 for other types. */
INLINE float isa_inverse_scale(Tensor t) {
    return t.type == U8 ? 1 / t.scale : 0;
}

/* Stores any type; `inverse` is isa_inverse_scale(t). */
INLINE void isa_store_as(void *p, Tensor t, DType type, float inverse, int64_t i, float x) {
    if (type == U8)
        ((uint8_t *)p)[i] = u8_round(x, inverse, t.zero);
    else
        isa_store(p, type, i, x);
}

#endif
