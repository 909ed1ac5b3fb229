/* The inner loops. They are compiled once for each level of instruction sets (isa_*.c), and one
 * level is chosen when a backend is opened. They are plain functions over rows and tiles; each runs
 * on one thread and allocates no memory.
 *
 * Matrix products run over groups. A group is 32 bits along the inner dimension k: one f32, two
 * bf16 or four bytes. Without an instruction for bytes it is two bytes as 16-bit integers. The
 * right operand is packed into panels of `nr` columns: group after group, each nr times 32 bits.
 * The left operand is row-major and read in place (bytes as 16-bit integers are a copy), or packed
 * into tiles of `mr` rows: group after group, each mr times 32 bits (AMX has its own layout,
 * isa_amx.c). A product makes a tile of mr x nr floats (int32 for bytes), row-major with row stride
 * nr. Zeros pad the operands beyond the matrix.
 *
 * Operands need only the alignment of their elements. Scratch is aligned to 64 bytes, a tile result
 * to the size of one of its rows. No function reads or writes outside its arguments, unless its
 * comment says so. */
#ifndef COMPUTE_CPU_KERNELS_H
#define COMPUTE_CPU_KERNELS_H

#include <stdbool.h>
#include <string.h>

#include "compute/backend.h"

enum { TYPES = 3, MAX_MR = 32, MAX_NR = 32, FETCHED = 16 };

typedef struct {
    float beta1, rest1, beta2, rest2; /* rest: 1 - beta, from doubles, as floats cancel */
    float grad_scale, keep, rate, eps, root;
} AdamStep;

typedef struct {
    const char *name;
    int nr;
    int mr[TYPES];
    int group[TYPES]; /* values in a group */
    int unit[TYPES];  /* groups of an operand's row: a multiple of this, padded with zeros */
    int chunk[TYPES]; /* most groups at a time in a product of few rows (product.c) */
    bool fast_bf16;   /* are there instructions for bf16 products? */

    /* ---- isa_tile.c. Products by type. `rows` is in [1, mr]; a_bytes is the left operand's row
     * stride. `add`: the product is added to out, else written. With each group, FETCHED bytes are
     * prefetched from `next` (NULL: none) into the second-level cache. tile_packed exists for F32
     * and BF16 and writes mr rows. */
    void (*tile[TYPES])(float *out, const void *a, int64_t a_bytes, const void *panel,
                        int64_t groups, int rows, bool add, const char *next);
    void (*tile_packed[TYPES])(float *out, const void *a, const void *panel, int64_t groups);

    /* ---- isa_pack.c. These leave the padding of the last unit to panels_pad (below). pack_rows
     * packs n (<= nr) rows of k values, with row stride ld, as the columns of one panel. If `from`
     * is F32, x is f32 (a weight); else x has the panel's own type. pack_bytes does so for U8:
     * `scales` are the rows' scales (weight.h), and sums[row] gets the sum of the row's bytes. */
    void (*pack_rows)(void *panel, DType type, const void *x, DType from, int64_t ld, int64_t n,
                      int64_t k);
    void (*pack_bytes)(void *panel, const float *x, int64_t ld, int64_t n, int64_t k,
                       const float *scales, int32_t *sums);
    /* x is k rows of n values. Packs its columns as the columns of panels, `stride` bytes apart.
     * F32 and BF16. */
    void (*pack_cols)(void *panels, int64_t stride, DType type, const void *x, DType from,
                      int64_t ld, int64_t n, int64_t k);
    /* By type, F32 and BF16. x is k rows of n values. Packs x^T as left tiles; tile i is at tiles +
     * i * tile_bytes (left_bytes below). If sums is not NULL, sums[col] += the column's sum, in
     * parts. */
    void (*pack_left[TYPES])(void *tiles, int64_t tile_bytes, const void *x, int64_t ld, int64_t n,
                             int64_t k, float *sums);

    /* ---- isa_linear.c. Finishing of `rows` x `cols` (<= nr) of a tile. t has row stride nr, the
     * others ld. A void pointer is F32 or BF16. */
    void (*scale_bytes)(float *t, const int32_t *sums, const float *scales, float scale,
                        int32_t zero, int rows, int cols); /* int32 to float, in place */
    void (*put)(Tensor out, void *out_at, const float *bias, const float *t, int rows,
                int cols); /* bias may be NULL; out may be U8 */
    void (*put_gelu)(Tensor out, void *out_at, void *pre, DType pre_type, const float *bias,
                     const float *t, int rows, int cols); /* pre may be NULL; out may be U8 */
    /* One row: branch = t + bias (a NULL branch is not written), out = x + factor * gamma * branch.
     * The factor is `scale` if the element's bit in `kept` is set (NULL: all are), else 0. */
    void (*put_residual)(float *out, const float *x, void *branch, DType type, const float *bias,
                         const float *gamma, const uint8_t *kept, float scale, const float *t,
                         int cols);
    /* out = t * GELU'(pre) */
    void (*put_dgelu)(void *out, const void *pre, const float *t, DType type, int64_t ld, int rows,
                      int cols);
    /* Sets one bit for each of the elements first .. first + n - 1 of a matrix: 1 if dropout keeps
     * it. first and n are multiples of NOISE_LANES, so that they begin and end at a byte. */
    void (*draw_kept)(uint8_t *kept, const Noise *noise, int64_t first, int64_t n);
    /* One row: through = dx * factor (as in put_residual), dgamma += through * branch, dbranch =
     * through * gamma. */
    void (*residual_backward)(void *dbranch, float *dgamma, const float *dx, const void *branch,
                              DType type, const float *gamma, const uint8_t *kept, float scale,
                              int64_t cols);

    /* ---- isa_norm.c. Each call takes one row. */
    void (*layernorm)(Tensor out, void *out_at, float *mean, float *rstd, const float *x,
                      const float *w, const float *b, int64_t cols);
    void (*layernorm_backward)(float *dx, float *dw, float *db, const void *dout, DType type,
                               const float *x, float mean, float rstd, const float *w,
                               int64_t cols);

    /* ---- isa_attention.c. `rows` (<= mr) rows of logits scale * s + bias. s and dp lie in tiles
     * side by side: a row has nr values in a tile, and its next nr values are `tile` floats (mr *
     * nr) further. bias and dbias have row stride n. p and ds (F32 or BF16) have rows of n values,
     * padded with zeros to whole panels.
     *
     * Computes the probabilities p, and the log-sum-exp of each row. Overwrites s. */
    void (*softmax)(void *p, DType type, float *lse, float *s, int64_t tile, float scale,
                    const float *bias, int64_t n, int rows);
    /* Computes p again from the log-sum-exp. dp is the gradient of p, and `dots` has the product of
     * dp and p for each row. Adds p (dp - dot) to dbias, and writes scale times that to ds. */
    void (*softmax_backward)(void *p, void *ds, DType type, const float *s, const float *dp,
                             int64_t tile, float scale, const float *bias, const float *lse,
                             const float *dots, float *dbias, int64_t n, int rows);
    float (*dot)(const void *a, const void *b, DType type, int64_t n);

    /* ---- isa_values.c. */
    void (*round)(void *out, DType type, const float *x, int64_t n); /* F32 or BF16 */
    void (*widen)(float *out, const void *x, DType type, int64_t n);
    void (*add)(float *sum, const float *x, int64_t n);
    void (*drop)(float *out, const void *x, DType type, const Noise *noise, int64_t first,
                 int64_t n); /* x with dropout; first, n: as draw_kept's */
    double (*squares)(const float *x, int64_t n);
    void (*adamw)(float *p, const float *g, float *m, float *v, int64_t n, AdamStep s);
    /* Returns the sum of |p - t|; d = `weight` times its derivative by p. */
    double (*distance)(float *d, const float *p, const float *t, float weight, int64_t n);
    /* One channel plane (n x n) of the image loss: loss[0] = squares, loss[1] = differences. Writes
     * the gradient to d, which may be NULL. line is scratch of 3 n floats. */
    void (*plane_loss)(double loss[2], float *d, const float *p, const float *t,
                       float square_weight, float gd_weight, float *line, int64_t n);

    /* ---- isa_flow.c, isa_refine.c. lucas_kanade writes a first flow to a->u and a->v, and refine
     * improves it. scratch: see cpu_flow.c. */
    void (*lucas_kanade)(const Flow *a, float *scratch);
    void (*refine)(const Flow *a, float *scratch);
} Kernels;

/* Fills the table with the best level that this processor has, not above `cap` ("plain", "avx2",
 * "avx2_vnni", "avx512", "avx512_vnni", "avx512_bf16", "amx"; NULL: no cap). Returns -1 if the name
 * is unknown. */
int kernels_choose(Kernels *kn, const char *cap);

/* A plane of flow in scratch has this many floats before and behind it (isa_plane.h), and takes
 * flow_plane of them in all: whole cache lines. */
static inline int64_t flow_pad(int64_t width) {
    return (width + 31) / 16 * 16;
}

static inline int64_t flow_plane(int64_t width, int64_t height) {
    return (width * height + 15) / 16 * 16 + 2 * flow_pad(width);
}

/* The pixels of a plane with x + y even, or odd, row by row. Rows have this many floats; behind
 * each is room for a whole vector. There is a row before the first and behind the last. */
static inline int64_t flow_half_row(int64_t width) {
    return ((width + 1) / 2 + 2 * 16 + 15) / 16 * 16;
}

static inline int64_t flow_half(int64_t width, int64_t height) {
    return flow_half_row(width) * (height + 2);
}

/* Groups of a row of k values, rounded up to whole units. */
static inline int64_t group_count(const Kernels *kn, DType type, int64_t k) {
    int64_t values = kn->group[type] * kn->unit[type];
    return (k + values - 1) / values * kn->unit[type];
}

static inline int64_t panel_bytes(const Kernels *kn, DType type, int64_t k) {
    return group_count(kn, type, k) * kn->nr * 4;
}

/* Zeroes the padding groups after k's last group in each of `count` adjacent panels. */
static inline void panels_pad(const Kernels *kn, void *panels, int64_t count, DType type,
                              int64_t k) {
    int64_t size = kn->group[type], used = (k + size - 1) / size * kn->nr * 4;
    int64_t bytes = panel_bytes(kn, type, k);
    for (int64_t i = 0; i < count; i++)
        memset((char *)panels + i * bytes + used, 0, (size_t)(bytes - used));
}

/* Bytes of one left tile. The packing may write up to a vector beyond its last group. */
static inline int64_t left_bytes(const Kernels *kn, DType type, int64_t k) {
    return (group_count(kn, type, k) * kn->mr[type] + 16) * 4;
}

#endif
