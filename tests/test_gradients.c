/* Backward passes against finite differences, on every backend.
 *
 * For a function f and fixed random factors r, L(x) = sum r f(x) has the gradient that the backward
 * pass gives where the gradient of f's output is r. Along a direction v of independent standard
 * normals the derivative of L is g v, of typical size |g|; the numerical one is the five-point
 * difference, exact to the fourth order. Their difference over |g| estimates the relative error of
 * the gradient. It is bounded by what float allows: an error of 1e-7 in L over a step that changes
 * L by 1e-4 to 1e-1; a few times what was found on both backends. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "compute/backend.h"
#include "gradients.h"

/* ---- operations: inputs in[0..], one output, all of fixed small shapes. */

enum {
    IMAGES = 3,
    TOKENS = 5, /* a grid of 2 x 2 and cls */
    ROWS = IMAGES * TOKENS,
    WIDTH = 16,
    OUT = 24,
    HEADS = 2,
    RELATIVE = 12, /* (2 * 2 - 1)^2 + 3 */
    SIZE = 8,
    PATCH = 4,
    COLOURS = 3,
    PATCH_COLS = COLOURS * PATCH * PATCH,
    PIXELS = COLOURS * SIZE * SIZE,
    INPUTS = 1, /* distinct images of the embedding */
    KEPT = 2 * TOKENS,
    ITEMS = 6,
};

static const Noise noise = {
    .seed = 5, .step = 3, .site = 1, .drop = 0.3, .drop_path = 0.4, .tokens = TOKENS};
static const AttentionShape attention = {IMAGES, TOKENS, HEADS, WIDTH / HEADS};
static const PatchGrid grid = {SIZE, PATCH, COLOURS};
static const ImageLoss image = {IMAGES, INPUTS, SIZE, COLOURS, 0.7, 0.4};
static const ConsistencyLoss consistency = {1, TOKENS, 0.3};
static const uint8_t mask[IMAGES * (TOKENS - 1)] = {0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1};

static float scratch[4][MAX_VALUES];

static const int32_t kept_images[] = {0, 2};
static const Kept kept = {TOKENS, 2, kept_images}, all = {TOKENS, IMAGES, NULL};

static Tensor rows(float *data, int64_t cols) {
    return (Tensor){.data = data, .rows = ROWS, .cols = cols};
}

static Tensor kept_rows(float *data, int64_t cols) {
    return (Tensor){.data = data, .rows = KEPT, .cols = cols};
}

static Weight weight(const float *data, int64_t out, int64_t in) {
    return (Weight){.data = data, .out = out, .in = in};
}

static void linear(Backend *be, float *const *x, float *out) {
    Weight w = weight(x[1], OUT, WIDTH);
    be->linear_forward(be, rows(out, OUT), rows(x[0], WIDTH), &w, x[2]);
}

static void linear_back(Backend *be, float *const *x, float *const *g, float *r) {
    Weight w = weight(x[1], OUT, WIDTH);
    be->linear_backward(be, rows(g[0], WIDTH), g[1], g[2], rows(r, OUT), rows(x[0], WIDTH), &w);
}

/* A residual branch of some images: its input, W, bias, gamma, the stream. */
static void residual(Backend *be, float *const *x, float *out) {
    Weight w = weight(x[1], OUT, WIDTH);
    be->linear_residual_forward(be, &(LinearResidualForward){.out = rows(out, OUT),
                                                             .branch = kept_rows(scratch[0], OUT),
                                                             .x = rows(x[4], OUT),
                                                             .in = kept_rows(x[0], WIDTH),
                                                             .w = &w,
                                                             .bias = x[2],
                                                             .gamma = x[3],
                                                             .noise = &noise,
                                                             .kept = &kept});
}

static void residual_back(Backend *be, float *const *x, float *const *g, float *r) {
    Weight w = weight(x[1], OUT, WIDTH);
    residual(be, x, scratch[1]);
    be->linear_residual_backward(be,
                                 &(LinearResidualBackward){.din = kept_rows(g[0], WIDTH),
                                                           .dw = g[1],
                                                           .db = g[2],
                                                           .dgamma = g[3],
                                                           .dbranch = kept_rows(scratch[2], OUT),
                                                           .dx = rows(r, OUT),
                                                           .branch = kept_rows(scratch[0], OUT),
                                                           .in = kept_rows(x[0], WIDTH),
                                                           .w = &w,
                                                           .gamma = x[3],
                                                           .noise = &noise,
                                                           .kept = &kept});
    memcpy(g[4], r, ROWS * OUT * sizeof(float)); /* passes on to x */
}

/* linear_gelu as it stands in the network: before a residual layer, here without noise and on a
 * stream of zeros. Its input, both W and biases, gamma. */
static void mlp(Backend *be, float *const *x, float *out) {
    static float zeros[ROWS * WIDTH];
    Weight up = weight(x[1], OUT, WIDTH), down = weight(x[3], WIDTH, OUT);
    be->linear_gelu_forward(be, rows(scratch[1], OUT), rows(scratch[0], OUT), rows(x[0], WIDTH),
                            &up, x[2]);
    be->linear_residual_forward(be, &(LinearResidualForward){.out = rows(out, WIDTH),
                                                             .branch = rows(scratch[2], WIDTH),
                                                             .x = rows(zeros, WIDTH),
                                                             .in = rows(scratch[1], OUT),
                                                             .w = &down,
                                                             .bias = x[4],
                                                             .gamma = x[5],
                                                             .noise = &(Noise){0},
                                                             .kept = &all});
}

static void mlp_back(Backend *be, float *const *x, float *const *g, float *r) {
    static float dpre[ROWS * OUT], dbranch[ROWS * WIDTH];
    Weight up = weight(x[1], OUT, WIDTH), down = weight(x[3], WIDTH, OUT);
    mlp(be, x, scratch[3]);
    be->linear_residual_backward(be, &(LinearResidualBackward){.din = rows(dpre, OUT),
                                                               .dw = g[3],
                                                               .db = g[4],
                                                               .dgamma = g[5],
                                                               .dbranch = rows(dbranch, WIDTH),
                                                               .dx = rows(r, WIDTH),
                                                               .branch = rows(scratch[2], WIDTH),
                                                               .in = rows(scratch[1], OUT),
                                                               .pre = rows(scratch[0], OUT),
                                                               .w = &down,
                                                               .gamma = x[5],
                                                               .noise = &(Noise){0},
                                                               .kept = &all});
    be->linear_backward(be, rows(g[0], WIDTH), g[1], g[2], rows(dpre, OUT), rows(x[0], WIDTH), &up);
}

static void layernorm(Backend *be, float *const *x, float *out) {
    be->layernorm_forward(be, &(LayerNormForward){.out = kept_rows(out, WIDTH),
                                                  .mean = scratch[0],
                                                  .rstd = scratch[1],
                                                  .x = rows(x[0], WIDTH),
                                                  .w = x[1],
                                                  .b = x[2],
                                                  .kept = &kept});
}

static void layernorm_back(Backend *be, float *const *x, float *const *g, float *r) {
    layernorm(be, x, scratch[2]);
    be->layernorm_backward(be, &(LayerNormBackward){.dx = rows(g[0], WIDTH),
                                                    .dw = g[1],
                                                    .db = g[2],
                                                    .dout = kept_rows(r, WIDTH),
                                                    .x = rows(x[0], WIDTH),
                                                    .mean = scratch[0],
                                                    .rstd = scratch[1],
                                                    .w = x[1],
                                                    .kept = &kept});
}

static void relpos(Backend *be, float *const *x, float *out) {
    be->relpos_forward(be, out, x[0], SIZE / PATCH, HEADS);
}

static void relpos_back(Backend *be, float *const *x, float *const *g, float *r) {
    (void)x;
    be->relpos_backward(be, g[0], r, SIZE / PATCH, HEADS);
}

static void attend(Backend *be, float *const *x, float *out) {
    be->attention_forward(be, &(AttentionForward){.out = rows(out, WIDTH),
                                                  .lse = scratch[0],
                                                  .qkv = rows(x[0], 3 * WIDTH),
                                                  .bias = x[1],
                                                  .shape = attention});
}

static void attend_back(Backend *be, float *const *x, float *const *g, float *r) {
    attend(be, x, scratch[1]);
    be->attention_backward(be, &(AttentionBackward){.dqkv = rows(g[0], 3 * WIDTH),
                                                    .dbias = g[1],
                                                    .dout = rows(r, WIDTH),
                                                    .out = rows(scratch[1], WIDTH),
                                                    .qkv = rows(x[0], 3 * WIDTH),
                                                    .lse = scratch[0],
                                                    .bias = x[1],
                                                    .shape = attention});
}

static void patchify(Backend *be, float *const *x, float *out) {
    be->patchify(be, rows(out, PATCH_COLS), x[0], grid, 1);
}

static void unpatchify(Backend *be, float *const *x, float *out) {
    be->unpatchify(be, out, rows(x[0], PATCH_COLS), grid, 1);
}

/* Each is the other's backward. */
static void patchify_back(Backend *be, float *const *x, float *const *g, float *r) {
    (void)x;
    be->unpatchify(be, g[0], rows(r, PATCH_COLS), grid, 1);
}

static void unpatchify_back(Backend *be, float *const *x, float *const *g, float *r) {
    (void)x;
    be->patchify(be, rows(g[0], PATCH_COLS), r, grid, 1);
}

static Tensor patches(float *data) {
    return (Tensor){.data = data, .rows = INPUTS * (TOKENS - 1), .cols = WIDTH};
}

static void embed(Backend *be, float *const *x, float *out) {
    be->embed_forward(be, &(EmbedForward){.x = rows(out, WIDTH),
                                          .patches = patches(x[0]),
                                          .cls = x[1],
                                          .mask_token = x[2],
                                          .pos = x[3],
                                          .mask = mask,
                                          .noise = &noise});
}

static void embed_back(Backend *be, float *const *x, float *const *g, float *r) {
    (void)x;
    be->embed_backward(be, &(EmbedBackward){.dpatches = patches(g[0]),
                                            .dcls = g[1],
                                            .dmask_token = g[2],
                                            .dpos = g[3],
                                            .dx = rows(r, WIDTH),
                                            .mask = mask,
                                            .noise = &noise});
}

static Tensor pair(float *data) {
    return (Tensor){.data = data, .rows = 2 * TOKENS, .cols = WIDTH};
}

/* The losses are the whole L: their factors are the weights in their shapes. */
static void image_losses(Backend *be, float *const *x, float *out) {
    double loss[2 * IMAGES];
    be->image_loss(be, loss, NULL, x[0], x[1], image);
    for (int i = 0; i < IMAGES; i++)
        out[i] = (float)(image.lambda_int * loss[2 * i] + image.lambda_gd * loss[2 * i + 1]);
}

static void image_losses_back(Backend *be, float *const *x, float *const *g, float *r) {
    double loss[2 * IMAGES];
    (void)r;
    be->image_loss(be, loss, g[0], x[0], x[1], image);
}

static void consistency_losses(Backend *be, float *const *x, float *out) {
    static float unused[MAX_VALUES];
    double loss;
    be->consistency_loss(be, &loss, pair(unused), pair(x[0]), consistency);
    *out = (float)(consistency.weight * loss);
}

static void consistency_losses_back(Backend *be, float *const *x, float *const *g, float *r) {
    double loss;
    (void)r;
    be->consistency_loss(be, &loss, pair(g[0]), pair(x[0]), consistency);
}

/* |x| has no kink near values this far apart. */
static void masked_losses(Backend *be, float *const *x, float *out) {
    static float unused[MAX_VALUES];
    double loss[IMAGES];
    be->masked_loss(be, &(MaskedLoss){.loss = loss,
                                      .dpred = unused,
                                      .pred = x[0],
                                      .target = x[1],
                                      .mask = mask,
                                      .grid = grid,
                                      .images = IMAGES,
                                      .weight = 0.5});
    for (int i = 0; i < IMAGES; i++)
        out[i] = (float)(0.5 * loss[i]);
}

static void masked_losses_back(Backend *be, float *const *x, float *const *g, float *r) {
    double loss[IMAGES];
    (void)r;
    be->masked_loss(be, &(MaskedLoss){.loss = loss,
                                      .dpred = g[0],
                                      .pred = x[0],
                                      .target = x[1],
                                      .mask = mask,
                                      .grid = grid,
                                      .images = IMAGES,
                                      .weight = 0.5});
}

/* What is read of a memory, and its losses as one more value. To MNAD what is read, in the right
 * half, is a constant. */
static const Memory memae = {MEMORY_MEMAE, ITEMS, TOKENS, 0.006, {0.7, 0}};
static const Memory mnad = {MEMORY_MNAD, ITEMS, TOKENS, 0, {0.7, 0.4}};

static void read_memory(Backend *be, float *const *x, float *out, const Memory *m, int64_t cols) {
    double loss[2];
    be->memory_forward(be, rows(out, cols), rows(scratch[0], ITEMS), rows(x[0], WIDTH), x[1], m);
    be->memory_loss(be, loss, rows(scratch[0], ITEMS), rows(x[0], WIDTH), x[1], m);
    out[ROWS * cols] = (float)(m->weight[0] * loss[0] + m->weight[1] * loss[1]);
    for (int64_t i = 0; i < ROWS * cols; i++)
        out[i] = i % cols < WIDTH ? out[i] : 0;
}

static void read_memory_back(Backend *be, float *const *x, float *const *g, float *r, Memory m,
                             int64_t cols) {
    read_memory(be, x, scratch[1], &m, cols);
    for (int i = 0; i < 2; i++)
        m.weight[i] *= r[ROWS * cols];
    be->memory_backward(be, rows(g[0], WIDTH), g[1], rows(r, cols), rows(scratch[0], ITEMS),
                        rows(x[0], WIDTH), x[1], &m);
}

static void read_memae(Backend *be, float *const *x, float *out) {
    read_memory(be, x, out, &memae, WIDTH);
}

static void read_memae_back(Backend *be, float *const *x, float *const *g, float *r) {
    read_memory_back(be, x, g, r, memae, WIDTH);
}

static void read_mnad(Backend *be, float *const *x, float *out) {
    read_memory(be, x, out, &mnad, 2 * WIDTH);
}

static void read_mnad_back(Backend *be, float *const *x, float *const *g, float *r) {
    read_memory_back(be, x, g, r, mnad, 2 * WIDTH);
}

typedef struct {
    const char *name;
    void (*forward)(Backend *be, float *const *x, float *out);
    void (*backward)(Backend *be, float *const *x, float *const *g, float *r); /* r may change */
    double h;      /* step along the direction */
    double bound;  /* of the relative error */
    int out;       /* values */
    bool is_loss;  /* every factor is 1 */
    int constants; /* inputs at the end that have no gradient */
    int in[MAX_INPUTS];
} Op;

static const Op ops[] = {
    {"linear", linear, linear_back, .1, 2e-5, ROWS *OUT, .in = {ROWS * WIDTH, OUT *WIDTH, OUT}},
    {"linear_gelu", mlp, mlp_back, .01, 1e-4, ROWS *WIDTH,
     .in = {ROWS * WIDTH, OUT *WIDTH, OUT, WIDTH *OUT, WIDTH, WIDTH}},
    {"linear_residual", residual, residual_back, .1, 2e-5, ROWS *OUT,
     .in = {KEPT * WIDTH, OUT *WIDTH, OUT, OUT, ROWS *OUT}},
    {"layernorm", layernorm, layernorm_back, .02, 1e-4, KEPT *WIDTH,
     .in = {ROWS * WIDTH, WIDTH, WIDTH}},
    {"relpos", relpos, relpos_back, .1, 2e-5, HEADS *TOKENS *TOKENS, .in = {RELATIVE * HEADS}},
    {"attention", attend, attend_back, .02, 1e-4, ROWS *WIDTH,
     .in = {ROWS * 3 * WIDTH, HEADS *TOKENS *TOKENS}},
    {"patchify", patchify, patchify_back, .1, 2e-5, ROWS *PATCH_COLS, .in = {IMAGES * PIXELS}},
    {"unpatchify", unpatchify, unpatchify_back, .1, 2e-5, IMAGES *PIXELS,
     .in = {ROWS * PATCH_COLS}},
    {"embed", embed, embed_back, .1, 2e-5, ROWS *WIDTH,
     .in = {INPUTS * (TOKENS - 1) * WIDTH, WIDTH, WIDTH, TOKENS *WIDTH}},
    {"image_loss", image_losses, image_losses_back, .01, 5e-4, IMAGES, true, 1,
     .in = {IMAGES * PIXELS, INPUTS *PIXELS}},
    {"masked_loss", masked_losses, masked_losses_back, .01, 5e-4, IMAGES, true, 1,
     .in = {IMAGES * PIXELS, IMAGES *PIXELS}},
    {"memory of MemAE", read_memae, read_memae_back, .02, 1e-4, ROWS *WIDTH + 1,
     .in = {ROWS * WIDTH, ITEMS *WIDTH}},
    {"memory of MNAD", read_mnad, read_mnad_back, .02, 1e-4, ROWS * 2 * WIDTH + 1, false, 1,
     .in = {ROWS * WIDTH, ITEMS *WIDTH}},
    {"consistency_loss", consistency_losses, consistency_losses_back, .03, 2e-4, 1, true,
     .in = {2 * TOKENS * WIDTH}},
};

/* Images on which no difference is near a kink of the gradient loss: on the colours of a chessboard
 * the prediction is even or odd and never 0, the target a quarter or three quarters above a whole
 * number, so differences, and differences of differences, keep a distance of 1/4 from 0. */
static void chessboards(float *pred, float *target, int targets) {
    Rng r = rng_stream(3, RNG_TEST, 2, 0);
    for (int i = 0; i < IMAGES * PIXELS; i++) {
        bool white = (i / SIZE + i) % 2;
        double sign = rng_uniform(&r, (uint64_t)(3 * i)) < 0.5 ? -1 : 1;
        pred[i] = (float)(sign * (white ? 1 : 2));
        if (i < targets * PIXELS)
            target[i] = (float)(floor(6 * rng_uniform(&r, (uint64_t)(3 * i + 1))) - 3 +
                                (white ? 0.25 : 0.75));
    }
}

/* Queries near (3, 1) or (3, -1), items near (1, 0), (0, 1) and (-1, 0): none has a probability
 * near MemAE's threshold, and to MNAD all are far from where the nearest two, or the sign of the
 * separateness loss, change. */
static void camps(float *queries, float *items) {
    for (int i = 0; i < ROWS * WIDTH; i++)
        queries[i] *= 0.1f;
    for (int r = 0; r < ROWS; r++) {
        queries[r * WIDTH] += 3;
        queries[r * WIDTH + 1] += r % 2 ? 1 : -1;
    }
    for (int i = 0; i < ITEMS * WIDTH; i++)
        items[i] *= 0.05f;
    for (int i = 0; i < ITEMS; i++)
        items[i * WIDTH + (i == 1)] += i < 2 ? 1 : -1;
}

static double weighted(Backend *be, const Op *op, float *const *x, const float *r) {
    static float out[MAX_VALUES];
    op->forward(be, x, out);
    double sum = 0;
    for (int i = 0; i < op->out; i++)
        sum += (double)out[i] * r[i];
    return sum;
}

static void check_op(Backend *be, const Op *op) {
    static float x[MAX_INPUTS][MAX_VALUES], g[MAX_INPUTS][MAX_VALUES], r[MAX_VALUES];
    static float used_up[MAX_VALUES], base[MAX_VALUES], v[MAX_VALUES];
    float *xs[MAX_INPUTS], *gs[MAX_INPUTS];
    for (int k = 0; k < MAX_INPUTS; k++) {
        xs[k] = x[k];
        gs[k] = memset(g[k], 0, sizeof g[k]);
        normals(x[k], op->in[k], (uint32_t)(10 + k), 1);
    }
    if (op->forward == image_losses)
        chessboards(x[0], x[1], INPUTS);
    if (op->forward == masked_losses)
        chessboards(x[0], x[1], IMAGES);
    if (op->forward == read_memae || op->forward == read_mnad)
        camps(x[0], x[1]);
    normals(r, op->out, 1, 1);
    for (int i = 0; op->is_loss && i < op->out; i++)
        r[i] = 1;
    memcpy(used_up, r, sizeof r);
    op->backward(be, xs, gs, used_up);
    for (int k = 0; k + op->constants < MAX_INPUTS && op->in[k + op->constants]; k++)
        for (uint32_t d = 0; d < DIRECTIONS; d++) {
            double at[4];
            normals(v, op->in[k], 100 + 10 * d + (uint32_t)k, 1);
            memcpy(base, x[k], sizeof base);
            for (int i = 0; i < 4; i++) {
                move(x[k], base, v, points[i] * op->h, op->in[k]);
                at[i] = weighted(be, op, xs, r);
            }
            memcpy(x[k], base, sizeof base);
            double error = relative(five_points(at, op->h), g[k], v, op->in[k]);
            if (!(error <= op->bound))
                fail_msg("%s: %s, input %d: the gradient is off by %.1e, allowed %.0e", be->name,
                         op->name, k, error, op->bound);
        }
}

static void test_ops(void **state) {
    Backend *be = NULL;
    assert_int_equal(backend_open(&be, *state, 2, "f32"), 0);
    for (int i = 0; i < N(ops); i++)
        check_op(be, &ops[i]);
    assert_int_equal(be->sync(be), 0);
    backend_free(&be);
}

int main(void) {
    static char ref[] = "ref", cpu[] = "cpu";
    const struct CMUnitTest tests[] = {
#define ON(backend, test) {#test " (" #backend ")", test, NULL, NULL, backend}
        ON(ref, test_ops), ON(cpu, test_ops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
