/* A matrix of activations in backend memory: row-major, rows are tokens, columns are features. */
#ifndef COMPUTE_TENSOR_H
#define COMPUTE_TENSOR_H

#include <stdint.h>

typedef struct {
    float *data; /* borrowed from a slab */
    int64_t rows, cols;
} Tensor;

static inline int64_t tensor_count(Tensor t) {
    return t.rows * t.cols;
}

#endif
