/* The memories of MemAE and MNAD: products with the items, and loops over rows between them. */
#include <math.h>

#include "compute/cpu/product.h"

/* The context of the tasks. */
typedef struct {
    const Kernels *kn;
    const Memory *m;
    Tensor out, w, in, dout, din;
    Tensor dlogits; /* (rows, count), of the type of w */
    const float *items;
    float *new_items;
    float *logits;    /* (rows, count): x M^T */
    float *rows;      /* three for each thread, `row` floats each */
    int64_t row;      /* the longer of D and count */
    double *losses;   /* two for each task */
    int32_t *nearest; /* nearest item of each row; -1: cls */
    char *scratch;    /* for the products */
} Work;

static Work work_of(Backend *be, Tensor w, Tensor in, const float *items, const Memory *m) {
    return (Work){.kn = cpu_of(be)->kn,
                  .m = m,
                  .w = w,
                  .in = in,
                  .items = items,
                  .row = in.cols > m->count ? in.cols : m->count};
}

static float *thread_row(const Work *k, int thread, int i) {
    return k->rows + (3 * thread + i) * k->row;
}

static float *row_logits(const Work *k, int64_t r) {
    return k->logits + r * k->m->count;
}

static bool is_cls(const Work *k, int64_t r) {
    return r % k->m->tokens == 0;
}

/* ---- products. */

typedef struct {
    Tensor out;
    int64_t from; /* first column of the result */
} Place;

static void finish_put(const Product *p, const Kernels *kn, float *t, int64_t row, int64_t col,
                       int rows, int cols) {
    const Place *at = p->context;
    kn->put(at->out, tensor_at(at->out, row, at->from + col), NULL, t, rows, cols);
}

static void finish_add(const Product *p, const Kernels *kn, float *t, int64_t row, int64_t col,
                       int rows, int cols) {
    const Place *at = p->context;
    for (int r = 0; r < rows; r++)
        kn->add(tensor_at(at->out, row + r, at->from + col), t + r * kn->nr, cols);
}

/* x M^T */
static Product address(Tensor x, const float *items, int64_t count, const Place *to) {
    return (Product){.type = x.type,
                     .m = x.rows,
                     .n = count,
                     .k = x.cols,
                     .left = x.data,
                     .left_stride = x.cols * (int64_t)dtype_bytes(x.type),
                     .pack = product_pack_rows,
                     .right = items,
                     .right_ld = x.cols,
                     .right_type = F32,
                     .finish = finish_put,
                     .context = to};
}

/* w M */
static Product read_items(Tensor w, const float *items, int64_t cols, const Place *to) {
    return (Product){.type = w.type,
                     .m = w.rows,
                     .n = cols,
                     .k = w.cols,
                     .left = w.data,
                     .left_stride = w.cols * (int64_t)dtype_bytes(w.type),
                     .pack = product_pack_cols,
                     .right = items,
                     .right_ld = cols,
                     .right_type = F32,
                     .finish = finish_put,
                     .context = to};
}

/* Adds w^T x, a sum over rows. */
static Product gather(Tensor w, Tensor x, const Place *to) {
    return (Product){.type = x.type,
                     .m = w.cols,
                     .n = x.cols,
                     .k = x.rows,
                     .pack = product_pack_cols,
                     .right = x.data,
                     .right_ld = x.cols,
                     .right_type = x.type,
                     .finish = finish_add,
                     .context = to};
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Takes the scratch of an operation: the logits, the rows, `extra` bytes, and `products` bytes for
 * its products. Returns the place of the extra bytes, or NULL when memory is out. */
static char *take_scratch(Backend *be, Work *k, size_t extra, size_t products) {
    size_t logits = cpu_aligned((size_t)(k->in.rows * k->m->count) * sizeof(float));
    size_t rows = cpu_aligned((size_t)(be->threads * 3 * k->row) * sizeof(float));
    extra = cpu_aligned(extra);
    char *scratch = cpu_scratch(be, logits + rows + extra + products);
    if (!scratch)
        return NULL;
    k->logits = (float *)(void *)scratch;
    k->rows = (float *)(void *)(scratch + logits);
    k->scratch = scratch + logits + rows + extra;
    return scratch + logits + rows;
}

static Place logits_place(const Work *k) {
    return (Place){{k->logits, k->in.rows, k->m->count, F32, 0, 0}, 0};
}

/* Takes scratch, and computes the logits of x, which is the features or the gradient of what was
 * read. Returns what take_scratch returns. */
static char *take_logits(Backend *be, Work *k, Tensor x, size_t extra, size_t products) {
    Product p = address(x, k->items, k->m->count, NULL);
    char *block = take_scratch(be, k, extra, larger(products, product_scratch(be, &p)));
    Place to = logits_place(k);
    p.context = &to;
    if (block)
        product_run(be, &p, k->scratch);
    return block;
}

/* ---- forward. */

/* Writes the query of row r to q. Returns the factor that turned the row into its query. */
static float query(const Work *k, int64_t r, float *q) {
    int64_t D = k->in.cols;
    const void *x = tensor_at(k->in, r, 0);
    float scale = 1 / fmaxf(sqrtf(k->kn->dot(x, x, k->in.type, D)), 1e-12f);
    k->kn->widen(q, x, k->in.type, D);
    for (int64_t c = 0; c < D; c++)
        q[c] *= scale;
    return scale;
}

/* Softmax of scale * l over the items whose probability is above `shrink`, in place. */
static void softmax(float *l, int64_t n, float scale, float shrink) {
    float top = -INFINITY;
    double sum = 0, kept = 0;
    for (int64_t i = 0; i < n; i++)
        top = fmaxf(top, l[i] * scale);
    for (int64_t i = 0; i < n; i++)
        sum += l[i] = expf(l[i] * scale - top);
    for (int64_t i = 0; i < n; i++)
        kept += l[i] = l[i] <= shrink * (float)sum ? 0 : l[i]; /* a NaN stays a NaN */
    float inverse = kept > 0 ? (float)(1 / kept) : 0;
    for (int64_t i = 0; i < n; i++)
        l[i] *= inverse;
}

static void forward_task(void *arg, int64_t t, int thread) {
    const Work *k = arg;
    for (int64_t r = t * CPU_ROWS; r < cpu_rows_end(t, k->in.rows); r++) {
        float scale = 1, *q = thread_row(k, thread, 0);
        if (k->m->kind == MEMORY_MNAD) {
            scale = query(k, r, q);
            k->kn->round(tensor_at(k->out, r, 0), k->out.type, q, k->in.cols);
        }
        softmax(row_logits(k, r), k->m->count, scale, (float)k->m->shrink);
        k->kn->round(tensor_at(k->w, r, 0), k->w.type, row_logits(k, r), k->m->count);
    }
}

static void memory_forward(Backend *be, Tensor out, Tensor w, Tensor in, const float *items,
                           const Memory *m) {
    Work k = work_of(be, w, in, items, m);
    k.out = out;
    Place read = {out, m->kind == MEMORY_MNAD ? in.cols : 0};
    Product p = read_items(w, items, in.cols, &read);
    if (!take_logits(be, &k, in, 0, product_scratch(be, &p)))
        return;
    pool_run(cpu_of(be)->pool, cpu_tasks(in.rows), forward_task, &k);
    product_run(be, &p, k.scratch);
}

/* ---- MemAE's backward pass. */

/* w is a softmax over the items that are not left out, so the gradient of a logit is w (dw - sum of
 * w dw). The product has stored dw in the logits. */
static void dlogits_task(void *arg, int64_t t, int thread) {
    const Work *k = arg;
    for (int64_t r = t * CPU_ROWS; r < cpu_rows_end(t, k->in.rows); r++) {
        float *d = row_logits(k, r), *w = thread_row(k, thread, 0);
        float weight = is_cls(k, r) ? 0 : (float)k->m->weight[0];
        double mean = 0;
        k->kn->widen(w, tensor_at(k->w, r, 0), k->w.type, k->m->count);
        for (int64_t i = 0; i < k->m->count; i++) {
            if (w[i] > 0) /* the entropy's gradient; its 1e-12 is negligible here */
                d[i] -= weight * (logf(w[i]) + 1);
            mean += w[i] * d[i];
        }
        for (int64_t i = 0; i < k->m->count; i++)
            d[i] = w[i] * (d[i] - (float)mean);
        if (k->w.type != F32)
            k->kn->round(tensor_at(k->dlogits, r, 0), k->w.type, d, k->m->count);
    }
}

static void memae_backward(Backend *be, Work *k, float *ditems) {
    int64_t D = k->in.cols;
    Place to_din = {k->din, 0}, to_items = {{ditems, k->m->count, D, F32, 0, 0}, 0};
    k->dlogits = k->w;
    Product din = read_items(k->dlogits, k->items, D, &to_din);
    Product by_read = gather(k->w, k->dout, &to_items);
    Product by_address = gather(k->dlogits, k->in, &to_items);
    size_t left = cpu_aligned(product_left_bytes(be, k->w.type, k->m->count, k->in.rows));
    size_t products =
        larger(product_scratch(be, &din),
               left + larger(product_scratch(be, &by_read), product_scratch(be, &by_address)));
    char *narrow = take_logits(be, k, k->dout, k->w.type == F32 ? 0 : tensor_bytes(k->w), products);
    if (!narrow)
        return;
    k->dlogits.data = k->w.type == F32 ? (char *)k->logits : narrow;
    pool_run(cpu_of(be)->pool, cpu_tasks(k->in.rows), dlogits_task, k);
    din.left = k->dlogits.data;
    product_run(be, &din, k->scratch);
    by_read.left = by_address.left = k->scratch;
    product_pack_left(be, k->scratch, k->w, NULL);
    product_run(be, &by_read, k->scratch + left);
    product_pack_left(be, k->scratch, k->dlogits, NULL);
    product_run(be, &by_address, k->scratch + left);
}

/* ---- MNAD's losses. */

static const float epsilon = 1e-6f; /* PyTorch's triplet loss adds it to every difference */

/* The two items nearest to a query: those with the largest logits, since items and queries have
 * unit length. */
typedef struct {
    const float *first, *second;
    float near, far; /* distances */
} Nearest;

static float distance(const float *q, const float *item, int64_t n) {
    double squares = 0;
    for (int64_t c = 0; c < n; c++) {
        float d = q[c] - item[c] + epsilon;
        squares += d * d;
    }
    return (float)sqrt(squares);
}

static int64_t largest(const float *l, int64_t n, int64_t but) {
    int64_t best = but == 0 ? 1 : 0;
    for (int64_t i = best; i < n; i++)
        if (i != but && l[i] > l[best])
            best = i;
    return best;
}

static Nearest nearest_items(const Work *k, int64_t r, const float *q) {
    const float *l = row_logits(k, r);
    int64_t D = k->in.cols, i = largest(l, k->m->count, -1), j = largest(l, k->m->count, i);
    Nearest n = {.first = k->items + i * D, .second = k->items + j * D};
    n.near = distance(q, n.first, D);
    n.far = distance(q, n.second, D);
    return n;
}

static void mnad_backward_task(void *arg, int64_t t, int thread) {
    const Work *k = arg;
    int64_t D = k->in.cols;
    float *q = thread_row(k, thread, 0), *d = thread_row(k, thread, 1);
    float w0 = 2 * (float)k->m->weight[0], w1 = (float)k->m->weight[1];
    for (int64_t r = t * CPU_ROWS; r < cpu_rows_end(t, k->in.rows); r++) {
        float scale = query(k, r, q);
        k->kn->widen(d, tensor_at(k->dout, r, 0), k->dout.type, D);
        Nearest n = nearest_items(k, r, q);
        bool apart = n.near - n.far + 1 <= 0;
        for (int64_t c = 0; !is_cls(k, r) && c < D; c++) {
            float near = q[c] - n.first[c], far = q[c] - n.second[c];
            d[c] += w0 * near;
            if (!apart)
                d[c] += w1 * ((near + epsilon) / n.near - (far + epsilon) / n.far);
        }
        double along = 0;
        for (int64_t c = 0; c < D; c++)
            along += q[c] * d[c];
        for (int64_t c = 0; c < D; c++)
            d[c] = (d[c] - q[c] * (float)along) * scale;
        k->kn->round(tensor_at(k->din, r, 0), k->din.type, d, D);
    }
}

static void memory_backward(Backend *be, Tensor din, float *ditems, Tensor dout, Tensor w,
                            Tensor in, const float *items, const Memory *m) {
    Work k = work_of(be, w, in, items, m);
    k.dout = dout;
    k.din = din;
    if (m->kind == MEMORY_MEMAE)
        memae_backward(be, &k, ditems);
    else if (take_logits(be, &k, in, 0, 0))
        pool_run(cpu_of(be)->pool, cpu_tasks(in.rows), mnad_backward_task, &k);
}

static double entropy(const Work *k, int64_t r, float *w) {
    double sum = 0;
    k->kn->widen(w, tensor_at(k->w, r, 0), k->w.type, k->m->count);
    for (int64_t i = 0; i < k->m->count; i++)
        if (w[i] > 0)
            sum -= w[i] * log(w[i]);
    return sum;
}

static void loss_task(void *arg, int64_t t, int thread) {
    const Work *k = arg;
    float *x = thread_row(k, thread, 0);
    double loss[2] = {0};
    for (int64_t r = t * CPU_ROWS; r < cpu_rows_end(t, k->in.rows); r++) {
        if (is_cls(k, r))
            continue;
        if (k->m->kind == MEMORY_MEMAE) {
            loss[0] += entropy(k, r, x);
            continue;
        }
        query(k, r, x);
        Nearest n = nearest_items(k, r, x);
        for (int64_t c = 0; c < k->in.cols; c++)
            loss[0] += (x[c] - n.first[c]) * (x[c] - n.first[c]);
        loss[1] += fmaxf(0, n.near - n.far + 1);
    }
    k->losses[2 * t] = loss[0];
    k->losses[2 * t + 1] = loss[1];
}

static void memory_loss(Backend *be, double loss[2], Tensor w, Tensor in, const float *items,
                        const Memory *m) {
    Work k = work_of(be, w, in, items, m);
    int64_t tasks = cpu_tasks(in.rows);
    size_t bytes = (size_t)(2 * tasks) * sizeof(double);
    k.losses = (double *)(void *)(m->kind == MEMORY_MNAD ? take_logits(be, &k, in, bytes, 0)
                                                         : take_scratch(be, &k, bytes, 0));
    loss[0] = loss[1] = 0;
    if (!k.losses)
        return;
    pool_run(cpu_of(be)->pool, tasks, loss_task, &k);
    for (int64_t i = 0; i < 2 * tasks; i++)
        loss[i % 2] += k.losses[i];
}

/* ---- MNAD's update. */

static void nearest_task(void *arg, int64_t t, int thread) {
    const Work *k = arg;
    float *q = thread_row(k, thread, 0);
    for (int64_t r = t * CPU_ROWS; r < cpu_rows_end(t, k->in.rows); r++) {
        float *l = row_logits(k, r), scale = query(k, r, q);
        for (int64_t i = 0; i < k->m->count; i++)
            l[i] *= scale;
        k->nearest[r] = is_cls(k, r) ? -1 : (int32_t)largest(l, k->m->count, -1);
    }
}

static void update_task(void *arg, int64_t i, int thread) {
    const Work *k = arg;
    int64_t D = k->in.cols;
    float *q = thread_row(k, thread, 0), *item = k->new_items + i * D, top = -INFINITY;
    for (int64_t r = 0; r < k->in.rows; r++)
        if (k->nearest[r] >= 0) /* over all queries except cls */
            top = fmaxf(top, row_logits(k, r)[i]);
    for (int64_t r = 0; r < k->in.rows; r++) {
        if (k->nearest[r] != i)
            continue;
        query(k, r, q);
        float share = expf(row_logits(k, r)[i] - top);
        for (int64_t c = 0; c < D; c++)
            item[c] += share * q[c];
    }
    float inverse = 1 / fmaxf(sqrtf(k->kn->dot(item, item, F32, D)), 1e-12f);
    for (int64_t c = 0; c < D; c++)
        item[c] *= inverse;
}

static void memory_update(Backend *be, float *items, Tensor in, const Memory *m) {
    Work k = work_of(be, (Tensor){0}, in, items, m);
    k.new_items = items;
    k.nearest = (int32_t *)(void *)take_logits(be, &k, in, (size_t)in.rows * sizeof(int32_t), 0);
    if (!k.nearest)
        return;
    pool_run(cpu_of(be)->pool, cpu_tasks(in.rows), nearest_task, &k);
    pool_run(cpu_of(be)->pool, m->count, update_task, &k);
}

void cpu_memory(Backend *be) {
    be->memory_forward = memory_forward;
    be->memory_backward = memory_backward;
    be->memory_loss = memory_loss;
    be->memory_update = memory_update;
}
