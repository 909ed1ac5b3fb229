/* The row loops of attention, between its matrix products. They read rows from the products' tiles,
 * side by side, and write rows for the left operand of the next product. They use vectors, since
 * GCC adds up the lanes of a float loop's reduction one by one. */
#include "compute/cpu/isa_groups.h"
#include "compute/cpu/isa_math.h"

INLINE Floats get(const float *p) {
    return *(const Unaligned *)p;
}

INLINE void set(float *p, Floats x) {
    *(Unaligned *)p = x;
}

INLINE Floats all(float x) {
    return x - (Floats){0};
}

INLINE Floats larger(Floats a, Floats b) {
    Words m = (Words)(a > b);
    return (Floats)((m & (Words)a) | (~m & (Words)b));
}

INLINE float sum_lanes(Floats x) {
    float a[LANES];
    memcpy(a, &x, sizeof a);
#pragma GCC unroll 4
    for (int w = LANES / 2; w > 0; w /= 2)
        for (int i = 0; i < w; i++)
            a[i] += a[i + w];
    return a[0];
}

INLINE float largest_lane(Floats x) {
    float a[LANES];
    memcpy(a, &x, sizeof a);
#pragma GCC unroll 4
    for (int w = LANES / 2; w > 0; w /= 2)
        for (int i = 0; i < w; i++)
            a[i] = a[i] > a[i + w] ? a[i] : a[i + w];
    return a[0];
}

INLINE Floats exp_lanes(Floats x) {
    float a[LANES];
    memcpy(a, &x, sizeof a);
#pragma omp simd
    for (int i = 0; i < LANES; i++)
        a[i] = isa_exp(a[i]);
    memcpy(&x, a, sizeof a);
    return x;
}

/* Stores NR values. */
INLINE void put(void *to, DType type, int64_t at, Floats x0, Floats x1) {
    if (type == F32) {
        set((float *)to + at, x0);
        set((float *)to + at + LANES, x1);
        return;
    }
    Words y = isa_round(x0, x1);
    memcpy((uint16_t *)to + at, &y, sizeof y);
}

/* Returns x itself, or a copy of NR floats: x's n values, then `rest`. */
INLINE const float *whole_panel(float *copy, const float *x, int64_t n, float rest) {
    if (n >= NR)
        return x;
    for (int i = 0; i < NR; i++)
        copy[i] = i < n ? x[i] : rest;
    return copy;
}

/* Computes a row of logits in place; returns the largest. */
INLINE float logits(float *s, int64_t tile, float scale, const float *bias, int64_t n) {
    float edge[NR];
    Floats top0 = all(-INFINITY), top1 = top0;
    for (int64_t u = 0; u < n; u += NR, s += tile) {
        const float *b = whole_panel(edge, bias + u, n - u, -INFINITY);
        Floats x0 = get(s) * scale + get(b), x1 = get(s + LANES) * scale + get(b + LANES);
        set(s, x0);
        set(s + LANES, x1);
        top0 = larger(x0, top0);
        top1 = larger(x1, top1);
    }
    return largest_lane(larger(top0, top1));
}

/* Computes exp(s - top) in place; returns the sum. */
INLINE float exponentials(float *s, int64_t tile, float top, int64_t n) {
    Floats sum0 = {0}, sum1 = {0};
    for (int64_t u = 0; u < n; u += NR, s += tile) {
        Floats x0 = exp_lanes(get(s) - top), x1 = exp_lanes(get(s + LANES) - top);
        set(s, x0);
        set(s + LANES, x1);
        sum0 += x0;
        sum1 += x1;
    }
    return sum_lanes(sum0 + sum1);
}

INLINE void softmax_as(void *p, DType type, float *lse, float *s, int64_t tile, float scale,
                       const float *bias, int64_t n, int rows) {
    int64_t wide = (n + NR - 1) / NR * NR;
    float top[MAX_MR], sum[MAX_MR];
    for (int r = 0; r < rows; r++)
        top[r] = logits(s + r * NR, tile, scale, bias + r * n, n);
    for (int r = 0; r < rows; r++)
        sum[r] = exponentials(s + r * NR, tile, top[r], n);
    for (int r = 0; r < rows; r++) {
        float inverse = 1 / sum[r];
        const float *x = s + r * NR;
        for (int64_t u = 0; u < n; u += NR, x += tile)
            put(p, type, r * wide + u, get(x) * inverse, get(x + LANES) * inverse);
        lse[r] = top[r] + logf(sum[r]);
    }
}

static void softmax(void *p, DType type, float *lse, float *s, int64_t tile, float scale,
                    const float *bias, int64_t n, int rows) {
    if (type == F32)
        softmax_as(p, F32, lse, s, tile, scale, bias, n, rows);
    else
        softmax_as(p, BF16, lse, s, tile, scale, bias, n, rows);
}

INLINE void softmax_backward_row(void *p, void *ds, DType type, int64_t at, const float *s,
                                 const float *dp, int64_t tile, float scale, const float *bias,
                                 float lse, float dot, float *dbias, int64_t n) {
    float edge[NR], dedge[NR];
    for (int64_t u = 0; u < n; u += NR, s += tile, dp += tile) {
        const float *b = whole_panel(edge, bias + u, n - u, -INFINITY);
        Floats p0 = exp_lanes(get(s) * scale + (get(b) - lse));
        Floats p1 = exp_lanes(get(s + LANES) * scale + (get(b + LANES) - lse));
        Floats d0 = p0 * (get(dp) - dot), d1 = p1 * (get(dp + LANES) - dot);
        put(p, type, at + u, p0, p1);
        put(ds, type, at + u, d0 * scale, d1 * scale);
        if (n - u >= NR) {
            set(dbias + u, get(dbias + u) + d0);
            set(dbias + u + LANES, get(dbias + u + LANES) + d1);
        } else {
            set(dedge, d0);
            set(dedge + LANES, d1);
            for (int64_t i = u; i < n; i++)
                dbias[i] += dedge[i - u];
        }
    }
}

static void softmax_backward(void *p, void *ds, DType type, const float *s, const float *dp,
                             int64_t tile, float scale, const float *bias, const float *lse,
                             const float *dots, float *dbias, int64_t n, int rows) {
    int64_t wide = (n + NR - 1) / NR * NR;
    for (int r = 0; r < rows; r++, s += NR, dp += NR, bias += n, dbias += n)
        if (type == F32)
            softmax_backward_row(p, ds, F32, r * wide, s, dp, tile, scale, bias, lse[r], dots[r],
                                 dbias, n);
        else
            softmax_backward_row(p, ds, BF16, r * wide, s, dp, tile, scale, bias, lse[r], dots[r],
                                 dbias, n);
}

INLINE Floats floats_of(const uint16_t *p) {
    typedef uint16_t Halves __attribute__((vector_size(VECTOR / 2)));
    Halves h;
    memcpy(&h, p, sizeof h);
    return (Floats)(__builtin_convertvector(h, Words) << 16);
}

static float dot(const void *a, const void *b, DType type, int64_t n) {
    const float *fa = a, *fb = b;
    const uint16_t *ha = a, *hb = b;
    Floats lanes = {0};
    int64_t i = 0;
    if (type == F32)
        for (; i + LANES <= n; i += LANES)
            lanes += get(fa + i) * get(fb + i);
    else
        for (; i + LANES <= n; i += LANES)
            lanes += floats_of(ha + i) * floats_of(hb + i);
    float sum = sum_lanes(lanes);
    for (; i < n; i++)
        sum += type == F32 ? fa[i] * fb[i] : bf16_float(ha[i]) * bf16_float(hb[i]);
    return sum;
}

void ISA(isa_attention)(Kernels *kn) {
    kn->softmax = softmax;
    kn->softmax_backward = softmax_backward;
    kn->dot = dot;
}
