/* The operations of the seam: what each is called with, its shapes, and the error it may make. */
#include <stddef.h>

#include "base/clock.h"
#include "check_ops.h"
#include "check_ops_shapes.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

static int64_t rows_of(const Shape *s) {
    return s->images * s->tokens;
}

static Noise noise_of(const Shape *s) {
    return (Noise){7, s->step, s->site, s->drop, s->drop_path, s->tokens, s->part};
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
    r->be->linear_residual_forward(r->be, &(LinearResidualForward){.out = out,
                                                                   .branch = branch,
                                                                   .x = x,
                                                                   .in = in,
                                                                   .w = w,
                                                                   .bias = bias,
                                                                   .gamma = gamma,
                                                                   .noise = &noise,
                                                                   .kept = &kept});
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
    r->be->linear_residual_backward(r->be, &(LinearResidualBackward){.din = din,
                                                                     .dw = dw,
                                                                     .db = db,
                                                                     .dgamma = dgamma,
                                                                     .dbranch = dbranch,
                                                                     .dx = dx,
                                                                     .branch = branch,
                                                                     .in = in,
                                                                     .pre = pre,
                                                                     .w = w,
                                                                     .gamma = gamma,
                                                                     .noise = &noise,
                                                                     .kept = &kept});
}

static void layernorm_forward(Run *r, const Shape *s) {
    Tensor out = matrix(r, "out", OUT, r->type, kept_rows(s), s->width);
    float *mean = vector(r, "mean", OUT, kept_rows(s)),
          *rstd = vector(r, "rstd", OUT, kept_rows(s));
    Tensor x = matrix(r, "x", IN, F32, rows_of(s), s->width);
    float *w = vector(r, "w", IN, s->width), *b = vector(r, "b", IN, s->width);
    Kept kept = kept_of(s);
    r->be->layernorm_forward(
        r->be, &(LayerNormForward){
                   .out = out, .mean = mean, .rstd = rstd, .x = x, .w = w, .b = b, .kept = &kept});
}

static void layernorm_backward(Run *r, const Shape *s) {
    Tensor dx = matrix(r, "dx", SUM, F32, rows_of(s), s->width);
    float *dw = vector(r, "dw", SUM, s->width), *db = vector(r, "db", SUM, s->width);
    Tensor dout = matrix(r, "dout", IN, r->type, kept_rows(s), s->width);
    Tensor x = matrix(r, "x", IN, F32, rows_of(s), s->width);
    float *mean = vector(r, "mean", IN, kept_rows(s)), *w = vector(r, "w", IN, s->width);
    float *rstd = vector_of(r, "rstd", IN, POSITIVE, kept_rows(s));
    Kept kept = kept_of(s);
    r->be->layernorm_backward(r->be, &(LayerNormBackward){.dx = dx,
                                                          .dw = dw,
                                                          .db = db,
                                                          .dout = dout,
                                                          .x = x,
                                                          .mean = mean,
                                                          .rstd = rstd,
                                                          .w = w,
                                                          .kept = &kept});
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
    r->be->attention_forward(
        r->be, &(AttentionForward){
                   .out = out, .lse = lse, .qkv = qkv, .bias = bias, .shape = attention_of(s)});
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
    r->be->attention_forward(
        r->be,
        &(AttentionForward){
            .out = forward_out, .lse = lse, .qkv = qkv, .bias = bias, .shape = attention_of(s)});
    r->flops = 5 * attention_flops(s);
    r->began = clock_seconds();
    r->be->attention_backward(r->be, &(AttentionBackward){.dqkv = dqkv,
                                                          .dbias = dbias,
                                                          .dout = dout,
                                                          .out = out,
                                                          .qkv = qkv,
                                                          .lse = lse,
                                                          .bias = bias,
                                                          .shape = attention_of(s)});
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
    r->be->embed_forward(r->be, &(EmbedForward){.x = x,
                                                .patches = patches,
                                                .cls = cls,
                                                .mask_token = token,
                                                .pos = pos,
                                                .mask = mask,
                                                .noise = &noise});
}

static void embed_backward(Run *r, const Shape *s) {
    Tensor dpatches = matrix(r, "dpatches", OUT, r->type, s->inputs * (s->tokens - 1), s->width);
    float *dcls = vector(r, "dcls", SUM, s->width);
    float *dtoken = vector(r, "dmask_token", SUM, s->width);
    Tensor dx = matrix(r, "dx", IN, F32, rows_of(s), s->width);
    uint8_t *mask = mask_of(r, s->images * (s->tokens - 1));
    Noise noise = noise_of(s);
    float *dpos = s->pos ? vector(r, "dpos", SUM, s->tokens * s->width) : NULL;
    r->be->embed_backward(r->be, &(EmbedBackward){.dpatches = dpatches,
                                                  .dcls = dcls,
                                                  .dmask_token = dtoken,
                                                  .dpos = dpos,
                                                  .dx = dx,
                                                  .mask = mask,
                                                  .noise = &noise});
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
    r->be->masked_loss(r->be, &(MaskedLoss){.loss = loss,
                                            .dpred = dpred,
                                            .pred = pred,
                                            .target = target,
                                            .mask = mask,
                                            .grid = grid_of(s),
                                            .images = s->images,
                                            .weight = 0.5});
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
    r->began = clock_seconds();
    r->be->memory_backward(r->be, din, ditems, dout, w, in, items, &m);
}

static void memory_loss(Run *r, const Shape *s) {
    double *loss = host_results(r, "loss", 2);
    Tensor out = read_of(r, "out", OUT, s), w = matrix(r, "w", OUT, r->type, rows_of(s), s->out);
    Tensor in = matrix(r, "in", IN, r->type, rows_of(s), s->width);
    float *items = items_of(r, IN, s);
    Memory m = memory_of(s);
    r->be->memory_forward(r->be, out, w, in, items, &m);
    r->began = clock_seconds();
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
    r->be->sum_squares(r->be, sum, g, rows_of(s) * s->width);
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

/* Pictures of `out` rows. */
static void flow(Run *r, const Shape *s) {
    int64_t n = s->width * s->out;
    r->be->flow(r->be, &(Flow){.u = vector(r, "u", OUT, n),
                               .v = vector(r, "v", OUT, n),
                               .from = vector_of(r, "from", IN, PIXEL, n),
                               .to = vector_of(r, "to", IN, PIXEL, n),
                               .width = s->width,
                               .height = s->out});
}

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
    {"flow", flow, SHAPES(flow, flow_base), 1, 1e-3,
     .why = "float sums, and iterations that start from them"},
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
