/* Linear layers: products that finish each tile (bias, GELU, residual) at once, and packed
 * weights. */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "compute/cpu/product.h"

/* A weight packed for products with inputs of one type: W^T in panels. A U8 weight has, for each
 * output, a scale and the sum of its bytes; the input's zero point is multiplied by that sum. */
typedef struct {
    DType type;
    float *scales;
    int32_t *sums;
    char *panels;
} Packed;

/* The context of the finishing functions. */
typedef struct {
    Tensor out, pre, branch, x;
    const float *bias, *gamma;
    const Kept *kept;
    const uint8_t *elements; /* (rows, cols) bits: 1 if dropout keeps it; NULL: all 1 */
    float path;              /* the factor of kept elements */
    const Packed *bytes;     /* set for a U8 product, else NULL */
    float scale;
    int32_t zero;
} Layer;

/* ---- forward. */

static void descale(const Layer *l, const Kernels *kn, float *t, int64_t col, int rows, int cols) {
    if (l->bytes)
        kn->scale_bytes(t, l->bytes->sums + col, l->bytes->scales + col, l->scale, l->zero, rows,
                        cols);
}

static void finish_put(const Product *p, const Kernels *kn, float *t, int64_t row, int64_t col,
                       int rows, int cols) {
    const Layer *l = p->context;
    descale(l, kn, t, col, rows, cols);
    kn->put(l->out, tensor_at(l->out, row, col), l->bias ? l->bias + col : NULL, t, rows, cols);
}

static void finish_gelu(const Product *p, const Kernels *kn, float *t, int64_t row, int64_t col,
                        int rows, int cols) {
    const Layer *l = p->context;
    descale(l, kn, t, col, rows, cols);
    kn->put_gelu(l->out, tensor_at(l->out, row, col),
                 l->pre.data ? tensor_at(l->pre, row, col) : NULL, l->pre.type, l->bias + col, t,
                 rows, cols);
}

/* The factor of kept elements of kept images. */
static float kept_scale(const Noise *n) {
    float path = n->drop_path > 0 ? (float)(1 / (1 - n->drop_path)) : 1;
    return n->drop > 0 ? noise_scale(n) * path : path;
}

typedef struct {
    const Kernels *kn;
    const Noise *noise;
    const Kept *kept;
    int64_t rows, cols;
    uint8_t *elements;
} Draw;

static void draw_task(void *arg, int64_t t, int thread) {
    (void)thread;
    const Draw *d = arg;
    for (int64_t r = t * CPU_ROWS; r < cpu_rows_end(t, d->rows); r++)
        d->kn->draw_kept(d->elements + r * d->cols / NOISE_LANES, d->noise,
                         noise_row(d->noise, kept_row(d->kept, r)) * d->cols, d->cols);
}

static void finish_residual(const Product *p, const Kernels *kn, float *t, int64_t row, int64_t col,
                            int rows, int cols) {
    const Layer *l = p->context;
    descale(l, kn, t, col, rows, cols);
    for (int r = 0; r < rows; r++) {
        int64_t stream = kept_row(l->kept, row + r), at = (row + r) * l->out.cols + col;
        kn->put_residual(tensor_at(l->out, stream, col), tensor_at(l->x, stream, col),
                         l->branch.data ? tensor_at(l->branch, row + r, col) : NULL, l->branch.type,
                         l->bias + col, l->gamma + col,
                         l->elements ? l->elements + at / NOISE_LANES : NULL, l->path,
                         t + r * kn->nr, cols);
    }
}

/* `noise`: dropout of the result, or NULL. */
static void forward(Backend *be, Layer *l, Tensor in, const Weight *w, const Noise *noise,
                    void (*finish)(const Product *, const Kernels *, float *, int64_t, int64_t, int,
                                   int)) {
    const Packed *packed = w->packed;
    Product p = {.type = in.type,
                 .m = in.rows,
                 .n = w->out,
                 .k = w->in,
                 .left = in.data,
                 .left_stride = w->in * (int64_t)dtype_bytes(in.type),
                 .pack = product_pack_rows,
                 .right = w->data,
                 .right_ld = w->in,
                 .right_type = F32,
                 .finish = finish,
                 .context = l};
    if (packed ? packed->type != in.type : in.type == U8) {
        backend_fail(be, "a layer of %lld x %lld has a weight that is not packed for its input",
                     (long long)w->out, (long long)w->in);
        return;
    }
    if (packed)
        p.panels = packed->panels;
    if (in.type == U8) {
        l->bytes = packed;
        l->scale = in.scale;
        l->zero = in.zero;
    }
    if (l->x.data && !l->kept->image) /* the residual stream */
        p.ahead = l->x;
    bool drops = noise && noise->drop > 0;
    size_t elements = drops ? cpu_aligned((size_t)(in.rows * w->out / NOISE_LANES)) : 0;
    char *scratch = cpu_scratch(be, elements + product_scratch(be, &p));
    if (!scratch)
        return;
    if (drops) {
        Draw d = {cpu_of(be)->kn, noise, l->kept, in.rows, w->out, (uint8_t *)scratch};
        pool_run(cpu_of(be)->pool, cpu_tasks(in.rows), draw_task, &d);
        l->elements = d.elements;
    }
    product_run(be, &p, scratch + elements);
}

static void linear_forward(Backend *be, Tensor out, Tensor in, const Weight *w, const float *bias) {
    Layer l = {.out = out, .bias = bias};
    forward(be, &l, in, w, NULL, finish_put);
}

static void linear_gelu_forward(Backend *be, Tensor out, Tensor pre, Tensor in, const Weight *w,
                                const float *bias) {
    Layer l = {.out = out, .pre = pre, .bias = bias};
    forward(be, &l, in, w, NULL, finish_gelu);
}

/* Copies the rows of images that drop-path drops: they pass on unchanged. */
static void copy_dropped(Tensor out, Tensor x, const Kept *kept) {
    if (!kept->image || out.data == x.data)
        return;
    int64_t next = 0;
    for (int64_t b = 0; b < out.rows / kept->tokens; b++) {
        if (next < kept->count && kept->image[next] == b)
            next++;
        else
            memcpy(tensor_at(out, b * kept->tokens, 0), tensor_at(x, b * kept->tokens, 0),
                   (size_t)(kept->tokens * out.cols) * sizeof(float));
    }
}

static void linear_residual_forward(Backend *be, const LinearResidualForward *a) {
    Layer l = {.out = a->out,
               .branch = a->branch,
               .x = a->x,
               .bias = a->bias,
               .gamma = a->gamma,
               .kept = a->kept,
               .path = kept_scale(a->noise)};
    copy_dropped(a->out, a->x, a->kept);
    forward(be, &l, a->in, a->w, a->noise, finish_residual);
}

/* ---- backward. */

static void finish_dgelu(const Product *p, const Kernels *kn, float *t, int64_t row, int64_t col,
                         int rows, int cols) {
    const Layer *l = p->context;
    kn->put_dgelu(tensor_at(l->out, row, col), tensor_at(l->pre, row, col), t, l->out.type,
                  l->out.cols, rows, cols);
}

/* din = dout W, times GELU'(pre) where pre has data. */
static void input_gradient(Backend *be, Tensor din, Tensor dout, Tensor pre, const Weight *w) {
    Layer l = {.out = din, .pre = pre};
    Product p = {.type = dout.type,
                 .m = dout.rows,
                 .n = w->in,
                 .k = w->out,
                 .left = dout.data,
                 .left_stride = w->out * (int64_t)dtype_bytes(dout.type),
                 .pack = product_pack_cols,
                 .right = w->data,
                 .right_ld = w->in,
                 .right_type = F32,
                 .finish = pre.data ? finish_dgelu : finish_put,
                 .context = &l,
                 .ahead = pre};
    char *scratch = cpu_scratch(be, product_scratch(be, &p));
    if (scratch)
        product_run(be, &p, scratch);
}

/* dw = dout^T in, and db += the column sums of dout. The packing reads dout anyway, so it makes the
 * sums. */
static void weight_gradient(Backend *be, float *dw, float *db, Tensor dout, Tensor in) {
    Layer l = {.out = {.data = dw, .rows = dout.cols, .cols = in.cols, .type = F32}};
    Product p = {.type = in.type,
                 .m = dout.cols,
                 .n = in.cols,
                 .k = in.rows,
                 .pack = product_pack_cols,
                 .right = in.data,
                 .right_ld = in.cols,
                 .right_type = in.type,
                 .finish = finish_put,
                 .context = &l};
    assert(dout.type == in.type);
    size_t left = cpu_aligned(product_left_bytes(be, in.type, dout.cols, in.rows));
    char *scratch = cpu_scratch(be, left + product_scratch(be, &p));
    if (!scratch)
        return;
    p.left = scratch;
    product_pack_left(be, scratch, dout, db);
    product_run(be, &p, scratch + left);
}

static void linear_backward(Backend *be, Tensor din, float *dw, float *db, Tensor dout, Tensor in,
                            const Weight *w) {
    if (din.data)
        input_gradient(be, din, dout, (Tensor){0}, w);
    weight_gradient(be, dw, db, dout, in);
}

typedef struct {
    const Kernels *kn;
    const LinearResidualBackward *a;
    float *parts;      /* (tasks, cols) */
    uint8_t *elements; /* (tasks, cols) bits */
} Residual;

static void residual_task(void *arg, int64_t t, int thread) {
    (void)thread;
    const Residual *s = arg;
    const LinearResidualBackward *a = s->a;
    int64_t cols = a->dx.cols;
    float *part = s->parts + t * cols, scale = kept_scale(a->noise);
    uint8_t *elements = a->noise->drop > 0 ? s->elements + t * cols / NOISE_LANES : NULL;
    memset(part, 0, (size_t)cols * sizeof(float));
    for (int64_t r = t * CPU_ROWS; r < cpu_rows_end(t, a->dbranch.rows); r++) {
        int64_t stream = kept_row(a->kept, r);
        if (elements)
            s->kn->draw_kept(elements, a->noise, noise_row(a->noise, stream) * cols, cols);
        s->kn->residual_backward(tensor_at(a->dbranch, r, 0), part, tensor_at(a->dx, stream, 0),
                                 tensor_at(a->branch, r, 0), a->dbranch.type, a->gamma, elements,
                                 scale, cols);
    }
}

static void linear_residual_backward(Backend *be, const LinearResidualBackward *a) {
    int64_t tasks = cpu_tasks(a->dbranch.rows), count = tasks * a->dx.cols;
    float *parts = cpu_scratch(be, (size_t)count * sizeof(float) + (size_t)(count / NOISE_LANES));
    if (!parts)
        return;
    Residual s = {cpu_of(be)->kn, a, parts, (uint8_t *)(parts + count)};
    pool_run(cpu_of(be)->pool, tasks, residual_task, &s);
    cpu_add_parts(be, a->dgamma, s.parts, tasks, a->dx.cols);
    if (a->din.data)
        input_gradient(be, a->din, a->dbranch, a->pre, a->w);
    weight_gradient(be, a->dw, a->db, a->dbranch, a->in);
}

/* ---- packed weights. */

typedef struct {
    const Kernels *kn;
    const Weight *w;
    Packed *packed;
} Packing;

static void pack_task(void *arg, int64_t panel, int thread) {
    (void)thread;
    const Packing *s = arg;
    const Weight *w = s->w;
    Packed *packed = s->packed;
    int64_t first = panel * s->kn->nr, n = w->out - first < s->kn->nr ? w->out - first : s->kn->nr;
    const float *rows = w->data + first * w->in;
    void *to = packed->panels + panel * panel_bytes(s->kn, packed->type, w->in);
    if (packed->type != U8) {
        s->kn->pack_rows(to, packed->type, rows, F32, w->in, n, w->in);
        panels_pad(s->kn, to, 1, packed->type, w->in);
        return;
    }
    for (int64_t r = 0; r < n; r++)
        packed->scales[first + r] = weight_scale(rows + r * w->in, w->in);
    s->kn->pack_bytes(to, rows, w->in, n, w->in, packed->scales + first, packed->sums + first);
    panels_pad(s->kn, to, 1, U8, w->in);
}

static int weight_pack(Backend *be, Weight *w, DType type) {
    const Kernels *kn = cpu_of(be)->kn;
    int64_t panels = (w->out + kn->nr - 1) / kn->nr;
    size_t vector = type == U8 ? cpu_aligned((size_t)w->out * 4) : 0;
    size_t head = cpu_aligned(sizeof(Packed));
    size_t bytes = head + 2 * vector + (size_t)(panels * panel_bytes(kn, type, w->in));
    if (w->packed && ((Packed *)w->packed)->type != type)
        be->weight_release(be, w);
    char *block = w->packed ? w->packed : be->alloc(be, bytes);
    if (!block)
        return ERR_FAIL;
    Packed *packed = (Packed *)(void *)block;
    *packed = (Packed){type, (float *)(void *)(block + head),
                       (int32_t *)(void *)(block + head + vector), block + head + 2 * vector};
    Packing s = {kn, w, packed};
    pool_run(cpu_of(be)->pool, panels, pack_task, &s);
    w->packed = packed;
    return 0;
}

static void weight_release(Backend *be, Weight *w) {
    be->release(be, w->packed);
    w->packed = NULL;
}

void cpu_linear(Backend *be) {
    be->linear_forward = linear_forward;
    be->linear_gelu_forward = linear_gelu_forward;
    be->linear_residual_forward = linear_residual_forward;
    be->linear_backward = linear_backward;
    be->linear_residual_backward = linear_residual_backward;
    be->weight_pack = weight_pack;
    be->weight_release = weight_release;
}
