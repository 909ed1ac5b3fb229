/* The inner loops, compiled once for each level of instruction sets (isa_*.c) and chosen when a
 * backend is opened. Plain functions over rows and tiles, each on one thread; no memory is taken.
 *
 * Matrix products run over groups: 32 bits along the inner dimension k, which hold one f32, two
 * bf16 or four bytes; without an instruction for bytes, two of them as 16-bit integers. The right
 * operand is packed into panels of `nr` columns: group after group, nr times 32 bits. The left
 * operand is row-major as it lies in memory (bytes in such integers are a copy), or packed into
 * tiles of `mr` rows: group after group, mr times 32 bits (AMX has its own way, isa_amx.c). A
 * product makes a tile of mr x nr floats (int32 for bytes), row-major with row stride nr; what is
 * beyond the matrix is padded with zeros.
 *
 * All operands may lie at multiples of their own size; scratch at 64 bytes, tile results at those
 * of a row of theirs. No function reads or writes outside what it is given, unless it says so. */
#ifndef COMPUTE_CPU_KERNELS_H
#define COMPUTE_CPU_KERNELS_H

#include <stdbool.h>
#include <string.h>

#include "compute/noise.h"
#include "compute/tensor.h"

enum { TYPES = 3, MAX_MR = 32, MAX_NR = 32, FETCHED = 16 };

typedef struct {
    float beta1, rest1, beta2, rest2; /* rest: 1 - beta, which float would cancel */
    float grad_scale, keep, rate, eps, root;
} AdamStep;

typedef struct {
    const char *name;
    int nr;
    int mr[TYPES];
    int group[TYPES]; /* values in a group */
    int unit[TYPES];  /* a row of an operand is a multiple of so many groups, zeros at its end */
    int chunk[TYPES]; /* most groups at a time where few rows are multiplied (product.c) */
    bool fast_bf16;   /* are there instructions for bf16 products? */

    /* ---- isa_tile.c. Products by type; `rows` in [1, mr], a_bytes is the left operand's row
     * stride; `add`ed to what out holds, or written. With each group FETCHED bytes from `next` on
     * (NULL: none) are fetched into the second-level cache. The packed one, of F32 and BF16, writes
     * mr rows. */
    void (*tile[TYPES])(float *out, const void *a, int64_t a_bytes, const void *panel,
                        int64_t groups, int rows, bool add, const char *next);
    void (*tile_packed[TYPES])(float *out, const void *a, const void *panel, int64_t groups);

    /* ---- isa_pack.c. What fills the last unit is panels_pad's (below). x is n (<= nr) rows of k
     * values with row stride ld: a panel whose columns are those rows. x is f32 (a weight) where
     * `from` is F32, or has the panel's own type. U8: `scales` gives the rows' (weight.h), and
     * sums[row] gets the sum of its bytes. */
    void (*pack_rows)(void *panel, DType type, const void *x, DType from, int64_t ld, int64_t n,
                      int64_t k);
    void (*pack_bytes)(void *panel, const float *x, int64_t ld, int64_t n, int64_t k,
                       const float *scales, int32_t *sums);
    /* x is k rows of n values: panels whose columns are x's, `stride` bytes apart. F32 and BF16. */
    void (*pack_cols)(void *panels, int64_t stride, DType type, const void *x, DType from,
                      int64_t ld, int64_t n, int64_t k);
    /* By type, F32 and BF16: x is k rows of n values: left tiles of x^T, tile i at tiles +
     * i * tile_bytes (left_bytes below). sums[col] += the column's sum, in parts, where sums is not
     * NULL. */
    void (*pack_left[TYPES])(void *tiles, int64_t tile_bytes, const void *x, int64_t ld, int64_t n,
                             int64_t k, float *sums);

    /* ---- isa_linear.c. What becomes of `rows` x `cols` (<= nr) of a tile; t has row stride nr,
     * the others ld. Types F32 or BF16 where void. */
    void (*scale_bytes)(float *t, const int32_t *sums, const float *scales, float scale,
                        int32_t zero, int rows, int cols); /* int32 to float, in place */
    void (*put)(Tensor out, void *out_at, const float *bias, const float *t, int rows,
                int cols); /* bias may be NULL; out may be U8 */
    void (*put_gelu)(Tensor out, void *out_at, void *pre, DType pre_type, const float *bias,
                     const float *t, int rows, int cols); /* pre may be NULL; out may be U8 */
    /* One row: branch = t + bias (NULL: not wanted), out = x + factor * gamma * branch, the factor
     * being `scale` where the element's bit in `kept` is set (NULL: everywhere), else 0. */
    void (*put_residual)(float *out, const float *x, void *branch, DType type, const float *bias,
                         const float *gamma, const uint8_t *kept, float scale, const float *t,
                         int cols);
    /* out = t * GELU'(pre) */
    void (*put_dgelu)(void *out, const void *pre, const float *t, DType type, int64_t ld, int rows,
                      int cols);
    /* A bit for each of the elements first .. first + n - 1 of a matrix, set where dropout keeps
     * it; multiples of NOISE_LANES, which is a byte. */
    void (*draw_kept)(uint8_t *kept, const Noise *noise, int64_t first, int64_t n);
    /* One row: through = dx * factor (as in put_residual), dgamma += through * branch, dbranch =
     * through * gamma. */
    void (*residual_backward)(void *dbranch, float *dgamma, const float *dx, const void *branch,
                              DType type, const float *gamma, const uint8_t *kept, float scale,
                              int64_t cols);

    /* ---- isa_norm.c. One row each. */
    void (*layernorm)(Tensor out, void *out_at, float *mean, float *rstd, const float *x,
                      const float *w, const float *b, int64_t cols);
    void (*layernorm_backward)(float *dx, float *dw, float *db, const void *dout, DType type,
                               const float *x, float mean, float rstd, const float *w,
                               int64_t cols);

    /* ---- isa_attention.c. `rows` (<= mr) rows of logits scale * s + bias, where s (and dp) lie in
     * tiles side by side: nr values of a row, those after them `tile` floats (mr * nr) further.
     * bias and dbias have row stride n; p and ds (F32 or BF16) are n up to whole panels wide, zero
     * beyond n.
     *
     * Their probabilities, and the log-sum-exp of each row; s is overwritten. */
    void (*softmax)(void *p, DType type, float *lse, float *s, int64_t tile, float scale,
                    const float *bias, int64_t n, int rows);
    /* The same probabilities from the log-sum-exp. dp is their gradient, dots its product with
     * them: p (dp - dot) is added to dbias and goes, times scale, to ds. */
    void (*softmax_backward)(void *p, void *ds, DType type, const float *s, const float *dp,
                             int64_t tile, float scale, const float *bias, const float *lse,
                             const float *dots, float *dbias, int64_t n, int rows);
    float (*dot)(const void *a, const void *b, DType type, int64_t n);

    /* ---- isa_values.c. */
    void (*round)(void *out, DType type, const float *x, int64_t n); /* F32 or BF16 */
    void (*widen)(float *out, const void *x, DType type, int64_t n);
    void (*add)(float *sum, const float *x, int64_t n);
    void (*drop)(float *out, const void *x, DType type, const Noise *noise, int64_t first,
                 int64_t n); /* x with dropout; first and n as in `factors` */
    double (*squares)(const float *x, int64_t n);
    void (*adamw)(float *p, const float *g, float *m, float *v, int64_t n, AdamStep s);
    /* The sum of |p - t|; d is `weight` times its derivative by p. */
    double (*distance)(float *d, const float *p, const float *t, float weight, int64_t n);
    /* One channel plane of the image loss (n x n): loss[0] squares, loss[1] differences; d (may be
     * NULL) is written; line is scratch of 3 n floats. */
    void (*plane_loss)(double loss[2], float *d, const float *p, const float *t,
                       float square_weight, float gd_weight, float *line, int64_t n);
} Kernels;

/* Fills the table with the best level this processor has, not above `cap` ("plain", "avx2",
 * "avx2_vnni", "avx512", "avx512_vnni", "avx512_bf16", "amx"; NULL: no cap). -1 where the name is
 * unknown.
 */
int kernels_choose(Kernels *kn, const char *cap);

/* Groups of a row of k values, whole units. */
static inline int64_t group_count(const Kernels *kn, DType type, int64_t k) {
    int64_t values = kn->group[type] * kn->unit[type];
    return (k + values - 1) / values * kn->unit[type];
}

static inline int64_t panel_bytes(const Kernels *kn, DType type, int64_t k) {
    return group_count(kn, type, k) * kn->nr * 4;
}

/* Zeros in the groups of panels, one behind the other, that follow k's last. */
static inline void panels_pad(const Kernels *kn, void *panels, int64_t count, DType type,
                              int64_t k) {
    int64_t size = kn->group[type], used = (k + size - 1) / size * kn->nr * 4;
    int64_t bytes = panel_bytes(kn, type, k);
    for (int64_t i = 0; i < count; i++)
        memset((char *)panels + i * bytes + used, 0, (size_t)(bytes - used));
}

/* Of one left tile; the packing may write up to a vector beyond its last group. */
static inline int64_t left_bytes(const Kernels *kn, DType type, int64_t k) {
    return (group_count(kn, type, k) * kn->mr[type] + 16) * 4;
}

#endif
