/* Reference attention with relative position bias (method A.2, A.3). */
#include <math.h>

#include "compute/ref/ref.h"
#include "compute/ref/ref_element.h"

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

/* One head of one image: its first row, and the first columns of q, k and v in qkv. q is also the
 * first column in out and dout. */
typedef struct {
    Tensor qkv, out, dout;
    const float *bias; /* (T, T) */
    const float *lse;  /* (T) */
    int64_t tokens, dim, row, q, k, v;
} Head;

static Head head_of(Tensor qkv, const float *bias, const float *lse, AttentionShape s, int64_t b,
                    int64_t h) {
    return (Head){.qkv = qkv,
                  .bias = bias + h * s.tokens * s.tokens,
                  .lse = lse + (b * s.heads + h) * s.tokens,
                  .tokens = s.tokens,
                  .dim = s.head_dim,
                  .row = b * s.tokens,
                  .q = h * s.head_dim,
                  .k = (s.heads + h) * s.head_dim,
                  .v = (2 * s.heads + h) * s.head_dim};
}

/* Dot product of token t in x and token u in y, over the head's columns from x_col and y_col on. */
static double dot(const Head *a, Tensor x, int64_t t, int64_t x_col, Tensor y, int64_t u,
                  int64_t y_col) {
    double sum = 0;
    for (int64_t i = 0; i < a->dim; i++)
        sum += (double)ref_get(x, a->row + t, x_col + i) * ref_get(y, a->row + u, y_col + i);
    return sum;
}

/* The logit of query t and key u. */
static double logit(const Head *a, int64_t t, int64_t u) {
    return dot(a, a->qkv, t, a->q, a->qkv, u, a->k) / sqrt((double)a->dim) +
           a->bias[t * a->tokens + u];
}

static double probability(const Head *a, int64_t t, int64_t u) {
    return exp(logit(a, t, u) - a->lse[t]);
}

/* Gradient of a logit: dS = P (dP - rowsum(dP P)). The row sum is dout . out (method B.3). */
static double dlogit(const Head *a, int64_t t, int64_t u) {
    double dp = dot(a, a->dout, t, a->q, a->qkv, u, a->v);
    return probability(a, t, u) * (dp - dot(a, a->dout, t, a->q, a->out, t, a->q));
}

/* Columns at a time; a probability is computed once for all of them. */
enum { SLICE = 32 };

static int64_t slice_end(const Head *a, int64_t first) {
    return first + SLICE < a->dim ? first + SLICE : a->dim;
}

static double log_sum_exp(const Head *a, int64_t t) {
    double top = -INFINITY, sum = 0;
    for (int64_t u = 0; u < a->tokens; u++)
        top = fmax(top, logit(a, t, u));
    for (int64_t u = 0; u < a->tokens; u++)
        sum += exp(logit(a, t, u) - top);
    return top + log(sum);
}

static void forward_row(Tensor out, const Head *a, int64_t t, double lse) {
    for (int64_t first = 0; first < a->dim; first += SLICE) {
        double sum[SLICE] = {0};
        for (int64_t u = 0; u < a->tokens; u++) {
            double p = exp(logit(a, t, u) - lse);
            for (int64_t i = first; i < slice_end(a, first); i++)
                sum[i - first] += p * ref_get(a->qkv, a->row + u, a->v + i);
        }
        for (int64_t i = first; i < slice_end(a, first); i++)
            ref_put(out, a->row + t, a->q + i, sum[i - first]);
    }
}

static void attention_forward(Backend *be, const AttentionForward *a) {
    (void)be;
    AttentionShape s = a->shape;
    for (int64_t b = 0; b < s.images; b++)
        for (int64_t h = 0; h < s.heads; h++)
            for (int64_t t = 0; t < s.tokens; t++) {
                Head head = head_of(a->qkv, a->bias, a->lse, s, b, h);
                double lse = log_sum_exp(&head, t);
                a->lse[(b * s.heads + h) * s.tokens + t] = (float)lse;
                forward_row(a->out, &head, t, lse);
            }
}

/* Computes row t of dq, dk and dv. Token t is the query of all keys, and also the key and value of
 * all queries. */
static void backward_row(Tensor dqkv, const Head *a, int64_t t) {
    double scale = 1 / sqrt((double)a->dim);
    for (int64_t first = 0; first < a->dim; first += SLICE) {
        double dq[SLICE] = {0}, dk[SLICE] = {0}, dv[SLICE] = {0};
        for (int64_t u = 0; u < a->tokens; u++) {
            double as_query = dlogit(a, t, u) * scale, as_key = dlogit(a, u, t) * scale;
            double p = probability(a, u, t);
            for (int64_t i = first; i < slice_end(a, first); i++) {
                dq[i - first] += as_query * ref_get(a->qkv, a->row + u, a->k + i);
                dk[i - first] += as_key * ref_get(a->qkv, a->row + u, a->q + i);
                dv[i - first] += p * ref_get(a->dout, a->row + u, a->q + i);
            }
        }
        for (int64_t i = first; i < slice_end(a, first); i++) {
            ref_put(dqkv, a->row + t, a->q + i, dq[i - first]);
            ref_put(dqkv, a->row + t, a->k + i, dk[i - first]);
            ref_put(dqkv, a->row + t, a->v + i, dv[i - first]);
        }
    }
}

static void attention_backward(Backend *be, const AttentionBackward *a) {
    (void)be;
    AttentionShape s = a->shape;
    for (int64_t b = 0; b < s.images; b++)
        for (int64_t h = 0; h < s.heads; h++)
            for (int64_t t = 0; t < s.tokens; t++) {
                Head head = head_of(a->qkv, a->bias, a->lse, s, b, h);
                head.out = a->out;
                head.dout = a->dout;
                backward_row(a->dqkv, &head, t);
                for (int64_t u = 0; u < s.tokens; u++)
                    a->dbias[(h * s.tokens + t) * s.tokens + u] += (float)dlogit(&head, t, u);
            }
}

void ref_attention(Backend *be) {
    be->relpos_forward = relpos_forward;
    be->relpos_backward = relpos_backward;
    be->attention_forward = attention_forward;
    be->attention_backward = attention_backward;
}
