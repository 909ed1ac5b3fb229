/* The operations of the seam: what each is called with, its shapes, and the error it may make. */
#include <stddef.h>

#include "base/progress.h"
#include "check_ops.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

static int64_t rows_of(const Shape *s) {
    return s->images * s->tokens;
}

static Noise noise_of(const Shape *s) {
    return (Noise){7, s->step, s->site, s->drop, s->drop_path, s->tokens};
}

/* The images without a residual branch: none, every third from the first, or all. */
static Kept kept_of(const Shape *s) {
    static const int32_t some[] = {1, 2, 4, 5, 7, 8, 10, 11, 13, 14};
    int64_t count = s->keep == KEEP_ALL    ? s->images
                    : s->keep == KEEP_SOME ? s->images - (s->images + 2) / 3
                                           : 0;
    return (Kept){s->tokens, count, s->keep == KEEP_ALL ? NULL : some};
}

static int64_t kept_rows(const Shape *s) {
    return kept_of(s).count * s->tokens;
}

/* The type of what is never in bytes: the inputs of other operations than layers. */
static DType no_bytes(const Run *r) {
    return r->type == U8 ? BF16 : r->type;
}

/* A matrix that the caller may not want; evaluation in bytes keeps nothing for a backward pass. */
static Tensor optional(Run *r, const char *name, int64_t rows, int64_t cols) {
    if (r->shape->without || r->type == U8)
        return (Tensor){0};
    return matrix(r, name, OUT, r->type, rows, cols);
}

static double product_flops(const Shape *s) {
    return 2.0 * (double)(kept_rows(s) * s->width * s->out);
}

static void linear_forward(Run *r, const Shape *s) {
    Tensor out = matrix(r, "out", OUT, s->wide ? F32 : no_bytes(r), rows_of(s), s->out);
    Tensor in = matrix(r, "in", IN, r->type, rows_of(s), s->width);
    const Weight *w = weight(r, s->out, s->width);
    float *bias = s->without ? NULL : vector(r, "bias", IN, s->out);
    r->flops = product_flops(s);
    r->be->linear_forward(r->be, out, in, w, bias);
}

static void linear_gelu_forward(Run *r, const Shape *s) {
    Tensor out = matrix(r, "out", OUT, r->type, rows_of(s), s->out);
    Tensor pre = optional(r, "pre", rows_of(s), s->out);
    Tensor in = matrix(r, "in", IN, r->type, rows_of(s), s->width);
    const Weight *w = weight(r, s->out, s->width);
    float *bias = vector(r, "bias", IN, s->out);
    r->flops = product_flops(s);
    r->be->linear_gelu_forward(r->be, out, pre, in, w, bias);
}

static void linear_residual_forward(Run *r, const Shape *s) {
    Tensor branch = optional(r, "branch", kept_rows(s), s->out);
    Tensor x = matrix(r, "x", s->in_place ? INOUT : IN, F32, rows_of(s), s->out);
    Tensor out = s->in_place ? x : matrix(r, "out", OUT, F32, rows_of(s), s->out);
    Tensor in = matrix(r, "in", IN, r->type, kept_rows(s), s->width);
    const Weight *w = weight(r, s->out, s->width);
    float *bias = vector(r, "bias", IN, s->out), *gamma = vector(r, "gamma", IN, s->out);
    Noise noise = noise_of(s);
    Kept kept = kept_of(s);
    r->flops = product_flops(s);
    r->be->linear_residual_forward(r->be, out, branch, x, in, w, bias, gamma, &noise, &kept);
}

static void linear_backward(Run *r, const Shape *s) {
    Tensor din = optional(r, "din", rows_of(s), s->width);
    float *dw = vector(r, "dw", OUT, s->out * s->width);
    float *db = s->without ? NULL : vector(r, "db", SUM, s->out);
    Tensor dout = matrix(r, "dout", IN, r->type, rows_of(s), s->out);
    Tensor in = matrix(r, "in", IN, r->type, rows_of(s), s->width);
    const Weight *w = weight(r, s->out, s->width);
    r->flops = (s->without ? 1 : 2) * product_flops(s);
    r->be->linear_backward(r->be, din, dw, db, dout, in, w);
}

static void linear_residual_backward(Run *r, const Shape *s) {
    Tensor din = optional(r, "din", kept_rows(s), s->width);
    float *dw = vector(r, "dw", OUT, s->out * s->width);
    float *db = s->without ? NULL : vector(r, "db", SUM, s->out);
    float *dgamma = vector(r, "dgamma", SUM, s->out);
    Tensor dbranch = matrix(r, "dbranch", OUT, r->type, kept_rows(s), s->out);
    Tensor dx = matrix(r, "dx", IN, F32, rows_of(s), s->out);
    Tensor branch = matrix(r, "branch", IN, r->type, kept_rows(s), s->out);
    Tensor in = matrix(r, "in", IN, r->type, kept_rows(s), s->width), pre = {0};
    if (s->gelu)
        pre = matrix(r, "pre", IN, r->type, kept_rows(s), s->width);
    const Weight *w = weight(r, s->out, s->width);
    float *gamma = vector(r, "gamma", IN, s->out);
    Noise noise = noise_of(s);
    Kept kept = kept_of(s);
    r->flops = (s->without ? 1 : 2) * product_flops(s);
    r->be->linear_residual_backward(r->be, din, dw, db, dgamma, dbranch, dx, branch, in, pre, w,
                                    gamma, &noise, &kept);
}

static void layernorm_forward(Run *r, const Shape *s) {
    Tensor out = matrix(r, "out", OUT, r->type, kept_rows(s), s->width);
    float *mean = vector(r, "mean", OUT, kept_rows(s)),
          *rstd = vector(r, "rstd", OUT, kept_rows(s));
    Tensor x = matrix(r, "x", IN, F32, rows_of(s), s->width);
    float *w = vector(r, "w", IN, s->width), *b = vector(r, "b", IN, s->width);
    Kept kept = kept_of(s);
    r->be->layernorm_forward(r->be, out, mean, rstd, x, w, b, &kept);
}

static void layernorm_backward(Run *r, const Shape *s) {
    Tensor dx = matrix(r, "dx", SUM, F32, rows_of(s), s->width);
    float *dw = vector(r, "dw", SUM, s->width), *db = vector(r, "db", SUM, s->width);
    Tensor dout = matrix(r, "dout", IN, r->type, kept_rows(s), s->width);
    Tensor x = matrix(r, "x", IN, F32, rows_of(s), s->width);
    float *mean = vector(r, "mean", IN, kept_rows(s)), *w = vector(r, "w", IN, s->width);
    float *rstd = vector_of(r, "rstd", IN, POSITIVE, kept_rows(s));
    Kept kept = kept_of(s);
    r->be->layernorm_backward(r->be, dx, dw, db, dout, x, mean, rstd, w, &kept);
}

static void relpos_forward(Run *r, const Shape *s) {
    int64_t grid = s->size / s->patch, T = grid * grid + 1, side = 2 * grid - 1;
    float *bias = vector(r, "bias", OUT, s->heads * T * T);
    float *table = vector(r, "table", IN, (side * side + 3) * s->heads);
    r->be->relpos_forward(r->be, bias, table, grid, s->heads);
}

static void relpos_backward(Run *r, const Shape *s) {
    int64_t grid = s->size / s->patch, T = grid * grid + 1, side = 2 * grid - 1;
    float *dtable = vector(r, "dtable", SUM, (side * side + 3) * s->heads);
    float *dbias = vector(r, "dbias", IN, s->heads * T * T);
    r->be->relpos_backward(r->be, dtable, dbias, grid, s->heads);
}

static AttentionShape attention_of(const Shape *s) {
    return (AttentionShape){s->images, s->tokens, s->heads, s->width / s->heads};
}

static double attention_flops(const Shape *s) {
    return 2.0 * (double)(s->images * s->tokens * s->tokens * s->width);
}

static void attention_forward(Run *r, const Shape *s) {
    Tensor out = matrix(r, "out", OUT, r->type, rows_of(s), s->width);
    float *lse = vector(r, "lse", OUT, rows_of(s) * s->heads);
    Tensor qkv = matrix(r, "qkv", IN, no_bytes(r), rows_of(s), 3 * s->width);
    float *bias = vector(r, "bias", IN, s->heads * s->tokens * s->tokens);
    r->flops = 2 * attention_flops(s);
    r->be->attention_forward(r->be, out, lse, qkv, bias, attention_of(s));
}

/* The backward pass needs the log-sum-exp of the same backend's forward pass. `out` is any input to
 * it: true ones cancel in rows that are nearly one-hot, and their rounding would hide all else. */
static void attention_backward(Run *r, const Shape *s) {
    Tensor dqkv = matrix(r, "dqkv", OUT, r->type, rows_of(s), 3 * s->width);
    float *dbias = vector(r, "dbias", SUM, s->heads * s->tokens * s->tokens);
    Tensor dout = matrix(r, "dout", IN, r->type, rows_of(s), s->width);
    Tensor out = matrix(r, "out", IN, r->type, rows_of(s), s->width);
    Tensor qkv = matrix(r, "qkv", IN, r->type, rows_of(s), 3 * s->width);
    Tensor forward_out = matrix(r, "forward_out", OUT, r->type, rows_of(s), s->width);
    float *lse = vector(r, "lse", OUT, rows_of(s) * s->heads);
    float *bias = vector(r, "bias", IN, s->heads * s->tokens * s->tokens);
    r->be->attention_forward(r->be, forward_out, lse, qkv, bias, attention_of(s));
    r->flops = 5 * attention_flops(s);
    r->began = now_seconds();
    r->be->attention_backward(r->be, dqkv, dbias, dout, out, qkv, lse, bias, attention_of(s));
}

static PatchGrid grid_of(const Shape *s) {
    return (PatchGrid){s->size, s->patch, s->channels};
}

static int64_t patches_of(const Shape *s) {
    return (s->size / s->patch) * (s->size / s->patch);
}

static void patchify(Run *r, const Shape *s) {
    Tensor tokens = matrix(r, "tokens", OUT, r->type, s->images * (s->lead + patches_of(s)),
                           s->channels * s->patch * s->patch);
    float *image = vector(r, "image", IN, s->images * s->channels * s->size * s->size);
    r->be->patchify(r->be, tokens, image, grid_of(s), s->lead);
}

static void unpatchify(Run *r, const Shape *s) {
    float *image = vector(r, "image", OUT, s->images * s->channels * s->size * s->size);
    Tensor tokens = matrix(r, "tokens", IN, r->type, s->images * (s->lead + patches_of(s)),
                           s->channels * s->patch * s->patch);
    r->be->unpatchify(r->be, image, tokens, grid_of(s), s->lead);
}

static void embed_forward(Run *r, const Shape *s) {
    Tensor x = matrix(r, "x", OUT, F32, rows_of(s), s->width);
    Tensor patches = matrix(r, "patches", IN, r->type, s->inputs * (s->tokens - 1), s->width);
    float *cls = vector(r, "cls", IN, s->width), *token = vector(r, "mask_token", IN, s->width);
    uint8_t *mask = mask_of(r, s->images * (s->tokens - 1));
    Noise noise = noise_of(s);
    float *pos = s->pos ? vector(r, "pos", IN, s->tokens * s->width) : NULL;
    r->be->embed_forward(r->be, x, patches, cls, token, pos, mask, &noise);
}

static void embed_backward(Run *r, const Shape *s) {
    Tensor dpatches = matrix(r, "dpatches", OUT, r->type, s->inputs * (s->tokens - 1), s->width);
    float *dcls = vector(r, "dcls", SUM, s->width);
    float *dtoken = vector(r, "dmask_token", SUM, s->width);
    Tensor dx = matrix(r, "dx", IN, F32, rows_of(s), s->width);
    uint8_t *mask = mask_of(r, s->images * (s->tokens - 1));
    Noise noise = noise_of(s);
    float *dpos = s->pos ? vector(r, "dpos", SUM, s->tokens * s->width) : NULL;
    r->be->embed_backward(r->be, dpatches, dcls, dtoken, dpos, dx, mask, &noise);
}

static void add_frame(Run *r, const Shape *s) {
    int64_t plane = s->size * s->size;
    float *image = vector(r, "image", SUM, s->images * 3 * plane);
    float *frames = vector(r, "frames", IN, s->inputs * s->channels * plane);
    uint8_t *mask = mask_of(r, s->images * patches_of(s));
    FrameShare share = {s->images, s->inputs};
    r->be->add_frame(r->be, image, frames, mask, grid_of(s), share);
}

static void image_loss(Run *r, const Shape *s) {
    int64_t pixels = s->channels * s->size * s->size;
    double *loss = host_results(r, "loss", 2 * s->images);
    float *dpred = s->without ? NULL : vector(r, "dpred", OUT, s->images * pixels);
    float *pred = vector_of(r, "pred", IN, PIXEL, s->images * pixels);
    float *target = vector_of(r, "target", IN, PIXEL, s->inputs * pixels);
    ImageLoss shape = {s->images, s->inputs, s->size, s->channels, 0.5, 0.25};
    r->be->image_loss(r->be, loss, dpred, pred, target, shape);
}

static void masked_loss(Run *r, const Shape *s) {
    int64_t pixels = s->channels * s->size * s->size;
    double *loss = host_results(r, "loss", s->images);
    float *dpred = vector(r, "dpred", OUT, s->images * pixels);
    float *pred = vector_of(r, "pred", IN, PIXEL, s->images * pixels);
    float *target = vector_of(r, "target", IN, PIXEL, s->images * pixels);
    uint8_t *mask = mask_of(r, s->images * patches_of(s));
    r->be->masked_loss(r->be, loss, dpred, pred, target, mask, grid_of(s), s->images, 0.5);
}

static void consistency_loss(Run *r, const Shape *s) {
    double *loss = host_results(r, "loss", s->images / 2);
    Tensor dfeatures = matrix(r, "dfeatures", SUM, F32, rows_of(s), s->width);
    Tensor features = matrix(r, "features", IN, r->type, rows_of(s), s->width);
    ConsistencyLoss shape = {s->images / 2, s->tokens, 0.3};
    r->be->consistency_loss(r->be, loss, dfeatures, features, shape);
}

static Memory memory_of(const Shape *s) {
    return (Memory){s->memory, s->out, s->tokens, s->memory == MEMORY_MEMAE ? 0.0025 : 0, {.7, .4}};
}

static float *items_of(Run *r, Kind kind, const Shape *s) {
    return vector_of(r, "items", kind, WEIGHT, s->out * s->width);
}

static Tensor read_of(Run *r, const char *name, Kind kind, const Shape *s) {
    return matrix(r, name, kind, r->type, rows_of(s),
                  (s->memory == MEMORY_MNAD ? 2 : 1) * s->width);
}

static void memory_forward(Run *r, const Shape *s) {
    Tensor out = read_of(r, "out", OUT, s), w = matrix(r, "w", OUT, r->type, rows_of(s), s->out);
    Tensor in = matrix(r, "in", IN, r->type, rows_of(s), s->width);
    float *items = items_of(r, IN, s);
    Memory m = memory_of(s);
    r->flops = 2 * product_flops(s);
    r->be->memory_forward(r->be, out, w, in, items, &m);
}

/* The others need the w of the same backend's forward pass. */
static void memory_backward(Run *r, const Shape *s) {
    Tensor din = matrix(r, "din", OUT, r->type, rows_of(s), s->width);
    float *ditems = s->memory == MEMORY_MEMAE ? vector(r, "ditems", SUM, s->out * s->width) : NULL;
    Tensor dout = read_of(r, "dout", IN, s), out = read_of(r, "out", OUT, s);
    Tensor w = matrix(r, "w", OUT, r->type, rows_of(s), s->out);
    Tensor in = matrix(r, "in", IN, r->type, rows_of(s), s->width);
    float *items = items_of(r, IN, s);
    Memory m = memory_of(s);
    r->be->memory_forward(r->be, out, w, in, items, &m);
    r->flops = 4 * product_flops(s);
    r->began = now_seconds();
    r->be->memory_backward(r->be, din, ditems, dout, w, in, items, &m);
}

static void memory_loss(Run *r, const Shape *s) {
    double *loss = host_results(r, "loss", 2);
    Tensor out = read_of(r, "out", OUT, s), w = matrix(r, "w", OUT, r->type, rows_of(s), s->out);
    Tensor in = matrix(r, "in", IN, r->type, rows_of(s), s->width);
    float *items = items_of(r, IN, s);
    Memory m = memory_of(s);
    r->be->memory_forward(r->be, out, w, in, items, &m);
    r->began = now_seconds();
    r->be->memory_loss(r->be, loss, w, in, items, &m);
}

static void memory_update(Run *r, const Shape *s) {
    float *items = items_of(r, INOUT, s);
    Tensor in = matrix(r, "in", IN, r->type, rows_of(s), s->width);
    Memory m = memory_of(s);
    r->be->memory_update(r->be, items, in, &m);
}

static void sum_squares(Run *r, const Shape *s) {
    double *sum = host_results(r, "sum", 1);
    float *g = vector(r, "g", IN, rows_of(s) * s->width);
    *sum = r->be->sum_squares(r->be, g, rows_of(s) * s->width);
}

static void adamw(Run *r, const Shape *s) {
    int64_t n = rows_of(s) * s->width;
    float *p = vector(r, "p", INOUT, n), *g = vector(r, "g", IN, n), *m = vector(r, "m", INOUT, n);
    float *v = vector_of(r, "v", INOUT, POSITIVE, n);
    AdamW hyper = {.lr = 0.01,
                   .beta1 = 0.9,
                   .beta2 = 0.999,
                   .eps = 1e-8,
                   .decay = s->without ? 0 : 0.05,
                   .correction1 = 0.19,
                   .correction2 = 0.001999,
                   .grad_scale = 0.7};
    r->be->adamw(r->be, p, g, m, v, n, &hyper);
}

/* ---- the tables. Rows that are no multiple of a task's or of a tile's (6, 14 or 32), and odd
 * ones, which bf16 takes in pairs; columns that are no multiple of a panel's, and those of the
 * image side, which are any number; widths of less than a vector; no image, one and many. */

#define ROWS(n, in, o)                                                                             \
    { .images = 1, .tokens = n, .width = in, .out = o }
static const Shape linear_shapes[] = {
    ROWS(1, 8, 8),
    ROWS(2, 16, 16),
    ROWS(2, 2, 8),
    ROWS(3, 24, 48),
    ROWS(4, 8, 64),
    ROWS(5, 8, 24),
    ROWS(6, 72, 104),
    ROWS(7, 27, 40),
    ROWS(8, 40, 27),
    ROWS(9, 12, 12),
    ROWS(10, 16, 88),
    ROWS(11, 33, 56),
    ROWS(12, 8, 32),
    ROWS(13, 32, 33),
    ROWS(14, 24, 72),
    ROWS(15, 1100, 40),
    ROWS(9, 1024, 40), /* rows a multiple of 4 KB apart: see product.c */
    ROWS(10, 2048, 40),
    ROWS(33, 1600, 424), /* more than a chunk, several sets of panels: see product.c */
    {.images = 0, .tokens = 5, .width = 24, .out = 40},
    {.images = 3, .tokens = 17, .width = 40, .out = 24, .without = true},
    {.images = 13, .tokens = 5, .width = 24, .out = 40, .wide = true},
    {.images = 1, .tokens = 197, .width = 192, .out = 40},
    {.images = 2, .tokens = 64, .width = 24, .out = 192, .without = true, .wide = true},
    {.images = 2, .tokens = 197, .width = 56, .out = 136},
};
static const Shape residual_shapes[] = {
    ROWS(1, 8, 8),
    ROWS(5, 8, 24),
    {.images = 3, .tokens = 17, .width = 40, .out = 24, .in_place = true, .gelu = true},
    {.images = 2, .tokens = 17, .width = 24, .out = 8, .drop = .1, .step = 0, .site = 1},
    {.images = 2, .tokens = 17, .width = 24, .out = 8, .drop = .1, .step = 9, .site = 2},
    {.images = 13, .tokens = 5, .width = 8, .out = 40, .drop_path = .1, .keep = KEEP_SOME},
    {.images = 3, .tokens = 7, .width = 32, .out = 72, .drop_path = .9, .keep = KEEP_NONE},
    {.images = 4, .tokens = 17, .width = 16, .out = 8, .keep = KEEP_NONE, .in_place = true},
    {.images = 1,
     .tokens = 197,
     .width = 40,
     .out = 192,
     .drop = .1,
     .drop_path = .1,
     .gelu = true},
    {.images = 4,
     .tokens = 50,
     .width = 72,
     .out = 56,
     .drop = .2,
     .drop_path = .3,
     .keep = KEEP_SOME,
     .gelu = true},
    {.images = 5,
     .tokens = 17,
     .width = 24,
     .out = 24,
     .drop = .5,
     .drop_path = .5,
     .step = 77,
     .site = 24,
     .keep = KEEP_SOME,
     .in_place = true,
     .without = true},
};
static const Shape token_shapes[] = {
    {.images = 1, .tokens = 1, .width = 8},
    {.images = 1, .tokens = 5, .width = 24},
    {.images = 3, .tokens = 17, .width = 40, .keep = KEEP_SOME},
    {.images = 1, .tokens = 197, .width = 192},
    {.images = 13, .tokens = 5, .width = 192, .keep = KEEP_SOME},
    {.images = 2, .tokens = 5, .width = 16, .keep = KEEP_NONE},
    {.images = 2, .tokens = 64, .width = 8, .scale = 30},
};
static const Shape relpos_shapes[] = {
    {.size = 8, .patch = 8, .heads = 1},
    {.size = 16, .patch = 8, .heads = 3},
    {.size = 32, .patch = 8, .heads = 2},
    {.size = 224, .patch = 16, .heads = 3},
};
static const Shape attention_shapes[] = {
    {.images = 0, .tokens = 5, .width = 8, .heads = 1},
    {.images = 1, .tokens = 5, .width = 8, .heads = 1},
    {.images = 2, .tokens = 10, .width = 24, .heads = 8},
    {.images = 3, .tokens = 17, .width = 24, .heads = 3},
    {.images = 13, .tokens = 5, .width = 40, .heads = 5},
    {.images = 1, .tokens = 16, .width = 24, .heads = 3},
    {.images = 1, .tokens = 197, .width = 48, .heads = 2},
    {.images = 1, .tokens = 17, .width = 192, .heads = 3},
    {.images = 2, .tokens = 17, .width = 40, .heads = 1, .scale = 4}, /* nearly one-hot rows */
};
static const Shape patch_shapes[] = {
    {.images = 1, .size = 8, .patch = 8, .channels = 3, .lead = 0},
    {.images = 5, .size = 8, .patch = 4, .channels = 3, .lead = 1},
    {.images = 2, .size = 24, .patch = 8, .channels = 6, .lead = 1},
    {.images = 3, .size = 48, .patch = 16, .channels = 6, .lead = 0},
    {.images = 1, .size = 64, .patch = 16, .channels = 3, .lead = 1},
};
static const Shape embed_shapes[] = {
    {.images = 1, .inputs = 1, .tokens = 5, .width = 8},
    {.images = 4, .inputs = 2, .tokens = 17, .width = 24, .mask = MASK_SOME},
    {.images = 3, .inputs = 3, .tokens = 17, .width = 40, .mask = MASK_ALL},
    {.images = 6, .inputs = 2, .tokens = 5, .width = 192, .drop = .1, .step = 2},
    {.images = 4, .inputs = 2, .tokens = 17, .width = 8, .mask = MASK_SOME, .drop = .1, .step = 3},
    {.images = 13, .inputs = 1, .tokens = 5, .width = 24, .mask = MASK_SOME, .drop = .5, .site = 4},
    {.images = 2, .inputs = 1, .tokens = 197, .width = 40, .mask = MASK_ALL, .drop = .1, .step = 9},
    {.images = 4,
     .inputs = 2,
     .tokens = 17,
     .width = 24,
     .mask = MASK_SOME,
     .drop = .1,
     .pos = true},
    {.images = 1, .inputs = 1, .tokens = 5, .width = 8, .pos = true},
};
static const Shape frame_shapes[] = {
    {.images = 1, .inputs = 1, .size = 8, .patch = 8, .channels = 3},
    {.images = 4, .inputs = 2, .size = 24, .patch = 8, .channels = 6, .mask = MASK_SOME},
    {.images = 3, .inputs = 3, .size = 32, .patch = 16, .channels = 12, .mask = MASK_ALL},
    {.images = 0, .inputs = 1, .size = 8, .patch = 4, .channels = 3, .mask = MASK_SOME},
    {.images = 13, .inputs = 1, .size = 5, .patch = 1, .channels = 9, .mask = MASK_SOME},
    {.images = 5, .inputs = 5, .size = 35, .patch = 5, .channels = 6, .mask = MASK_SOME},
    {.images = 2, .inputs = 1, .size = 63, .patch = 7, .channels = 3},
};
static const Shape masked_shapes[] = {
    {.images = 1, .size = 8, .patch = 8, .channels = 3, .mask = MASK_ALL},
    {.images = 4, .size = 24, .patch = 8, .channels = 3, .mask = MASK_SOME},
    {.images = 0, .size = 8, .patch = 4, .channels = 3, .mask = MASK_SOME},
    {.images = 13, .size = 5, .patch = 1, .channels = 3, .mask = MASK_SOME},
    {.images = 5, .size = 35, .patch = 5, .channels = 6, .mask = MASK_SOME},
    {.images = 1, .size = 63, .patch = 7, .channels = 3, .mask = MASK_SOME},
    {.images = 2, .size = 15, .patch = 3, .channels = 3},
};
static const Shape image_shapes[] = {
    {.images = 1, .inputs = 1, .size = 8, .channels = 3},
    {.images = 4, .inputs = 2, .size = 17, .channels = 3},
    {.images = 2, .inputs = 2, .size = 24, .channels = 6, .without = true},
    {.images = 13, .inputs = 1, .size = 5, .channels = 3},
    {.images = 2, .inputs = 1, .size = 64, .channels = 3},
};
static const Shape pair_shapes[] = {
    {.images = 2, .tokens = 5, .width = 8},
    {.images = 6, .tokens = 17, .width = 40, .scale = 3},
    {.images = 2, .tokens = 197, .width = 192},
};
#define MEMORY(b, t, w, n, kind)                                                                   \
    { .images = b, .tokens = t, .width = w, .out = n, .memory = MEMORY_##kind }
static const Shape memory_shapes[] = {
    MEMORY(1, 5, 8, 3, MEMAE),     MEMORY(3, 17, 24, 37, MEMAE), MEMORY(2, 64, 40, 300, MEMAE),
    MEMORY(1, 197, 56, 33, MEMAE), MEMORY(1, 5, 8, 2, MNAD),     MEMORY(3, 17, 40, 10, MNAD),
    MEMORY(1, 197, 192, 11, MNAD),
};
static const Shape mnad_shapes[] = {
    MEMORY(1, 5, 8, 2, MNAD), MEMORY(3, 17, 40, 10, MNAD),
    MEMORY(1, 197, 192, 40, MNAD), /* more than queries may choose */
};
static const Shape value_shapes[] = {
    {.images = 1, .tokens = 1, .width = 1},
    {.images = 1, .tokens = 7, .width = 143},
    {.images = 1, .tokens = 1, .width = 16384, .without = true},
    {.images = 1, .tokens = 5, .width = 3277},
    {.images = 3, .tokens = 17, .width = 1001, .without = true},
};

/* Base at a batch of 4 pairs: 8 images, 1576 rows. */
#define BASE .images = 8, .inputs = 4, .tokens = 197
static const Shape qkv_base[] = {{BASE, .width = 768, .out = 2304}};
static const Shape fc1_base[] = {{BASE, .width = 768, .out = 3072}};
static const Shape fc2_base[] = {
    {BASE, .width = 3072, .out = 768, .drop = .1, .drop_path = .1, .step = 1, .gelu = true}};
static const Shape tokens_base[] = {{BASE, .width = 768, .heads = 12}};
static const Shape embed_base[] = {{BASE, .width = 768, .mask = MASK_SOME, .drop = .1}};
static const Shape image_base[] = {
    {BASE, .size = 224, .patch = 16, .channels = 3, .lead = 1, .heads = 12}};
static const Shape frame_base[] = {
    {BASE, .size = 224, .patch = 16, .channels = 3, .mask = MASK_SOME}};
static const Shape masked_base[] = {
    {.images = 4, .size = 224, .patch = 16, .channels = 3, .mask = MASK_SOME}};
static const Shape memae_base[] = {MEMORY(8, 197, 768, 2000, MEMAE)};
static const Shape mnad_base[] = {MEMORY(8, 197, 768, 10, MNAD)};
static const Shape block_base[] = {{.images = 1, .tokens = 1, .width = 7088640}};

#define SHAPES(s, bench) s##_shapes, N(s##_shapes), bench
const Op ops[] = {
    {"linear_forward", linear_forward, SHAPES(linear, qkv_base), 3, 2e-6,
     .why = "float sums over the width", .packs = true},
    {"linear_gelu_forward", linear_gelu_forward, SHAPES(linear, fc1_base), 3, 2e-6, 1e-4,
     .why = "float sums over the width; erf to 5e-7, in bf16 GELU to 4e-5", .packs = true},
    {"linear_residual_forward", linear_residual_forward, SHAPES(residual, fc2_base), 3, 2e-6,
     .why = "float sums over the width", .packs = true},
    {"linear_backward", linear_backward, SHAPES(linear, qkv_base), 2, 3e-6,
     .why = "float sums over width and rows"},
    {"linear_residual_backward", linear_residual_backward, SHAPES(residual, fc2_base), 2, 3e-6,
     5e-4, .why = "float sums over width and rows; erf to 5e-7, in bf16 GELU's slope to 1.3e-4"},
    {"layernorm_forward", layernorm_forward, SHAPES(token, tokens_base), 3, 2e-6,
     .why = "float moments"},
    {"layernorm_backward", layernorm_backward, SHAPES(token, tokens_base), 2, 3e-6,
     .why = "float sums over width and rows, both in float in the reference"},
    {"relpos_forward", relpos_forward, SHAPES(relpos, image_base), 1, 0, .why = "copies"},
    {"relpos_backward", relpos_backward, SHAPES(relpos, image_base), 1, 2e-6,
     .why = "float sums over the pairs of tokens"},
    {"attention_forward", attention_forward, SHAPES(attention, tokens_base), 3, 3e-6, 0x1p-8,
     .why = "float logits, whose error the exponential multiplies by their size; probabilities in "
            "bf16"},
    {"attention_backward", attention_backward, SHAPES(attention, tokens_base), 2, 1e-5, 0x1p-8,
     .why = "as forward, and differences of products; gradients of logits in bf16"},
    {"patchify", patchify, SHAPES(patch, image_base), 2, 0, .why = "copies"},
    {"unpatchify", unpatchify, SHAPES(patch, image_base), 2, 0, .why = "copies"},
    {"embed_forward", embed_forward, SHAPES(embed, embed_base), 2, 0,
     .why = "one product by the same factor"},
    {"embed_backward", embed_backward, SHAPES(embed, embed_base), 2, 2e-6,
     .why = "float sums over tokens, both in float in the reference"},
    {"add_frame", add_frame, SHAPES(frame, frame_base), 1, 0, .why = "one sum"},
    {"image_loss", image_loss, SHAPES(image, image_base), 1, 2e-6,
     .why = "float sums over a line; the inputs keep the signs exact"},
    {"consistency_loss", consistency_loss, SHAPES(pair, tokens_base), 2, 2e-6,
     .why = "float means of features"},
    {"masked_loss", masked_loss, SHAPES(masked, masked_base), 1, 1e-12,
     .why = "double sums in another order; the inputs keep the differences exact"},
    {"memory_forward", memory_forward, SHAPES(memory, memae_base), 2, 2e-6, 0x1p-7,
     .why = "float sums over the width; w in bf16"},
    {"memory_backward", memory_backward, SHAPES(memory, memae_base), 2, 5e-6, 0x1p-7,
     .why = "float sums over the width and rows; w and the gradients of logits in bf16"},
    {"memory_loss", memory_loss, SHAPES(memory, memae_base), 2, 2e-6, 0x1p-7,
     .why = "float distances; w in bf16"},
    {"memory_update", memory_update, SHAPES(mnad, mnad_base), 2, 2e-6,
     .why = "float sums over rows"},
    {"sum_squares", sum_squares, SHAPES(value, block_base), 1, 1e-12,
     .why = "double sums in another order"},
    {"adamw", adamw, SHAPES(value, block_base), 1, 3e-7, .why = "the step in float"},
};

const int op_count = N(ops);

/* alloc, release, upload, download, zero and sync; weight_pack and weight_release, which the linear
 * layers are run with; close, called by backend_free. */
enum { MEMORY_ENTRIES = 6, WEIGHT_ENTRIES = 2, CLOSE_ENTRIES = 1 };
_Static_assert((offsetof(Backend, state) - offsetof(Backend, alloc)) / sizeof(void (*)(void)) ==
                   sizeof ops / sizeof *ops + MEMORY_ENTRIES + WEIGHT_ENTRIES + CLOSE_ENTRIES,
               "an entry of the seam has no row in ops");
