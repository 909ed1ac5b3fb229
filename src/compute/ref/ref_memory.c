/* Reference of the memories of MemAE and MNAD (method E). */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "compute/ref/ref.h"
#include "compute/ref/ref_element.h"

/* The factor that turns a row into its query. */
static double query_scale(Tensor in, int64_t r, const Memory *m) {
    double squares = 0;
    for (int64_t c = 0; c < in.cols; c++)
        squares += (double)ref_get(in, r, c) * ref_get(in, r, c);
    return m->kind == MEMORY_MNAD ? 1 / fmax(sqrt(squares), 1e-12) : 1;
}

static double dot(Tensor x, int64_t r, const float *item) {
    double sum = 0;
    for (int64_t c = 0; c < x.cols; c++)
        sum += ref_get(x, r, c) * ref_weight(item[c], x.type, 0);
    return sum;
}

static bool is_cls(int64_t r, const Memory *m) {
    return r % m->tokens == 0;
}

/* ---- forward. */

/* The probability of item i for a row is exp(logit - top) / sum. */
typedef struct {
    double scale, top, sum;
} Softmax;

static double logit(Softmax s, Tensor in, int64_t r, const float *items, int64_t i) {
    return s.scale * dot(in, r, items + i * in.cols);
}

static Softmax softmax_of(Tensor in, int64_t r, const float *items, const Memory *m) {
    Softmax s = {query_scale(in, r, m), -INFINITY, 0};
    for (int64_t i = 0; i < m->count; i++)
        s.top = fmax(s.top, logit(s, in, r, items, i));
    for (int64_t i = 0; i < m->count; i++)
        s.sum += exp(logit(s, in, r, items, i) - s.top);
    return s;
}

/* MemAE writes relu(p - shrink) p / (|p - shrink| + 1e-12), which is p or 0. */
static double above_shrink(Softmax s, Tensor in, int64_t r, const float *items, int64_t i,
                           const Memory *m) {
    double p = exp(logit(s, in, r, items, i) - s.top) / s.sum;
    return p <= m->shrink ? 0 : p; /* a NaN stays a NaN */
}

static void memory_forward(Backend *be, Tensor out, Tensor w, Tensor in, const float *items,
                           const Memory *m) {
    (void)be;
    int64_t D = in.cols, queries = m->kind == MEMORY_MNAD ? D : 0;
    for (int64_t r = 0; r < in.rows; r++) {
        Softmax s = softmax_of(in, r, items, m);
        double kept = 0;
        for (int64_t i = 0; i < m->count; i++)
            kept += above_shrink(s, in, r, items, i, m);
        for (int64_t i = 0; i < m->count; i++)
            ref_put(w, r, i, kept == 0 ? 0 : above_shrink(s, in, r, items, i, m) / kept);
        for (int64_t c = 0; c < queries; c++)
            ref_put(out, r, c, ref_get(in, r, c) * s.scale);
        for (int64_t c = 0; c < D; c++) {
            double sum = 0;
            for (int64_t i = 0; i < m->count; i++)
                sum += ref_get(w, r, i) * ref_weight(items[i * D + c], w.type, 0);
            ref_put(out, r, queries + c, sum);
        }
    }
}

/* ---- MNAD's losses. */

typedef struct {
    int64_t nearest, second;
} Nearest;

static Nearest nearest_items(Tensor in, int64_t r, const float *items, const Memory *m) {
    Nearest n = {-1, -1};
    double best = -INFINITY, next = -INFINITY;
    for (int64_t i = 0; i < m->count; i++) {
        double d = dot(in, r, items + i * in.cols);
        if (d > best) {
            n.second = n.nearest;
            next = best;
            n.nearest = i;
            best = d;
        } else if (d > next) {
            n.second = i;
            next = d;
        }
    }
    return n;
}

/* PyTorch's triplet loss adds this to every difference. */
static const double epsilon = 1e-6;

static double distance(Tensor in, int64_t r, double scale, const float *item, double eps) {
    double squares = 0;
    for (int64_t c = 0; c < in.cols; c++)
        squares += pow(ref_get(in, r, c) * scale - item[c] + eps, 2);
    return sqrt(squares);
}

/* ---- backward. */

static double dloss_dw(Tensor w, int64_t r, int64_t i, const Memory *m) {
    double x = ref_get(w, r, i);
    return is_cls(r, m) ? 0 : -m->weight[0] * (log(x + 1e-12) + x / (x + 1e-12));
}

/* w is a softmax over the items that are not left out, so the gradient of a logit is w (dw - sum of
 * w dw). */
static double dlogit(Tensor dout, Tensor w, int64_t r, const float *items, int64_t i, double mean,
                     const Memory *m) {
    double dw = dot(dout, r, items + i * dout.cols) + dloss_dw(w, r, i, m);
    return ref_get(w, r, i) * (dw - mean);
}

static void memae_backward(Tensor din, float *ditems, Tensor dout, Tensor w, Tensor in,
                           const float *items, const Memory *m) {
    int64_t D = in.cols;
    for (int64_t r = 0; r < in.rows; r++) {
        double mean = 0;
        for (int64_t i = 0; i < m->count; i++)
            mean += dlogit(dout, w, r, items, i, 0, m);
        enum { SLICE = 64 }; /* columns at a time */
        for (int64_t first = 0; first < D; first += SLICE) {
            int64_t n = D - first < SLICE ? D - first : SLICE;
            double sum[SLICE] = {0};
            for (int64_t i = 0; i < m->count; i++) {
                double d = dlogit(dout, w, r, items, i, mean, m);
                for (int64_t c = first; c < first + n; c++) {
                    sum[c - first] += d * ref_weight(items[i * D + c], in.type, 0);
                    ditems[i * D + c] += (float)(d * ref_get(in, r, c) +
                                                 (double)ref_get(w, r, i) * ref_get(dout, r, c));
                }
            }
            for (int64_t c = first; c < first + n; c++)
                ref_put(din, r, c, sum[c - first]);
        }
    }
}

typedef struct {
    int64_t row;
    double scale, near, far; /* distances; 0: no part in the separateness loss */
    Nearest items;
} Query;

static Query query_of(Tensor in, int64_t r, const float *items, const Memory *m) {
    Query q = {.row = r, .scale = query_scale(in, r, m), .items = nearest_items(in, r, items, m)};
    q.near = distance(in, r, q.scale, items + q.items.nearest * in.cols, epsilon);
    q.far = distance(in, r, q.scale, items + q.items.second * in.cols, epsilon);
    return q;
}

/* The gradient of a query's column c: from dout, plus that of the losses. */
static double dquery(const Query *q, Tensor dout, Tensor in, const float *items, int64_t c,
                     const Memory *m) {
    double d = ref_get(dout, q->row, c), x = ref_get(in, q->row, c) * q->scale;
    double near = x - items[q->items.nearest * in.cols + c],
           far = x - items[q->items.second * in.cols + c];
    if (is_cls(q->row, m))
        return d;
    d += m->weight[0] * 2 * near;
    if (q->near - q->far + 1 > 0)
        d += m->weight[1] * ((near + epsilon) / q->near - (far + epsilon) / q->far);
    return d;
}

static void mnad_backward(Tensor din, Tensor dout, Tensor in, const float *items, const Memory *m) {
    for (int64_t r = 0; r < in.rows; r++) {
        Query q = query_of(in, r, items, m);
        double along = 0;
        for (int64_t c = 0; c < in.cols; c++)
            along += ref_get(in, r, c) * q.scale * dquery(&q, dout, in, items, c, m);
        for (int64_t c = 0; c < in.cols; c++) {
            double d = dquery(&q, dout, in, items, c, m);
            ref_put(din, r, c, (d - ref_get(in, r, c) * q.scale * along) * q.scale);
        }
    }
}

static void memory_backward(Backend *be, Tensor din, float *ditems, Tensor dout, Tensor w,
                            Tensor in, const float *items, const Memory *m) {
    (void)be;
    if (m->kind == MEMORY_MEMAE)
        memae_backward(din, ditems, dout, w, in, items, m);
    else
        mnad_backward(din, dout, in, items, m);
}

static void memory_loss(Backend *be, double loss[2], Tensor w, Tensor in, const float *items,
                        const Memory *m) {
    (void)be;
    loss[0] = loss[1] = 0;
    for (int64_t r = 0; r < in.rows; r++) {
        if (is_cls(r, m))
            continue;
        for (int64_t i = 0; m->kind == MEMORY_MEMAE && i < m->count; i++)
            loss[0] -= ref_get(w, r, i) * log(ref_get(w, r, i) + 1e-12);
        if (m->kind == MEMORY_MNAD) {
            Query q = query_of(in, r, items, m);
            loss[0] += pow(distance(in, r, q.scale, items + q.items.nearest * in.cols, 0), 2);
            loss[1] += fmax(0, q.near - q.far + 1);
        }
    }
}

/* ---- update. */

static void update_item(float *item, int64_t i, Tensor in, const float *items, const Memory *m) {
    double top = -INFINITY, squares = 0;
    for (int64_t r = 0; r < in.rows; r++)
        if (!is_cls(r, m)) /* over all queries, as in MNAD's code */
            top = fmax(top, query_scale(in, r, m) * dot(in, r, items + i * in.cols));
    for (int64_t r = 0; r < in.rows; r++) {
        if (is_cls(r, m) || nearest_items(in, r, items, m).nearest != i)
            continue;
        double scale = query_scale(in, r, m);
        double share = exp(scale * dot(in, r, items + i * in.cols) - top);
        for (int64_t c = 0; c < in.cols; c++)
            item[c] += (float)(share * scale * ref_get(in, r, c));
    }
    for (int64_t c = 0; c < in.cols; c++)
        squares += (double)item[c] * item[c];
    for (int64_t c = 0; c < in.cols; c++)
        item[c] = (float)(item[c] / fmax(sqrt(squares), 1e-12));
}

static void memory_update(Backend *be, float *items, Tensor in, const Memory *m) {
    size_t count = (size_t)(m->count * in.cols);
    float *before = mem_alloc(count, sizeof *before);
    if (!before) {
        backend_fail(be, "%s", err_text());
        return;
    }
    memcpy(before, items, count * sizeof *before);
    for (int64_t i = 0; i < m->count; i++)
        update_item(items + i * in.cols, i, in, before, m);
    mem_free(before);
}

void ref_memory(Backend *be) {
    be->memory_forward = memory_forward;
    be->memory_backward = memory_backward;
    be->memory_loss = memory_loss;
    be->memory_update = memory_update;
}
