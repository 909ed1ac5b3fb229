/* A matrix product cut into tasks: out (m, n) = left (m, k) right (k, n), each tile handed to
 * `finish` while it is in the first-level cache. */
#ifndef COMPUTE_CPU_PRODUCT_H
#define COMPUTE_CPU_PRODUCT_H

#include "compute/cpu/cpu.h"

typedef struct Product Product;

struct Product {
    DType type;
    int64_t m, n, k;
    /* The left operand: row-major rows, one behind the other, of `left_stride` bytes, or (0) packed
     * tiles. */
    const void *left;
    int64_t left_stride;
    /* The right operand: panels, or `pack` makes `count` of them from the first on. */
    const void *panels;
    void (*pack)(const Product *p, const Kernels *kn, void *panels, int64_t first, int64_t count);
    const void *right;
    int64_t right_ld;
    DType right_type;
    /* Takes tile t (row stride nr), rows x cols of it, at (row, col) of the result. Any thread;
     * each element once. */
    void (*finish)(const Product *p, const Kernels *kn, float *t, int64_t row, int64_t col,
                   int rows, int cols);
    const void *context; /* for finish */
    /* What finish reads at a tile's place, or without data: fetched while the tile is computed,
     * since rows so far apart are not fetched by themselves. */
    Tensor ahead;
};

/* Rows of the next tile where `left` are left: `most`. But a row or two left over by tiles of 14
 * would each take two fifths of a tile's time: 15 and 16 rows are tiles of 8 and 7, and of 8 and 8,
 * which have products of their own (isa_tile.c). */
static inline int tile_rows(int64_t most, int64_t left) {
    int64_t rows = most == 14 && left > 14 && left <= 16 ? 8 : most;
    return (int)(rows < left ? rows : left);
}

/* `scratch` of product_scratch bytes is used by no one else meanwhile. */
void product_run(Backend *be, const Product *p, char *scratch);
size_t product_scratch(Backend *be, const Product *p);

/* `pack`s: the right operand is W^T or W of a weight, or a matrix as it lies. */
void product_pack_rows(const Product *p, const Kernels *kn, void *panels, int64_t first,
                       int64_t count);
void product_pack_cols(const Product *p, const Kernels *kn, void *panels, int64_t first,
                       int64_t count);

/* x^T (n, k) of x, k rows of n values, as packed left tiles; sums as pack_left of kernels.h. */
size_t product_left_bytes(Backend *be, DType type, int64_t n, int64_t k);
void product_pack_left(Backend *be, char *tiles, Tensor x, float *sums);

#endif
