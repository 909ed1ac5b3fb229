/* The training step is reproducible and allocates nothing in a steady loop. It changes no weight if
 * the loss or the gradient is not finite. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "networks.h"
#include "preset.h"
#include "random.h"
#include "train/pseudo.h"
#include "train/schedule.h"
#include "train/trainer.h"
#include "train_step.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

/* ---- the step, on a small network and pairs made of noise. */

/* `name` is "ref" or "cpu", both in f32, or "bf16", which is cpu in bf16. */
static Backend *open_backend(const char *name) {
    bool bf16 = strcmp(name, "bf16") == 0;
    return open_with(bf16 ? "cpu" : name, 2, bf16 ? "bf16" : "f32");
}

static Trainer *open_trainer(Backend *be, const TrainSettings *settings) {
    return open_sized(be, &tiny, settings);
}

static void test_step_is_reproducible(void **state) {
    Backend *be = open_backend(*state);
    const TrainSettings settings = preset(options);
    Trainer *a = open_trainer(be, &settings), *b = open_trainer(be, &settings);
    int64_t allocations = 0;
    for (int i = 0; i < 4; i++) {
        StepReport ra = step(a), rb = step(b);
        assert_memory_equal(&ra, &rb, sizeof ra);
        assert_true(ra.lr == schedule_step_lr(&settings, STEPS_PER_EPOCH, i));
        if (i == 0) /* the first step allocates the scratch memory */
            allocations = mem_count();
    }
    assert_int_equal(mem_count(), allocations);
    assert_memory_equal(vit_weights(a->vit), vit_weights(b->vit), slab_bytes(a));
    /* Another pair number gives another mask, which the clean half does not use. */
    StepReport ra = step(a), rb;
    PairBatch batch = batch_of(b->step);
    int64_t other[BATCH] = {77, 78};
    batch.index = other;
    assert_int_equal(trainer_step(b, &batch, &rb), 0);
    assert_true(ra.loss.normal_int == rb.loss.normal_int);
    assert_true(ra.loss.pseudo_int != rb.loss.pseudo_int);
    trainer_free(&a);
    trainer_free(&b);
    /* The same batch one step later, in the same epoch: the same mask, another noise. */
    a = open_trainer(be, &settings), b = open_trainer(be, &settings);
    b->step = 1;
    batch = batch_of(0);
    assert_int_equal(trainer_step(a, &batch, &ra), 0);
    assert_int_equal(trainer_step(b, &batch, &rb), 0);
    assert_true(ra.loss.normal_int != rb.loss.normal_int);
    trainer_free(&a);
    trainer_free(&b);
    backend_free(&be);
}

/* Enough tokens for several tasks of each operation. */
static const VitConfig many_tokens = {.image = SIZE,
                                      .patch = 4,
                                      .frames = 1,
                                      .width = 96,
                                      .depth = 2,
                                      .heads = 3,
                                      .layer_scale = 0.1};

static void test_threads_agree(void **state) {
    const TrainSettings settings = preset(options);
    Backend *one = open_with("cpu", 1, *state), *three = open_with("cpu", 3, *state);
    Trainer *a = open_sized(one, &many_tokens, &settings);
    Trainer *b = open_sized(three, &many_tokens, &settings);
    for (int i = 0; i < 4; i++) {
        StepReport ra = step(a), rb = step(b);
        assert_memory_equal(&ra, &rb, sizeof ra);
    }
    assert_memory_equal(vit_weights(a->vit), vit_weights(b->vit), slab_bytes(a));
    assert_memory_equal(a->optimizer.m, b->optimizer.m, slab_bytes(a));
    assert_memory_equal(a->optimizer.v, b->optimizer.v, slab_bytes(a));
    trainer_free(&a);
    trainer_free(&b);
    backend_free(&one);
    backend_free(&three);
}

/* The same run in both precisions, with noise and masks. The losses differ by the rounding in the
 * step itself (5e-4, see test_reference.c) and by the drift of the weights. The largest difference
 * found is 2e-3. */
static void test_bf16_follows_f32(void **state) {
    (void)state;
    const TrainSettings settings =
        preset("batch=2 mask-cell=8 lr=3e-4 warmup-epochs=0 schedule=constant");
    Backend *wide = open_backend("cpu"), *narrow = open_backend("bf16");
    Trainer *a = open_sized(wide, &many_tokens, &settings);
    Trainer *b = open_sized(narrow, &many_tokens, &settings);
    double first = 0, last = 0;
    for (int i = 0; i < 30; i++) {
        StepReport ra = step(a), rb = step(b);
        double want = ra.loss.total, off = fabs(rb.loss.total - want) / want;
        first = i == 0 ? want : first;
        last = want;
        if (off > 1e-2)
            fail_msg("step %d: loss %g in bf16, %g in f32", i, rb.loss.total, want);
    }
    assert_true(last < 0.9 * first);
    assert_memory_not_equal(vit_weights(a->vit), vit_weights(b->vit), slab_bytes(a));
    trainer_free(&a);
    trainer_free(&b);
    backend_free(&wide);
    backend_free(&narrow);
}

static void test_learns(void **state) {
    Backend *be = open_backend(*state);
    const TrainSettings settings = preset("batch=2 mask-cell=8 lr=3e-3 warmup-epochs=0");
    Trainer *t = open_trainer(be, &settings);
    double first = step(t).loss.total, last = 0;
    for (int i = 0; i < 60; i++)
        last = step(t).loss.total;
    assert_true(last < 0.8 * first);
    int count; /* a row without a name, the key bias, is no parameter and stays 0 */
    const VitParam *p = vit_params(t->vit, &count);
    for (int i = 0; i < count; i++)
        for (int64_t k = 0; !p[i].name[0] && k < p[i].count; k++)
            assert_true(vit_weights(t->vit)[p[i].offset + k] == 0);
    trainer_free(&t);
    backend_free(&be);
}

/* The first step of a fresh network without noise. An image of one kind then has the same loss in
 * every recipe: the seed decides the weights, and (seed, epoch, pair) decides the mask. */
static StepReport first_step(Backend *be, const char *recipe) {
    char all[256];
    snprintf(all, sizeof all, "batch=2 mask-cell=8 dropout=0 drop-path=0 lr=1e-3 %s", recipe);
    const TrainSettings settings = preset(all);
    Trainer *t = open_trainer(be, &settings);
    StepReport r = step(t);
    trainer_free(&t);
    return r;
}

/* Another batch size has other tiles, so the same value is rounded differently. */
static void assert_near(double a, double b) {
    assert_true(fabs(a - b) <= 1e-5 * fabs(b));
}

static void test_recipes(void **state) {
    Backend *be = open_backend(*state);
    StepReport ours = first_step(be, recipe_find("ours")->options);
    StepReport alone = first_step(be, recipe_find("ablation/ae")->options);
    StepReport clean = first_step(be, "pseudo=mask passes=either pseudo-p=0 lambda-cst=0");
    StepReport masked = first_step(be, "pseudo=mask passes=either pseudo-p=1 lambda-cst=0");
    StepReport free = first_step(be, recipe_find("ablation/no-consistency")->options);
    assert_near(alone.loss.normal_int, ours.loss.normal_int);
    assert_near(alone.loss.normal_gd, ours.loss.normal_gd);
    assert_true(alone.loss.pseudo_int == 0 && alone.loss.total < ours.loss.total);
    assert_near(clean.loss.total, alone.loss.total);
    assert_near(masked.loss.pseudo_int, ours.loss.pseudo_int);
    assert_near(masked.loss.pseudo_gd, ours.loss.pseudo_gd);
    assert_true(masked.loss.normal_int == 0);
    assert_near(free.loss.total + 0.3 * ours.loss.consistency, ours.loss.total);
    assert_true(free.loss.consistency == 0 && ours.loss.consistency > 0);
    assert_true(free.norm != ours.norm);
    /* Other frames with the same target have another loss. STEAL subtracts its loss. */
    StepReport skip = first_step(be, "pseudo=skip passes=either pseudo-p=1 lambda-cst=0");
    StepReport patch = first_step(be, "pseudo=patch passes=either pseudo-p=1 lambda-cst=0");
    StepReport steal =
        first_step(be, "pseudo=skip passes=either pseudo-p=1 lambda-cst=0 pseudo-loss=negative");
    assert_true(skip.loss.pseudo_int != alone.loss.normal_int);
    assert_true(patch.loss.pseudo_int != alone.loss.normal_int);
    assert_true(steal.loss.total < 0 && steal.loss.pseudo_gd == 0);
    backend_free(&be);
}

/* A step that takes either X or X^P takes X where the loader has no frames for X^P. */
static void test_no_second_frames(void **state) {
    Backend *be = open_backend(*state);
    static const char *const rows[] = {"pseudo=skip passes=either pseudo-p=1 lambda-cst=0",
                                       "pseudo=patch passes=either pseudo-p=1 lambda-cst=0"};
    static const bool none[BATCH] = {false, false}, one[BATCH] = {false, true};
    for (int i = 0; i < N(rows); i++) {
        char all[256];
        snprintf(all, sizeof all, "%s dropout=0 drop-path=0 %s", options, rows[i]);
        const TrainSettings settings = preset(all);
        Trainer *t = open_trainer(be, &settings), *u = open_trainer(be, &settings);
        StepReport plain = first_step(be, recipe_find("ablation/ae")->options), r;
        PairBatch batch = batch_of(0);
        batch.has_second = none;
        assert_int_equal(trainer_step(t, &batch, &r), 0);
        assert_true(r.loss.pseudo_int == 0 && r.loss.normal_int == plain.loss.normal_int);
        batch.has_second = one;
        assert_int_equal(trainer_step(u, &batch, &r), 0);
        assert_true(r.loss.pseudo_int > 0 && r.loss.normal_int > 0);
        trainer_free(&t);
        trainer_free(&u);
    }
    /* A step that takes both uses X as X^P then. */
    const TrainSettings both =
        preset("batch=2 mask-cell=8 dropout=0 drop-path=0 lr=1e-3 pseudo=skip");
    Trainer *t = open_trainer(be, &both);
    StepReport r;
    PairBatch batch = batch_of(0);
    batch.has_second = none;
    assert_int_equal(trainer_step(t, &batch, &r), 0);
    assert_near(r.loss.pseudo_int, r.loss.normal_int);
    assert_float_equal(r.loss.consistency, 0, 1e-9);
    trainer_free(&t);
    backend_free(&be);
}

/* The loader brings second frames for the pairs that become pseudo anomalies: all pairs if a step
 * sees both X and X^P, else a share of pseudo_p. */
static void test_wants_second(void **state) {
    (void)state;
    const TrainSettings both = preset("pseudo=skip"), either = preset("pseudo=skip passes=either");
    int wanted = 0;
    for (int64_t pair = 0; pair < 1000; pair++) {
        assert_true(trainer_wants_second(&both, 1, pair));
        assert_int_equal(trainer_wants_second(&either, 1, pair), pseudo_chosen(&either, 1, pair));
        wanted += trainer_wants_second(&either, 1, pair);
    }
    assert_in_range(wanted, 140, 260); /* 200 expected; the deviation is 12.6 */
}

/* The gradient is linear in the weight of the consistency term, so g(0) = 2 g(1) - g(2). This holds
 * only if a weight of 0 leaves nothing of the term. */
static void test_no_consistency(void **state) {
    Backend *be = open_backend(*state);
    static const char *const weight[] = {"lambda-cst=0", "lambda-cst=1", "lambda-cst=2"};
    Trainer *t[3];
    for (int i = 0; i < 3; i++) {
        char all[256];
        snprintf(all, sizeof all, "%s %s", options, weight[i]);
        const TrainSettings settings = preset(all);
        t[i] = open_trainer(be, &settings);
        step(t[i]);
    }
    double off = 0, size = 0, added = 0;
    for (int64_t k = 0; k < vit_slab_count(t[0]->vit); k++) {
        double g0 = vit_gradients(t[0]->vit)[k], g1 = vit_gradients(t[1]->vit)[k];
        double g2 = vit_gradients(t[2]->vit)[k];
        off += pow(g0 - (2 * g1 - g2), 2);
        size += g0 * g0;
        added += pow(g1 - g0, 2);
    }
    /* f32 has seven digits, and the gradients are sums of some hundred terms */
    assert_true(size > 0 && added > 1e-6 * size && sqrt(off) < 1e-5 * sqrt(size));
    for (int i = 0; i < 3; i++)
        trainer_free(&t[i]);
    backend_free(&be);
}

/* Every recipe lowers its loss, and a second run gives the same losses. `extra` adds SimMIM, and
 * second frames in the doubled batch. */
static void test_recipes_learn(void **state) {
    Backend *be = open_backend(*state);
    static const char *const extra[] = {"pseudo=patch", "pseudo=skip",
                                        "objective=simmim lambda-cst=0"};
    for (int i = 0; i < 3 || recipes[i - 3].name; i++) {
        const char *recipe = i < 3 ? extra[i] : recipes[i - 3].options;
        TrainSettings settings = preset("batch=2 mask-cell=8 lr=3e-3 warmup-epochs=0");
        VitConfig network = tiny;
        OptGroup groups[] = {
            {"", train_options, &settings}, {"", vit_options, &network}, {NULL, NULL, NULL}};
        assert_int_equal(opt_set_list(groups, "", recipe), 0);
        network.frames = settings.pseudo == PSEUDO_STALE ? 2 : 1; /* as batch_of makes them */
        Trainer *a = open_sized(be, &network, &settings), *b = open_sized(be, &network, &settings);
        double first = step(a).loss.total, last = 0;
        assert_true(step(b).loss.total == first);
        for (int k = 0; k < 30; k++) {
            last = step(a).loss.total;
            assert_true(step(b).loss.total == last);
        }
        if (!(last < 0.95 * first))
            fail_msg("%s: the loss went from %g to %g", recipe, first, last);
        trainer_free(&a);
        trainer_free(&b);
    }
    backend_free(&be);
}

/* A network of zero weights predicts 0, so the loss is the mean |x| of the masked pixels. */
static void test_simmim(void **state) {
    Backend *be = open_backend(*state);
    const TrainSettings settings =
        preset("batch=2 mask-cell=8 objective=simmim mask-ratio=0.5 lambda-cst=0");
    Trainer *t = open_trainer(be, &settings);
    be->zero(be, vit_weights(t->vit), slab_bytes(t));
    PairBatch batch = batch_of(0);
    double sum = 0;
    int64_t count = 0;
    for (int64_t b = 0; b < BATCH; b++) {
        uint8_t mask[SIZE / 8 * SIZE / 8];
        pseudo_draw(mask, &settings, &tiny, 0, batch.index[b]);
        for (int i = 0; i < SIZE * SIZE; i++)
            for (int c = 0; c < 3 && mask[i / SIZE / 8 * (SIZE / 8) + i % SIZE / 8]; c++, count++)
                sum += fabs(batch.x[b * BYTES + 3 * i + c] / 127.5 - 1);
    }
    StepReport r;
    assert_int_equal(trainer_step(t, &batch, &r), 0);
    assert_float_equal(r.loss.hidden, sum / (double)count, 1e-6);
    assert_true(r.loss.total == r.loss.hidden);
    trainer_free(&t);
    backend_free(&be);
}

static void test_settings_that_clash(void **state) {
    (void)state;
    static const char *const bad[] = {"pseudo=none", "passes=either", "pseudo-loss=negative"};
    VitConfig residual = tiny;
    residual.residual = true;
    for (int i = 0; i < 3; i++) {
        const TrainSettings t = preset(bad[i]);
        assert_int_equal(train_settings_check(&t, &base), ERR_USAGE);
    }
    const TrainSettings simmim = preset("objective=simmim mask-cell=8");
    assert_int_equal(train_settings_check(&simmim, &tiny), 0);
    assert_int_equal(train_settings_check(&simmim, &residual), ERR_USAGE);
    assert_null(recipe_find("none"));
}

/* A network of zero weights predicts 0, so the loss is the mean square of the next frame. A byte b
 * of the frame stands for b / 127.5 - 1. */
static void test_target(void **state) {
    Backend *be = open_backend(*state);
    const TrainSettings settings = preset(options);
    Trainer *t = open_trainer(be, &settings);
    be->zero(be, vit_weights(t->vit), slab_bytes(t));
    PairBatch batch = batch_of(0);
    double squares = 0;
    for (int i = 0; i < BATCH * BYTES; i++)
        squares += pow(batch.y[i] / 127.5 - 1, 2);
    StepReport r;
    assert_int_equal(trainer_step(t, &batch, &r), 0);
    assert_float_equal(r.loss.normal_int, squares / (BATCH * BYTES), 1e-6);
    assert_float_equal(r.loss.pseudo_int, squares / (BATCH * BYTES), 1e-6);
    assert_true(r.loss.consistency == 0);
    trainer_free(&t);
    backend_free(&be);
}

/* The total is the weighted sum of its parts, as in the paper. */
static void test_loss_parts(void **state) {
    Backend *be = open_backend(*state);
    const TrainSettings settings =
        preset("batch=2 mask-cell=8 lambda-int=0.5 lambda-gd=2 lambda-cst=7");
    Trainer *t = open_trainer(be, &settings);
    PairLoss l = step(t).loss;
    double want =
        0.5 * (l.normal_int + l.pseudo_int) + 2 * (l.normal_gd + l.pseudo_gd) + 7 * l.consistency;
    assert_float_equal(l.total, want, 1e-12 * want);
    assert_true(l.normal_int > 0 && l.pseudo_gd > 0 && l.consistency > 0);
    trainer_free(&t);
    /* Without noise and mask both halves are the same. */
    const TrainSettings plain = preset("batch=2 mask-cell=8 mask-ratio=0 dropout=0 drop-path=0");
    t = open_trainer(be, &plain);
    l = step(t).loss;
    assert_float_equal(l.normal_int, l.pseudo_int, 1e-6 * l.normal_int);
    assert_float_equal(l.normal_gd, l.pseudo_gd, 1e-6 * l.normal_gd);
    assert_float_equal(l.consistency, 0, 1e-9);
    trainer_free(&t);
    backend_free(&be);
}

/* The slab ends with the decoder's weights, then its bias. `value` replaces the last value of the
 * bias, or without `bias` the last weight. */
static const struct {
    const char *backend;
    bool bias;
    float value;
    const char *what;
} poisons[] = {
    {"ref", true, NAN, "the loss is not finite"},
    {"cpu", true, NAN, "the loss is not finite"},
    {"ref", true, -INFINITY, "the loss is not finite"},
    {"cpu", true, INFINITY, "the loss is not finite"},
    {"cpu", true, 1e20f, "the loss is not finite"}, /* a line's squares are summed in float */
    {"bf16", true, NAN, "the loss is not finite"},
    {"ref", false, 3e21f, "the gradient is not finite"}, /* the loss is double, and finite */
};

static void test_not_finite(void **state) {
    (void)state;
    const TrainSettings settings = preset(options);
    for (int i = 0; i < N(poisons); i++) {
        Backend *be = open_backend(poisons[i].backend);
        Trainer *t = open_trainer(be, &settings);
        step(t);
        size_t bytes = slab_bytes(t);
        float *before = mem_alloc(bytes, 1), *m = mem_alloc(bytes, 1);
        int64_t outputs = 3 * tiny.patch * tiny.patch;
        float *w = vit_weights(t->vit) + vit_slab_count(t->vit) - 1, good;
        w -= poisons[i].bias ? 0 : outputs;
        good = *w;
        *w = poisons[i].value;
        memcpy(before, vit_weights(t->vit), bytes);
        memcpy(m, t->optimizer.m, bytes);
        StepReport r;
        PairBatch batch = batch_of(1);
        assert_int_equal(trainer_step(t, &batch, &r), ERR_FAIL);
        if (!strstr(err_text(), "step 1: ") || !strstr(err_text(), poisons[i].what))
            fail_msg("row %d: %s", i, err_text());
        assert_memory_equal(before, vit_weights(t->vit), bytes);
        assert_memory_equal(m, t->optimizer.m, bytes);
        assert_int_equal(t->step, 1);
        *w = good;
        step(t); /* and it goes on */
        assert_int_equal(t->step, 2);
        mem_free(before);
        mem_free(m);
        trainer_free(&t);
        backend_free(&be);
    }
}

static void test_memory(void **state) {
    (void)state;
    const TrainSettings small = preset("batch=2 mask-cell=8"), large = preset("batch=4");
    Backend *be = open_backend("ref");
    assert_true(trainer_memory(&tiny, &small, be) > 0);
    assert_true(trainer_memory(&tiny, &large, be) > trainer_memory(&tiny, &small, be));
    /* Any allocation of trainer_open may fail. The sanitizers then find no leak. */
    int failures = 0, code = ERR_FAIL;
    for (int64_t n = 1; n < 200; n++) {
        Trainer *t = NULL;
        mem_fail_after(n);
        code = trainer_open(&t, be, &tiny, &small, STEPS_PER_EPOCH);
        mem_fail_after(0);
        assert_true(!code == !!t);
        failures += code != 0;
        trainer_free(&t);
    }
    assert_true(failures > 10 && !code);
    backend_free(&be);
}

int main(void) {
    static char ref[] = "ref", cpu[] = "cpu", f32[] = "f32", bf16[] = "bf16";
    const struct CMUnitTest tests[] = {
#define ON(backend, test) {#test " (" #backend ")", test, NULL, NULL, backend}
        ON(ref, test_step_is_reproducible),
        ON(cpu, test_step_is_reproducible),
        ON(bf16, test_step_is_reproducible),
        ON(f32, test_threads_agree),
        ON(bf16, test_threads_agree),
        cmocka_unit_test(test_bf16_follows_f32),
        ON(ref, test_learns),
        ON(cpu, test_learns),
        ON(bf16, test_learns),
        ON(ref, test_recipes),
        ON(cpu, test_recipes),
        ON(ref, test_no_second_frames),
        ON(cpu, test_no_second_frames),
        cmocka_unit_test(test_wants_second),
        ON(ref, test_no_consistency),
        ON(cpu, test_no_consistency),
        ON(ref, test_recipes_learn),
        ON(cpu, test_recipes_learn),
        ON(bf16, test_recipes_learn),
        ON(ref, test_simmim),
        ON(cpu, test_simmim),
        cmocka_unit_test(test_settings_that_clash),
        ON(ref, test_target),
        ON(cpu, test_target),
        ON(ref, test_loss_parts),
        ON(cpu, test_loss_parts),
        ON(bf16, test_loss_parts),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
