/* Values of a tensor's type in inner loops; `type` must be a constant once inlined, else the loops
 * do not vectorise. */
#ifndef COMPUTE_ISA_VALUE_H
#define COMPUTE_ISA_VALUE_H

#include "compute/isa.h"

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

#endif
