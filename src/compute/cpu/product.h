/* A matrix product cut into tasks: out (m, n) = left (m, k) right (k, n). `finish` receives each
 * tile while it is in the first-level cache. */
#ifndef COMPUTE_CPU_PRODUCT_H
#define COMPUTE_CPU_PRODUCT_H

#include "compute/cpu/cpu.h"

typedef struct Product Product;

struct Product {
    DType type;
    int64_t m, n, k;
    /* The left operand: adjacent row-major rows of `left_stride` bytes, or packed tiles if
     * left_stride is 0. */
    const void *left;
    int64_t left_stride;
    /* The right operand: panels. If panels is NULL, `pack` makes `count` of them, starting with
     * panel `first`. */
    const void *panels;
    void (*pack)(const Product *p, const Kernels *kn, void *panels, int64_t first, int64_t count);
    const void *right;
    int64_t right_ld;
    DType right_type;
    /* Receives tile t (row stride nr): rows x cols of the result at (row, col). Runs on any thread,
     * once for each element. */
    void (*finish)(const Product *p, const Kernels *kn, float *t, int64_t row, int64_t col,
                   int rows, int cols);
    const void *context; /* for finish */
    /* finish reads this tensor at the tile's place. It has no data if there is nothing to read. The
     * product prefetches the place while it computes the tile, since the processor does not
     * prefetch rows so far apart. */
    Tensor ahead;
};

/* Rows of the next tile, given `left` remaining rows: `most`, or all that remain. 15 and 16 rows
 * are the exception: after a tile of 14, the one or two last rows would each take two fifths of a
 * tile's time. They become tiles of 8 and 7, and of 8 and 8, which have products of their own
 * (isa_tile.c). */
static inline int tile_rows(int64_t most, int64_t left) {
    int64_t rows = most == 14 && left > 14 && left <= 16 ? 8 : most;
    return (int)(rows < left ? rows : left);
}

/* Runs the product. `scratch` has product_scratch bytes, which nobody else uses meanwhile. */
void product_run(Backend *be, const Product *p, char *scratch);
size_t product_scratch(Backend *be, const Product *p);

/* Values for `pack`. The right operand is the transpose of p->right (product_pack_rows; W^T of a
 * weight W), or p->right itself (product_pack_cols). */
void product_pack_rows(const Product *p, const Kernels *kn, void *panels, int64_t first,
                       int64_t count);
void product_pack_cols(const Product *p, const Kernels *kn, void *panels, int64_t first,
                       int64_t count);

/* Packs x^T (n, k) as left tiles, where x is k rows of n values. sums: see pack_left in
 * kernels.h. */
size_t product_left_bytes(Backend *be, DType type, int64_t n, int64_t k);
void product_pack_left(Backend *be, char *tiles, Tensor x, float *sums);

#endif
