/* Gradients of the whole network and its losses, masked and noisy, against finite differences. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "gradients.h"
#include "model/vit.h"
#include "train/pair_loss.h"

enum { PAIRS = 2 };

#define SMALL .image = 32, .patch = 8, .frames = 1, .width = 24, .depth = 2, .heads = 3
/* SimMIM's, with every optional part the other way round, and with the memories. */
static const VitConfig configs[] = {
    {SMALL, .layer_scale = 0.5},
    {SMALL, .relpos = RELPOS_BLOCK, .pos_embed = true, .key_bias = true, .residual = true},
    {SMALL, .layer_scale = 0.5, .memory = MEMORY_MEMAE, .items = 5},
    {SMALL, .layer_scale = 0.5, .memory = MEMORY_MNAD, .items = 3},
};
static const TrainSettings settings = {
    .batch = PAIRS, .lambda_int = 1, .lambda_gd = 1, .lambda_cst = 0.3, .pseudo = PSEUDO_MASK};
static const uint8_t second_half[2 * PAIRS] = {0, 0, 1, 1};
static const VitNoise dropping = {.seed = 11, .step = 4, .drop = 0.1, .drop_path = 0.5};

typedef struct {
    Vit *vit;
    float x[PAIRS * 3 * 32 * 32], y[PAIRS * 3 * 32 * 32];
    uint8_t mask[2 * PAIRS * 16];
} Net;

static double total_loss(Net *n) {
    PairLoss loss;
    double parts[5 * PAIRS + 2];
    assert_int_equal(pair_loss_parts(PAIRS), sizeof parts / sizeof *parts);
    vit_forward(n->vit, n->x, PAIRS, 2 * PAIRS, n->mask, &dropping);
    PairImages images = {PAIRS, n->x, n->y, n->mask, second_half, 0};
    pair_loss_run(n->vit, &images, &settings, parts);
    assert_int_equal(vit_backend(n->vit)->sync(vit_backend(n->vit)), 0);
    pair_loss_read(&loss, n->vit, &images, &settings, parts);
    return loss.total;
}

static float *weights_named(Net *n, const char *name) {
    int count;
    const VitParam *p = vit_params(n->vit, &count);
    while (strcmp(p->name, name) != 0)
        p++;
    return vit_weights(n->vit) + p->offset;
}

/* Features that lean one way, so that the nearest items never change, and a decoder that ignores
 * what is read of them: that is a constant to the backward pass. */
static void draw_mnad(Net *n) {
    int64_t D = vit_config(n->vit)->width;
    float *items = weights_named(n, "memory.items"), *w = weights_named(n, "decoder.0.weight");
    weights_named(n, "encoder.norm.bias")[0] += 6;
    memset(items, 0, (size_t)(3 * D) * sizeof *items);
    items[0] = 1;
    items[D] = 0.6f;
    items[D + 1] = 0.8f;
    items[2 * D] = -1;
    for (int64_t k = 0; k < VIT_COLOURS * 8 * 8 * 2 * D; k++)
        w[k] *= k % (2 * D) < D ? 5 : 0; /* queries are short */
}

/* Weights large enough for every one to matter. The decoder's bias and the target are chessboards
 * of another size, so that no difference of the gradient loss comes near a kink. */
static void draw_net(Net *n) {
    int count;
    const VitParam *p = vit_params(n->vit, &count);
    for (int i = 0; i < count; i++) {
        float *w = vit_weights(n->vit) + p[i].offset;
        bool about_one = strstr(p[i].name, "norm") && strstr(p[i].name, "weight");
        normals(w, p[i].name[0] ? p[i].count : 0, (uint32_t)(1000 + i), 0.2);
        for (int64_t k = 0; about_one && k < p[i].count; k++)
            w[k] += 1;
        for (int64_t k = 0; strcmp(p[i].name, "decoder.0.bias") == 0 && k < p[i].count; k++)
            w[k] = (k / 8 + k) % 2 ? 0.5f : -0.5f;
        for (int64_t k = 0; strcmp(p[i].name, "decoder.0.weight") == 0 && k < p[i].count; k++)
            w[k] *= 0.15f;
        for (int64_t k = 0; strcmp(p[i].name, "memory.items") == 0 && k < p[i].count; k++)
            w[k] *= 0.5f; /* or addresses would cross MemAE's threshold */
    }
    if (vit_config(n->vit)->memory == MEMORY_MNAD)
        draw_mnad(n);
    /* A frame that is added to the prediction must not bring its differences near a kink. */
    normals(n->x, N(n->x), 1, vit_config(n->vit)->residual ? 0.1 : 0.5);
    normals(n->y, N(n->y), 2, 0.1);
    for (int i = 0; i < N(n->y); i++)
        n->y[i] += (i / 32 + i) % 2 ? 2 : -2;
    Rng r = rng_stream(3, RNG_TEST, 3, 0);
    for (int i = 0; i < PAIRS * 16; i++)
        n->mask[PAIRS * 16 + i] = rng_uniform(&r, (uint64_t)i) < 0.6;
}

static void check_param(Net *n, const VitParam *p, const float *gradients, uint32_t stream) {
    static float base[MAX_VALUES], v[MAX_VALUES];
    float *w = vit_weights(n->vit) + p->offset;
    const float *g = gradients + p->offset;
    const double h = 0.01;
    assert_true(p->count <= MAX_VALUES);
    memcpy(base, w, (size_t)p->count * sizeof *w);
    for (uint32_t d = 0; d < DIRECTIONS; d++) {
        double at[4];
        normals(v, p->count, stream + d, 1);
        for (int i = 0; i < 4; i++) {
            move(w, base, v, points[i] * h, p->count);
            at[i] = total_loss(n);
        }
        memcpy(w, base, (size_t)p->count * sizeof *w);
        if (strstr(p->name,
                   "k_bias")) { /* moves all logits of a row alike, which softmax ignores */
            for (int64_t k = 0; k < p->count; k++)
                assert_true(fabsf(g[k]) < 1e-4f);
            continue;
        }
        double error = relative(five_points(at, h), g, v, p->count);
        if (!(error <= 5e-3)) /* found: 2e-3 where L hardly depends on a weight */
            fail_msg("%s: the gradient of %s is off by %.1e", vit_backend(n->vit)->name, p->name,
                     error);
    }
}

/* A second pass adds the same gradients again, but for the matrices, which it writes. */
static void check_accumulation(Net *n, const float *once) {
    int count;
    const VitParam *p = vit_params(n->vit, &count);
    const float *g = vit_gradients(n->vit);
    double off = 0, top = 0;
    total_loss(n);
    vit_backward(n->vit);
    for (int i = 0; i < count; i++)
        for (int64_t k = p[i].offset; k < p[i].offset + p[i].count; k++) {
            off = fmax(off, fabs(g[k] - (p[i].matrix ? 1 : 2) * (double)once[k]));
            top = fmax(top, fabs(once[k]));
        }
    assert_true(off < 1e-5 * top);
}

static void check_network(const char *backend, const VitConfig *config) {
    static Net n;
    Backend *be = NULL;
    int count;
    n = (Net){0};
    assert_int_equal(backend_open(&be, backend, 2, "f32"), 0);
    assert_int_equal(vit_open(&n.vit, be, config, 2 * PAIRS, true), 0);
    draw_net(&n);
    vit_zero_gradients(n.vit);
    total_loss(&n);
    vit_backward(n.vit);
    const VitParam *p = vit_params(n.vit, &count);
    size_t bytes = (size_t)vit_slab_count(n.vit) * sizeof(float);
    float *gradients = mem_alloc(bytes, 1); /* the next forward takes their place */
    memcpy(gradients, vit_gradients(n.vit), bytes);
    for (int i = 0; i < count; i++)
        if (p[i].name[0] && !p[i].fixed)
            check_param(&n, &p[i], gradients, (uint32_t)(2000 + 10 * i));
    check_accumulation(&n, gradients);
    mem_free(gradients);
    assert_int_equal(be->sync(be), 0);
    vit_free(&n.vit);
    backend_free(&be);
}

static void test_network(void **state) {
    for (int i = 0; i < N(configs); i++)
        check_network(*state, &configs[i]);
}

int main(void) {
    static char ref[] = "ref", cpu[] = "cpu";
    const struct CMUnitTest tests[] = {
#define ON(backend, test) {#test " (" #backend ")", test, NULL, NULL, backend}
        ON(ref, test_network), ON(cpu, test_network)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
