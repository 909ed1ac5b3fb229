/* Attention: one task an (image, head); the logits of a task stay in its cache. */
#include <math.h>
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#include "compute/cpu.h"

/* One head's matrices inside (B T, cols) activations. */
typedef struct {
    int64_t b, h;
    float *q, *k, *v; /* (T, d), row stride 3 D */
} Head;

static Head head_of(Tensor qkv, AttentionShape s, int64_t task) {
    int64_t b = task / s.heads, h = task % s.heads, D = s.heads * s.head_dim;
    float *q = qkv.data + b * s.tokens * qkv.cols + h * s.head_dim;
    return (Head){b, h, q, q + D, q + 2 * D};
}

/* False where it failed. Inside a parallel region oneDNN runs on the calling thread; a team of one
 * is no such region, so the callers set the number of threads as well. */
static bool product(char ta, char tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                    int64_t lda, const float *b, int64_t ldb, float *c, int64_t ldc) {
    return dnnl_sgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, 0, c, ldc) == dnnl_success;
}

static void fail(Backend *be, AttentionShape s) {
    backend_fail(be, "oneDNN matrix product failed in attention of %lld tokens, %lld a head",
                 (long long)s.tokens, (long long)s.head_dim);
}

CPU_CLONES
static float softmax_row(float *restrict s, const float *restrict bias, int64_t n) {
    float top = -INFINITY, sum = 0;
#pragma omp simd reduction(max : top)
    for (int64_t u = 0; u < n; u++) {
        s[u] += bias[u];
        top = s[u] > top ? s[u] : top;
    }
#pragma omp simd reduction(+ : sum)
    for (int64_t u = 0; u < n; u++) {
        s[u] = cpu_exp(s[u] - top);
        sum += s[u];
    }
    float inverse = 1 / sum;
    for (int64_t u = 0; u < n; u++)
        s[u] *= inverse;
    return top + logf(sum);
}

CPU_CLONES
static void probabilities_row(float *restrict s, const float *restrict bias, float lse, int64_t n) {
    for (int64_t u = 0; u < n; u++)
        s[u] = cpu_exp(s[u] + bias[u] - lse);
}

/* dp becomes dS = P (dP - dot), added to the bias gradient too. */
CPU_CLONES
static void logit_gradient_row(float *restrict dp, const float *restrict p, float *restrict dbias,
                               const float *restrict dy, const float *restrict y, int64_t d,
                               int64_t n) {
    float dot = 0;
#pragma omp simd reduction(+ : dot)
    for (int64_t i = 0; i < d; i++)
        dot += dy[i] * y[i];
    for (int64_t u = 0; u < n; u++) {
        dp[u] = p[u] * (dp[u] - dot);
        dbias[u] += dp[u];
    }
}

static void attention_forward(Backend *be, Tensor out, float *lse, Tensor qkv, const float *bias,
                              AttentionShape s) {
    int64_t T = s.tokens, d = s.head_dim, row = qkv.cols;
    float scale = 1 / sqrtf((float)d);
    float *scratch = cpu_scratch(be, be->threads * T * T);
    if (!scratch)
        return;
    bool ok = true;
    omp_set_num_threads(be->threads);
#pragma omp parallel for schedule(static) num_threads(be->threads) reduction(&& : ok)
    for (int64_t task = 0; task < s.images * s.heads; task++) {
        Head h = head_of(qkv, s, task);
        float *S = scratch + omp_get_thread_num() * T * T;
        ok &= product('N', 'T', T, T, d, scale, h.q, row, h.k, row, S, T);
        for (int64_t t = 0; t < T; t++)
            lse[task * T + t] = softmax_row(S + t * T, bias + (h.h * T + t) * T, T);
        ok &= product('N', 'N', T, d, T, 1, S, T, h.v, row, out.data + h.b * T * out.cols + h.h * d,
                      out.cols);
    }
    if (!ok)
        fail(be, s);
}

static bool backward_head(Tensor dqkv, float *dbias, Tensor dout, Tensor out, Tensor qkv,
                          const float *lse, const float *bias, AttentionShape s, int64_t task,
                          float *P, float *dS) {
    int64_t T = s.tokens, d = s.head_dim, row = qkv.cols;
    float scale = 1 / sqrtf((float)d);
    Head h = head_of(qkv, s, task), g = head_of(dqkv, s, task);
    const float *dy = dout.data + h.b * T * dout.cols + h.h * d;
    const float *y = out.data + h.b * T * out.cols + h.h * d;
    bool ok = product('N', 'T', T, T, d, scale, h.q, row, h.k, row, P, T);
    ok &= product('N', 'T', T, T, d, 1, dy, dout.cols, h.v, row, dS, T);
    for (int64_t t = 0; t < T; t++) {
        probabilities_row(P + t * T, bias + (h.h * T + t) * T, lse[task * T + t], T);
        logit_gradient_row(dS + t * T, P + t * T, dbias + (h.h * T + t) * T, dy + t * dout.cols,
                           y + t * out.cols, d, T);
    }
    ok &= product('N', 'N', T, d, T, scale, dS, T, h.k, row, g.q, row);
    ok &= product('T', 'N', T, d, T, scale, dS, T, h.q, row, g.k, row);
    return ok && product('T', 'N', T, d, T, 1, P, T, dy, dout.cols, g.v, row);
}

static void attention_backward(Backend *be, Tensor dqkv, float *dbias, Tensor dout, Tensor out,
                               Tensor qkv, const float *lse, const float *bias, AttentionShape s) {
    int64_t T = s.tokens, square = T * T, all = s.heads * square, n = be->threads;
    float *scratch = cpu_scratch(be, n * (2 * square + all));
    if (!scratch)
        return;
    omp_set_num_threads(be->threads);
    float *part = scratch + n * 2 * square; /* each thread's bias gradient */
    memset(part, 0, (size_t)(n * all) * sizeof(float));
    bool ok = true;
#pragma omp parallel for schedule(static) num_threads(be->threads) reduction(&& : ok)
    for (int64_t task = 0; task < s.images * s.heads; task++) {
        int64_t thread = omp_get_thread_num();
        float *P = scratch + thread * 2 * square;
        ok &= backward_head(dqkv, part + thread * all, dout, out, qkv, lse, bias, s, task, P,
                            P + square);
    }
    if (!ok)
        fail(be, s);
    for (int64_t thread = 0; thread < n; thread++) /* fixed order: the sum is reproducible */
#pragma omp parallel for num_threads(be->threads)
        for (int64_t i = 0; i < all; i++)
            dbias[i] += part[thread * all + i];
}

void cpu_attention(Backend *be) {
    be->attention_forward = attention_forward;
    be->attention_backward = attention_backward;
}
