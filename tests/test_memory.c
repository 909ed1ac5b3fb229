/* The memories of MemAE and MNAD in the network (method E): against PyTorch, in training, and in
 * checkpoints. Operations alone are in check_ops.c, finite differences in test_gradients.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "fixture.h"
#include "model/weights.h"
#include "preset.h"
#include "random.h"
#include "train/checkpoint.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

enum { PAIRS = 2 };

static Backend *open_backend(const char *name, int threads, const char *precision) {
    Backend *be = NULL;
    if (backend_open(&be, name, threads, precision))
        fail_msg("%s", err_text());
    return be;
}

/* The weights of this name. */
static float *weights_named(Vit *v, const char *name, const VitParam **param) {
    int count;
    const VitParam *p = vit_params(v, &count);
    while (strcmp(p->name, name) != 0)
        p++;
    if (param)
        *param = p;
    return vit_weights(v) + p->offset;
}

static double norm(const float *x, int64_t n) {
    double squares = 0;
    for (int64_t i = 0; i < n; i++)
        squares += (double)x[i] * x[i];
    return sqrt(squares);
}

/* ---- against PyTorch: the doubled batch, masks and the consistency loss on. */

enum { DUMP_SIZE = 24, DUMP_PATCHES = 9 };

static const VitConfig dump_config = {.image = DUMP_SIZE,
                                      .patch = 8,
                                      .frames = 1,
                                      .width = 16,
                                      .depth = 1,
                                      .heads = 2,
                                      .layer_scale = 0.1};
static const TrainSettings dump_settings = {
    .batch = PAIRS, .pseudo = PSEUDO_MASK, .lambda_int = 1, .lambda_gd = 1, .lambda_cst = 0.3};

/* The dump's tensor kind/name, the caller's. */
static float *stored(const Safetensors *file, const char *kind, const char *name, int64_t *count) {
    char full[160];
    snprintf(full, sizeof full, "%s/%s", kind, name);
    const SafeTensor *t = safetensors_find(file, full);
    if (!t)
        fail_msg("the dump has no tensor %s", full);
    float *values = mem_alloc((size_t)t->count, sizeof *values);
    assert_int_equal(safetensors_to_f32(t, values), 0);
    *count = t->count;
    return values;
}

/* The largest difference over the largest value. */
static void compare(const Safetensors *file, const char *kind, const char *name, const float *got,
                    double bound) {
    int64_t n;
    float *want = stored(file, kind, name, &n);
    double worst = 0, top = 0;
    for (int64_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs((double)got[i] - want[i]));
        top = fmax(top, fabs(want[i]));
        assert_true(isfinite(got[i]));
    }
    mem_free(want);
    if (!(worst <= bound * top))
        fail_msg("%s/%s differs by %.2e of %.2e, allowed %.0e", kind, name, worst, top, bound);
}

/* Bounds as in test_reference.c, whose reasons hold here too. */
static void compare_all(const Safetensors *file, const char *kind, Vit *v, const PairLoss *l) {
    float memory = (float)l->memory, total = (float)l->total;
    int count;
    const VitParam *p = vit_params(v, &count);
    compare(file, kind, "prediction", vit_prediction(v), 5e-6);
    compare(file, kind, "loss_memory", &memory, 2e-6);
    compare(file, kind, "loss_total", &total, 2e-6);
    for (int i = 0; i < count; i++) {
        char name[128];
        snprintf(name, sizeof name, "grads/%s", p[i].name);
        const float *g = vit_gradients(v) + p[i].offset;
        if (p[i].name[0] && !p[i].fixed)
            compare(file, kind, name, g, 1e-5);
        for (int64_t k = 0; p[i].fixed && k < p[i].count; k++)
            assert_true(g[k] == 0);
    }
    if (vit_config(v)->memory == MEMORY_MNAD) {
        vit_memory_update(v);
        compare(file, kind, "items_after", weights_named(v, "memory.items", NULL), 5e-6);
    }
}

static void check_dump(const char *backend, const char *kind, MemoryKind memory, int64_t items) {
    static const uint8_t pseudo[2 * PAIRS] = {[PAIRS] = 1, [PAIRS + 1] = 1};
    VitConfig config = dump_config;
    config.memory = memory;
    config.items = items;
    Safetensors *file = NULL;
    Vit *v = NULL;
    PairLoss loss;
    int64_t n;
    char prefix[32];
    double parts[5 * PAIRS + 2];
    uint8_t mask[2 * PAIRS * DUMP_PATCHES] = {0};
    Backend *be = open_backend(backend, 2, "f32");
    assert_int_equal(safetensors_open(&file, SOURCE_DIR "/tests/reference/memory.safetensors"), 0);
    assert_int_equal(vit_open(&v, be, &config, 2 * PAIRS, true), 0);
    snprintf(prefix, sizeof prefix, "%s/weights/", kind);
    if (weights_load(v, file, "memory", prefix))
        fail_msg("%s", err_text());
    float *x = stored(file, kind, "x", &n), *y = stored(file, kind, "y", &n);
    float *second = stored(file, kind, "mask", &n);
    assert_int_equal(n, PAIRS * DUMP_PATCHES);
    for (int i = 0; i < PAIRS * DUMP_PATCHES; i++)
        mask[PAIRS * DUMP_PATCHES + i] = second[i] != 0;
    vit_zero_gradients(v);
    vit_forward(v, x, PAIRS, 2 * PAIRS, mask, NULL);
    PairImages images = {PAIRS, x, y, mask, pseudo, 0};
    pair_loss_run(v, &images, &dump_settings, parts);
    vit_backward(v);
    assert_int_equal(be->sync(be), 0);
    pair_loss_read(&loss, v, &images, &dump_settings, parts);
    compare_all(file, kind, v, &loss);
    mem_free(x);
    mem_free(y);
    mem_free(second);
    vit_free(&v);
    safetensors_free(&file);
    backend_free(&be);
}

static void test_pytorch(void **state) {
    check_dump(*state, "memae", MEMORY_MEMAE, 40);
    check_dump(*state, "mnad", MEMORY_MNAD, 6);
}

/* ---- in training. */

enum { SIZE = 32, BYTES = SIZE * SIZE * 3, STEPS_PER_EPOCH = 3 };

/* Enough tokens for several tasks of each operation. */
static VitConfig config_of(MemoryKind kind) {
    return (VitConfig){.image = SIZE,
                       .patch = 4,
                       .frames = 1,
                       .width = 24,
                       .depth = 2,
                       .heads = 3,
                       .layer_scale = 0.1,
                       .memory = kind,
                       .items = kind == MEMORY_MEMAE ? 300 : 0};
}

static Trainer *open_trainer(Backend *be, const VitConfig *config) {
    const TrainSettings t = preset("batch=2 mask-cell=4 warmup-epochs=0 lr=1e-3");
    Trainer *out = NULL;
    if (trainer_open(&out, be, config, &t, STEPS_PER_EPOCH))
        fail_msg("%s", err_text());
    return out;
}

static int try_step(Trainer *t, StepReport *r) {
    static uint8_t x[PAIRS * BYTES], y[PAIRS * BYTES];
    Rng rng = rng_stream(4, RNG_TEST, 8, (uint32_t)t->step);
    int64_t index[PAIRS] = {t->step % 3, 3 + t->step % 3};
    for (int i = 0; i < PAIRS * BYTES; i++) {
        x[i] = (uint8_t)(256 * rng_uniform(&rng, (uint64_t)i));
        y[i] = (uint8_t)(x[i] / 2 + 20);
    }
    return trainer_step(t, &(PairBatch){.x = x, .y = y, .index = index}, r);
}

static StepReport step(Trainer *t) {
    StepReport r;
    if (try_step(t, &r))
        fail_msg("%s", err_text());
    return r;
}

static void expect_same(const Trainer *a, const Trainer *b) {
    size_t bytes = (size_t)vit_slab_count(a->vit) * sizeof(float);
    assert_memory_equal(vit_weights(a->vit), vit_weights(b->vit), bytes);
    assert_memory_equal(a->optimizer.m, b->optimizer.m, bytes);
    assert_memory_equal(a->optimizer.v, b->optimizer.v, bytes);
}

static const MemoryKind kinds[] = {MEMORY_MEMAE, MEMORY_MNAD};

static void test_threads_agree(void **state) {
    for (int k = 0; k < N(kinds); k++) {
        Backend *one = open_backend("cpu", 1, *state), *three = open_backend("cpu", 3, *state);
        const VitConfig config = config_of(kinds[k]);
        Trainer *a = open_trainer(one, &config), *b = open_trainer(three, &config);
        int64_t allocations = 0;
        for (int i = 0; i < 3; i++) {
            StepReport ra = step(a), rb = step(b);
            assert_memory_equal(&ra, &rb, sizeof ra);
            assert_true(ra.loss.memory > 0);
            if (i == 0) /* scratch grows in the first */
                allocations = mem_count();
        }
        assert_int_equal(mem_count(), allocations);
        expect_same(a, b);
        trainer_free(&a);
        trainer_free(&b);
        backend_free(&one);
        backend_free(&three);
    }
}

/* What is in the file is all there is: a run goes on from it bit for bit. */
static void test_resume(void **state) {
    for (int k = 0; k < N(kinds); k++) {
        Backend *be = open_backend(*state, 2, "f32");
        const VitConfig config = config_of(kinds[k]);
        const char *path = fixture_path("resume-%d", k);
        Trainer *a = open_trainer(be, &config), *b = open_trainer(be, &config);
        Safetensors *file = NULL;
        CheckpointInfo info;
        step(a);
        step(a);
        assert_int_equal(checkpoint_save(a, "data", true, path), 0);
        assert_int_equal(safetensors_open(&file, path), 0);
        assert_int_equal(checkpoint_info(&info, file, path), 0);
        assert_int_equal(info.model.network.memory, kinds[k]);
        assert_int_equal(info.model.network.items, config.items);
        assert_int_equal(checkpoint_load(b, &info, file, path), 0);
        expect_same(a, b);
        step(a);
        step(b);
        expect_same(a, b);
        checkpoint_info_free(&info);
        safetensors_free(&file);
        trainer_free(&a);
        trainer_free(&b);
        backend_free(&be);
    }
}

/* MNAD's items move, keep their length, and are none of the optimizer's. */
static void test_items_move(void **state) {
    Backend *be = open_backend(*state, 2, "f32");
    const VitConfig config = config_of(MEMORY_MNAD);
    Trainer *t = open_trainer(be, &config);
    const VitParam *p;
    float *items = weights_named(t->vit, "memory.items", &p), before[10 * 24];
    assert_int_equal(p->count, N(before));
    for (int n = 0; n < 3; n++) {
        int moved = 0;
        memcpy(before, items, sizeof before);
        step(t);
        for (int i = 0; i < 10; i++) {
            moved += memcmp(before + i * 24, items + i * 24, 24 * sizeof *items) != 0;
            assert_float_equal(norm(items + i * 24, 24), 1, 1e-6);
        }
        assert_true(moved > 1);
        assert_true(norm(t->optimizer.m + p->offset, p->count) == 0);
        assert_true(norm(t->optimizer.v + p->offset, p->count) == 0);
    }
    /* A forward alone, as in scoring, moves nothing. */
    memcpy(before, items, sizeof before);
    vit_forward(t->vit, t->x, PAIRS, PAIRS, NULL, NULL);
    assert_memory_equal(before, items, sizeof before);
    trainer_free(&t);
    backend_free(&be);
}

/* All addresses alike lie below MemAE's threshold: nothing is read, and nothing breaks. */
static void test_nothing_read(void **state) {
    Backend *be = open_backend(*state, 2, "f32");
    VitConfig config = config_of(MEMORY_MEMAE);
    config.items = 1000;
    Trainer *t = open_trainer(be, &config);
    const VitParam *p;
    float *items = weights_named(t->vit, "memory.items", &p);
    memset(items, 0, (size_t)p->count * sizeof *items);
    StepReport r = step(t);
    assert_true(r.loss.memory == 0 && isfinite(r.loss.total) && r.norm > 0);
    assert_true(norm(items, p->count) == 0);
    trainer_free(&t);
    backend_free(&be);
}

/* A memory does not hide what is not finite. */
static void test_not_finite(void **state) {
    for (int k = 0; k < N(kinds); k++) {
        Backend *be = open_backend(*state, 2, "f32");
        const VitConfig config = config_of(kinds[k]);
        Trainer *t = open_trainer(be, &config);
        StepReport r;
        weights_named(t->vit, "encoder.norm.weight", NULL)[5] = NAN;
        assert_int_equal(try_step(t, &r), ERR_FAIL);
        assert_non_null(strstr(err_text(), "the loss is not finite"));
        trainer_free(&t);
        backend_free(&be);
    }
}

/* ---- settings. */

static void test_settings(void **state) {
    (void)state;
    VitConfig c = config_of(MEMORY_NONE);
    int tensors[3];
    int64_t values[3], decayed[3];
    c.items = 7;
    assert_int_equal(vit_items(&c), 0);
    c.items = 0;
    vit_census(&c, &tensors[0], &values[0], &decayed[0]);
    c.memory = MEMORY_MEMAE;
    assert_int_equal(vit_items(&c), 2000);
    vit_census(&c, &tensors[1], &values[1], &decayed[1]);
    c.memory = MEMORY_MNAD;
    assert_int_equal(vit_items(&c), 10);
    vit_census(&c, &tensors[2], &values[2], &decayed[2]);
    assert_int_equal(tensors[1], tensors[0] + 1);
    assert_int_equal(tensors[2], tensors[0] + 1);
    assert_int_equal(values[1], values[0] + 2000 * 24);
    assert_int_equal(decayed[1], decayed[0] + 2000 * 24);
    assert_int_equal(values[2], values[0] + 10 * 24 + 48 * 24);
    assert_int_equal(decayed[2], decayed[0] + 48 * 24); /* the wider decoder */
    c.items = 1;
    assert_int_equal(vit_config_check(&c), ERR_USAGE);
    assert_non_null(strstr(err_text(), "memory-items must be 2"));
    c.items = 2;
    assert_int_equal(vit_config_check(&c), 0);
}

static void test_first_items(void **state) {
    (void)state;
    Backend *be = open_backend("ref", 1, "f32");
    for (int k = 0; k < N(kinds); k++) {
        const VitConfig config = config_of(kinds[k]);
        Trainer *t = open_trainer(be, &config);
        const VitParam *p;
        const float *items = weights_named(t->vit, "memory.items", &p);
        double top = 0, bound = 1 / sqrt(24), squares = pow(norm(items, p->count), 2);
        for (int64_t i = 0; i < p->count; i++)
            top = fmax(top, fabs(items[i]));
        if (kinds[k] == MEMORY_MEMAE) { /* uniform: 7200 of them */
            assert_in_range((uint64_t)(1e6 * top), (uint64_t)(0.99e6 * bound),
                            (uint64_t)(1e6 * bound));
            assert_float_equal(squares / (double)p->count, bound * bound / 3, 0.05 * bound * bound);
        }
        for (int64_t i = 0; kinds[k] == MEMORY_MNAD && i < p->count; i += 24)
            assert_float_equal(norm(items + i, 24), 1, 1e-6);
        trainer_free(&t);
    }
    backend_free(&be);
}

int main(void) {
    static char ref[] = "ref", cpu[] = "cpu", f32[] = "f32", bf16[] = "bf16";
    const struct CMUnitTest tests[] = {
#define ON(what, test) {#test " (" #what ")", test, NULL, NULL, what}
        ON(ref, test_pytorch),
        ON(cpu, test_pytorch),
        ON(f32, test_threads_agree),
        ON(bf16, test_threads_agree),
        ON(ref, test_resume),
        ON(cpu, test_resume),
        ON(ref, test_items_move),
        ON(cpu, test_items_move),
        ON(ref, test_nothing_read),
        ON(cpu, test_nothing_read),
        ON(ref, test_not_finite),
        ON(cpu, test_not_finite),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_first_items),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
