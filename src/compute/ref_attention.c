/* Reference attention with relative position bias (method A.2, A.3). */
#include <math.h>

#include "compute/backend.h"

int64_t relpos_index(int64_t grid, int64_t query, int64_t key) {
    int64_t side = 2 * grid - 1;
    if (query == 0)
        return key == 0 ? side * side + 2 : side * side;
    if (key == 0)
        return side * side + 1;
    int64_t rows = (query - 1) / grid - (key - 1) / grid;
    int64_t cols = (query - 1) % grid - (key - 1) % grid;
    return (rows + grid - 1) * side + cols + grid - 1;
}

static void relpos_forward(Backend *be, float *bias, const float *table, int64_t grid,
                           int64_t heads) {
    (void)be;
    int64_t T = grid * grid + 1;
    for (int64_t h = 0; h < heads; h++)
        for (int64_t a = 0; a < T; a++)
            for (int64_t b = 0; b < T; b++)
                bias[(h * T + a) * T + b] = table[relpos_index(grid, a, b) * heads + h];
}

static void relpos_backward(Backend *be, float *dtable, const float *dbias, int64_t grid,
                            int64_t heads) {
    (void)be;
    int64_t T = grid * grid + 1;
    for (int64_t h = 0; h < heads; h++)
        for (int64_t a = 0; a < T; a++)
            for (int64_t b = 0; b < T; b++)
                dtable[relpos_index(grid, a, b) * heads + h] += dbias[(h * T + a) * T + b];
}

/* Row t of image b in a (B T, cols) matrix, starting at a head's first column. */
static float *at(Tensor x, AttentionShape s, int64_t b, int64_t t, int64_t col) {
    return x.data + (b * s.tokens + t) * x.cols + col;
}

/* The logit of query t and key u. */
static double logit(Tensor qkv, const float *bias, AttentionShape s, int64_t b, int64_t h,
                    int64_t t, int64_t u) {
    const float *q = at(qkv, s, b, t, h * s.head_dim);
    const float *k = at(qkv, s, b, u, (s.heads + h) * s.head_dim);
    double sum = 0;
    for (int64_t i = 0; i < s.head_dim; i++)
        sum += (double)q[i] * k[i];
    return sum / sqrt((double)s.head_dim) + bias[(h * s.tokens + t) * s.tokens + u];
}

static void forward_row(Tensor out, float *lse, Tensor qkv, const float *bias, AttentionShape s,
                        int64_t b, int64_t h, int64_t t) {
    double top = -INFINITY, sum = 0;
    for (int64_t u = 0; u < s.tokens; u++)
        top = fmax(top, logit(qkv, bias, s, b, h, t, u));
    for (int64_t u = 0; u < s.tokens; u++)
        sum += exp(logit(qkv, bias, s, b, h, t, u) - top);
    double row_lse = top + log(sum);
    lse[(b * s.heads + h) * s.tokens + t] = (float)row_lse;
    float *o = at(out, s, b, t, h * s.head_dim);
    for (int64_t i = 0; i < s.head_dim; i++) {
        double acc = 0;
        for (int64_t u = 0; u < s.tokens; u++)
            acc += exp(logit(qkv, bias, s, b, h, t, u) - row_lse) *
                   at(qkv, s, b, u, (2 * s.heads + h) * s.head_dim)[i];
        o[i] = (float)acc;
    }
}

static void attention_forward(Backend *be, Tensor out, float *lse, Tensor qkv, const float *bias,
                              AttentionShape s) {
    (void)be;
    for (int64_t b = 0; b < s.images; b++)
        for (int64_t h = 0; h < s.heads; h++)
            for (int64_t t = 0; t < s.tokens; t++)
                forward_row(out, lse, qkv, bias, s, b, h, t);
}

/* dS = P (dP - rowsum(dP P)), and the row sum is dout . out (method B.3). */
static void backward_row(Tensor dqkv, float *dbias, Tensor dout, Tensor out, Tensor qkv,
                         const float *lse, const float *bias, AttentionShape s, int64_t b,
                         int64_t h, int64_t t) {
    int64_t d = s.head_dim, kcol = (s.heads + h) * d, vcol = (2 * s.heads + h) * d;
    double scale = 1 / sqrt((double)d), dot = 0;
    const float *dy = at(dout, s, b, t, h * d), *y = at(out, s, b, t, h * d);
    const float *q = at(qkv, s, b, t, h * d);
    float *dq = at(dqkv, s, b, t, h * d);
    for (int64_t i = 0; i < d; i++)
        dot += (double)dy[i] * y[i];
    for (int64_t u = 0; u < s.tokens; u++) {
        const float *k = at(qkv, s, b, u, kcol), *v = at(qkv, s, b, u, vcol);
        float *dk = at(dqkv, s, b, u, kcol), *dv = at(dqkv, s, b, u, vcol);
        double p = exp(logit(qkv, bias, s, b, h, t, u) - lse[(b * s.heads + h) * s.tokens + t]);
        double dp = 0;
        for (int64_t i = 0; i < d; i++)
            dp += (double)dy[i] * v[i];
        double ds = p * (dp - dot);
        dbias[(h * s.tokens + t) * s.tokens + u] += (float)ds;
        for (int64_t i = 0; i < d; i++) {
            dq[i] += (float)(ds * scale * k[i]);
            dk[i] += (float)(ds * scale * q[i]);
            dv[i] += (float)(p * dy[i]);
        }
    }
}

static void attention_backward(Backend *be, Tensor dqkv, float *dbias, Tensor dout, Tensor out,
                               Tensor qkv, const float *lse, const float *bias, AttentionShape s) {
    be->zero(be, dqkv.data, (size_t)tensor_count(dqkv) * sizeof(float));
    for (int64_t b = 0; b < s.images; b++)
        for (int64_t h = 0; h < s.heads; h++)
            for (int64_t t = 0; t < s.tokens; t++)
                backward_row(dqkv, dbias, dout, out, qkv, lse, bias, s, b, h, t);
}

void ref_attention(Backend *be) {
    be->relpos_forward = relpos_forward;
    be->relpos_backward = relpos_backward;
    be->attention_forward = attention_forward;
    be->attention_backward = attention_backward;
}
