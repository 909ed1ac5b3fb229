/* The network and the training step against PyTorch (tests/reference), on every backend.
 *
 * Errors are the largest difference over the largest value of a tensor. The same model in PyTorch's
 * own float32 is off by 4e-7 (activations), 7e-7 (gradients) and 5e-5 of the movement (weights
 * after ten steps, where AdamW turns a gradient near zero into a full step); the bounds allow for
 * another order of summation, and lie below what a wrong eps, GELU or decay group would move. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/safetensors.h"
#include "model/vit.h"
#include "model/weights.h"
#include "train/optimizer.h"
#include "train/pair_loss.h"
#include "train/schedule.h"

enum { PAIRS = 2, STEPS = 10 };

static const VitConfig config = {
    .image = 32, .patch = 8, .frames = 1, .width = 24, .depth = 3, .heads = 2, .layer_scale = 0.1};
/* The dump's schedule: base 1e-3, 4 warm-up updates of 20 (5 "epochs" of 4). */
static const TrainSettings settings = {.epochs = 5,
                                       .batch = PAIRS,
                                       .lr = 1e-3,
                                       .lr_min = 5e-6,
                                       .warmup_lr = 5e-7,
                                       .warmup_epochs = 1,
                                       .schedule = SCHEDULE_COSINE,
                                       .weight_decay = 0.05,
                                       .clip = 5,
                                       .lambda_int = 1,
                                       .lambda_gd = 1,
                                       .lambda_cst = 0.3};

typedef struct {
    const char *backend;
    Safetensors *file;
    Backend *be;
    Vit *vit;
    float *x, *y;
    uint8_t *mask; /* 4 images: none, then the dump's */
    double parts[5 * PAIRS];
} Case;

static const SafeTensor *stored(const Case *c, const char *name) {
    const SafeTensor *t = safetensors_find(c->file, name);
    if (!t)
        fail_msg("the dump has no tensor %s", name);
    return t;
}

/* Largest difference over `scale` (0: the largest stored value). */
static void compare(const Case *c, const char *name, const float *got, double scale, double bound) {
    const SafeTensor *t = stored(c, name);
    float *want = mem_alloc((size_t)t->count, sizeof *want);
    assert_int_equal(safetensors_to_f32(t, want), 0);
    double worst = 0, top = scale;
    for (int64_t i = 0; i < t->count; i++) {
        worst = fmax(worst, fabs((double)got[i] - want[i]));
        if (scale == 0)
            top = fmax(top, fabs(want[i]));
        if (!isfinite(got[i]))
            fail_msg("%s: %s[%lld] is not finite", c->backend, name, (long long)i);
    }
    mem_free(want);
    if (worst > bound * top)
        fail_msg("%s: %s differs by %.2e of %.2e, allowed %.0e", c->backend, name, worst, top,
                 bound);
}

static float stored_value(const Case *c, const char *name, int i) {
    float values[64];
    const SafeTensor *t = stored(c, name);
    assert_true(i < t->count && t->count <= 64);
    safetensors_to_f32(t, values);
    return values[i];
}

static int setup(void **state) {
    Case *c = *state;
    assert_int_equal(safetensors_open(&c->file, SOURCE_DIR "/tests/reference/tiny.safetensors"), 0);
    assert_int_equal(backend_open(&c->be, c->backend, 2, "f32"), 0);
    assert_int_equal(vit_open(&c->vit, c->be, &config, 2 * PAIRS, true), 0);
    if (weights_load(c->vit, c->file, "tiny", "weights/"))
        fail_msg("%s", err_text());
    size_t pixels = (size_t)stored(c, "x")->count;
    float mask[PAIRS * 16];
    c->x = mem_alloc(pixels, sizeof *c->x);
    c->y = mem_alloc(pixels, sizeof *c->y);
    c->mask = mem_alloc(2 * PAIRS * 16, 1);
    safetensors_to_f32(stored(c, "x"), c->x);
    safetensors_to_f32(stored(c, "y"), c->y);
    safetensors_to_f32(stored(c, "mask"), mask);
    for (int i = 0; i < PAIRS * 16; i++)
        c->mask[PAIRS * 16 + i] = mask[i] != 0;
    return 0;
}

static int teardown(void **state) {
    Case *c = *state;
    vit_free(&c->vit);
    backend_free(&c->be);
    safetensors_free(&c->file);
    mem_free(c->x);
    mem_free(c->y);
    mem_free(c->mask);
    return 0;
}

static PairLoss forward_backward(Case *c) {
    PairLoss loss;
    vit_zero_gradients(c->vit);
    vit_forward(c->vit, c->x, PAIRS, 2 * PAIRS, c->mask, NULL);
    pair_loss(&loss, c->vit, c->y, PAIRS, &settings, c->parts);
    vit_backward(c->vit);
    assert_int_equal(c->be->sync(c->be), 0);
    return loss;
}

static void test_forward_and_gradients(void **state) {
    Case *c = *state;
    PairLoss l = forward_backward(c);
    compare(c, "features", vit_features(c->vit).data, 0, 5e-6);
    compare(c, "prediction", vit_prediction(c->vit), 0, 5e-6);
    float parts[] = {(float)l.normal_int, (float)l.normal_gd, (float)l.pseudo_int,
                     (float)l.pseudo_gd, (float)l.consistency};
    compare(c, "loss", parts, 0, 2e-6);
    float total = (float)l.total;
    compare(c, "loss_total", &total, 0, 2e-6);
    int count;
    const VitParam *p = vit_params(c->vit, &count);
    for (int i = 0; i < count; i++) {
        char name[128];
        snprintf(name, sizeof name, "grads/%s", p[i].name);
        if (p[i].name[0])
            compare(c, name, vit_gradients(c->vit) + p[i].offset, 0, 1e-5);
    }
}

static double movement(const Case *c, const VitParam *p, const float *after) {
    char name[128];
    snprintf(name, sizeof name, "weights/%s", p->name);
    const SafeTensor *t = stored(c, name);
    float *before = mem_alloc((size_t)t->count, sizeof *before);
    safetensors_to_f32(t, before);
    double most = 0;
    for (int64_t i = 0; i < p->count; i++)
        most = fmax(most, fabs((double)after[i] - before[i]));
    mem_free(before);
    return most;
}

static void test_ten_steps(void **state) {
    Case *c = *state;
    Optimizer o = {0};
    assert_int_equal(optimizer_open(&o, c->vit), 0);
    for (int n = 0; n < STEPS; n++) {
        PairLoss l = forward_backward(c);
        double norm = optimizer_norm(&o), lr = schedule_step_lr(&settings, 4, n);
        assert_float_equal(lr, stored_value(c, "steps/lr", n), 1e-6 * lr);
        assert_float_equal(l.total, stored_value(c, "steps/loss_total", n), 1e-5 * l.total);
        assert_float_equal(norm, stored_value(c, "steps/grad_norm", n), 2e-5 * norm);
        optimizer_step(&o, &settings, n, lr, norm);
    }
    int count;
    const VitParam *p = vit_params(c->vit, &count);
    for (int i = 0; i < count; i++) {
        char name[128];
        const float *after = vit_weights(c->vit) + p[i].offset;
        snprintf(name, sizeof name, "after/%s", p[i].name);
        /* the dump leaves out large matrices outside the last block */
        if (p[i].name[0] && safetensors_find(c->file, name))
            compare(c, name, after, movement(c, &p[i], after), 3e-4);
    }
    optimizer_free(&o);
}

int main(void) {
    static Case ref = {.backend = "ref"}, cpu = {.backend = "cpu"};
    const struct CMUnitTest tests[] = {
#define ON(backend, test) {#test " (" #backend ")", test, setup, teardown, &backend}
        ON(ref, test_forward_and_gradients), ON(cpu, test_forward_and_gradients),
        ON(ref, test_ten_steps), ON(cpu, test_ten_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
