/* Checkpoints: nothing lost on the way to disk and back, a resumed run that equals one that never
 * stopped, and files that lie. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "fixture.h"
#include "networks.h"
#include "preset.h"
#include "random.h"
#include "train/checkpoint.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

enum { BATCH = 2, SIZE = 32, BYTES = SIZE * SIZE * 3, STEPS_PER_EPOCH = 3 };

static const char data[] = "videos/of the \"station\"";

/* Dropout, drop-path and masks on, as they are by default. */
static TrainSettings settings_of(const char *options) {
    char all[256];
    snprintf(all, sizeof all, "batch=2 mask-cell=8 epochs=4 warmup-epochs=1 %s", options);
    return preset(all);
}

static Backend *open_backend(const char *name) {
    Backend *be = NULL;
    if (backend_open(&be, name, 2, "f32"))
        fail_msg("%s", err_text());
    return be;
}

static Trainer *open_trainer(Backend *be, const VitConfig *config, const TrainSettings *settings) {
    Trainer *t = NULL;
    if (trainer_open(&t, be, config, settings, STEPS_PER_EPOCH))
        fail_msg("%s", err_text());
    return t;
}

static void steps(Trainer *t, int count) {
    static uint8_t x[BATCH * BYTES], y[BATCH * BYTES];
    for (int n = 0; n < count; n++) {
        Rng r = rng_stream(4, RNG_TEST, 7, (uint32_t)t->step);
        int64_t index[BATCH] = {t->step % 3, 3 + t->step % 3};
        for (int i = 0; i < BATCH * BYTES; i++) {
            x[i] = (uint8_t)(256 * rng_uniform(&r, (uint64_t)i));
            y[i] = (uint8_t)(x[i] / 2 + 20);
        }
        StepReport report;
        if (trainer_step(t, &(PairBatch){.x = x, .y = y, .index = index}, &report))
            fail_msg("%s", err_text());
    }
}

static void expect_same(const Trainer *a, const Trainer *b) {
    size_t bytes = (size_t)vit_slab_count(a->vit) * sizeof(float);
    assert_memory_equal(vit_weights(a->vit), vit_weights(b->vit), bytes);
    assert_memory_equal(a->optimizer.m, b->optimizer.m, bytes);
    assert_memory_equal(a->optimizer.v, b->optimizer.v, bytes);
    assert_int_equal(a->step, b->step);
}

static int load(Trainer *t, const char *path) {
    Safetensors *file = NULL;
    CheckpointInfo info;
    int code = safetensors_open(&file, path);
    if (!code)
        code = checkpoint_info(&info, file, path);
    if (!code)
        code = checkpoint_load(t, &info, file, path);
    safetensors_free(&file);
    return code;
}

/* ---- good files. */

static void test_round_trip(void **state) {
    Backend *be = open_backend(*state);
    const TrainSettings settings = settings_of("lr=0.00123456789012345 seed=4294967295");
    Trainer *a = open_trainer(be, &tiny, &settings), *b = open_trainer(be, &tiny, &settings);
    const char *path = fixture_path("round-trip");
    steps(a, 2);
    assert_int_equal(checkpoint_save(a, data, true, path), 0);
    Safetensors *file = NULL;
    CheckpointInfo info;
    assert_int_equal(safetensors_open(&file, path), 0);
    assert_int_equal(checkpoint_info(&info, file, path), 0);
    assert_memory_equal(&info.model.network, &tiny, sizeof tiny);
    for (const Opt *row = train_options; row->name; row++) {
        char want[OPT_VALUE], got[OPT_VALUE];
        assert_string_equal(opt_value_text(row, &info.training, got),
                            opt_value_text(row, &settings, want));
    }
    assert_int_equal(info.model.step, 2);
    assert_int_equal(info.model.steps_per_epoch, STEPS_PER_EPOCH);
    assert_string_equal(info.model.data, data);
    assert_string_equal(safetensors_metadata(file, "format"), "normalcy");
    assert_int_equal(checkpoint_load(b, &info, file, path), 0);
    expect_same(a, b);
    /* The weights go by SimMIM's names, so others can read them. */
    const SafeTensor *t = safetensors_find(file, "encoder.blocks.1.attn.qkv.weight");
    assert_non_null(t);
    assert_int_equal(t->shape[0], 72);
    assert_int_equal(safetensors_count(file), 3 * (9 + 2 * 15));
    safetensors_free(&file);
    trainer_free(&a);
    trainer_free(&b);
    backend_free(&be);
}

/* Across the end of an epoch, too. */
static void test_resume(void **state) {
    Backend *be = open_backend(*state);
    const TrainSettings settings = settings_of("lr=1e-3");
    Trainer *straight = open_trainer(be, &tiny, &settings);
    const char *path = fixture_path("resume");
    steps(straight, 7);
    for (int stop = 0; stop < 7; stop += 2) {
        Trainer *a = open_trainer(be, &tiny, &settings), *b = open_trainer(be, &tiny, &settings);
        steps(a, stop);
        assert_int_equal(checkpoint_save(a, data, true, path), 0);
        trainer_free(&a);
        steps(b, 1); /* whatever it did before */
        assert_int_equal(load(b, path), 0);
        steps(b, 7 - stop);
        expect_same(straight, b);
        trainer_free(&b);
    }
    trainer_free(&straight);
    backend_free(&be);
}

/* Reproducing a run is not the same as running: other noise gives another result. */
static void test_seed_matters(void **state) {
    Backend *be = open_backend(*state);
    const TrainSettings settings = settings_of("lr=1e-3"), other = settings_of("lr=1e-3 seed=3");
    Trainer *a = open_trainer(be, &tiny, &settings), *b = open_trainer(be, &tiny, &other);
    const char *path = fixture_path("seed");
    assert_int_equal(checkpoint_save(a, data, true, path), 0);
    assert_int_equal(load(b, path), 0);
    expect_same(a, b);
    steps(a, 1);
    steps(b, 1);
    size_t bytes = (size_t)vit_slab_count(a->vit) * sizeof(float);
    assert_memory_not_equal(a->optimizer.m, b->optimizer.m, bytes);
    trainer_free(&a);
    trainer_free(&b);
    backend_free(&be);
}

/* ---- bad files: a good one, copied with one thing changed. */

typedef struct {
    const char *drop;    /* tensor left out */
    const char *reshape; /* tensor whose shape gets one dimension */
    const char *poison;  /* tensor with `value3` at 3, or NaN */
    float value3;
    const char *key, *value; /* metadata, NULL: left out */
    const char *expect[3];   /* parts of the message */
} Lie;

static void copy_with(const Safetensors *from, const Lie *lie, const char *path) {
    static const char *const keys[] = {"format", "version",  "step",   "steps_per_epoch",
                                       "data",   "training", "network"};
    SafeWriter *w = NULL;
    float *copies[256] = {NULL};
    assert_int_equal(safe_writer_open(&w), 0);
    for (int i = 0; i < N(keys); i++) {
        const char *value = safetensors_metadata(from, keys[i]);
        if (lie->key && strcmp(lie->key, keys[i]) == 0)
            value = lie->value;
        if (value)
            safe_writer_metadata(w, keys[i], value);
    }
    assert_true(safetensors_count(from) <= N(copies));
    for (int i = 0; i < safetensors_count(from); i++) {
        const SafeTensor *t = safetensors_at(from, i);
        float *x = copies[i] = mem_alloc((size_t)t->count, sizeof *x);
        assert_int_equal(safetensors_to_f32(t, x), 0);
        if (lie->poison && strcmp(lie->poison, t->name) == 0)
            x[3] = lie->value3 != 0 ? lie->value3 : NAN;
        if (lie->reshape && strcmp(lie->reshape, t->name) == 0)
            safe_writer_add(w, t->name, 1, &t->count, x);
        else if (!lie->drop || strcmp(lie->drop, t->name) != 0)
            safe_writer_add(w, t->name, t->rank, t->shape, x);
    }
    assert_int_equal(safe_writer_save(&w, path), 0);
    for (int i = 0; i < N(copies); i++)
        mem_free(copies[i]);
}

static void expect_refused(Trainer *t, const char *path, const char *const expect[3]) {
    assert_int_not_equal(load(t, path), 0);
    for (int i = 0; i < 3 && expect[i]; i++)
        if (!strstr(err_text(), expect[i]))
            fail_msg("\"%s\" does not say \"%s\"", err_text(), expect[i]);
    if (!strstr(err_text(), file_name(path)))
        fail_msg("\"%s\" does not name the file", err_text());
}

static const Lie lies[] = {
    {.drop = "encoder.norm.bias", .expect = {"tensor encoder.norm.bias is missing"}},
    {.drop = "optimizer.exp_avg.decoder.0.bias", .expect = {"exp_avg.decoder.0.bias is missing"}},
    {.drop = "optimizer.exp_avg_sq.encoder.mask_token", .expect = {"mask_token is missing"}},
    {.reshape = "encoder.cls_token",
     .expect = {"encoder.cls_token has shape (24)", "expects (1, 1, 24)"}},
    {.reshape = "decoder.0.weight", .expect = {"shape (4608)", "expects (192, 24, 1, 1)"}},
    {.poison = "encoder.blocks.1.mlp.fc2.bias",
     .expect = {"encoder.blocks.1.mlp.fc2.bias", "not finite at 3"}},
    {.poison = "optimizer.exp_avg_sq.decoder.0.bias", .expect = {"not finite"}},
    {.poison = "optimizer.exp_avg_sq.decoder.0.bias",
     .value3 = -1e-30f,
     .expect = {"exp_avg_sq.decoder.0.bias holds -1e-30 at 3", "mean of squares"}},
    {.key = "step", .value = NULL, .expect = {"\"step\" is missing"}},
    {.key = "step", .value = "13", .expect = {"\"13\", expected 0 to 12", "4 epochs of 3 steps"}},
    {.key = "step", .value = "999999999999", .expect = {"\"999999999999\", expected 0 to 12"}},
    {.key = "step", .value = "-1", .expect = {"\"-1\", expected 0 to 12"}},
    {.key = "step", .value = "1x", .expect = {"\"1x\", expected 0 to 12"}},
    {.key = "step", .value = "", .expect = {"\"\", expected 0 to 12"}},
    {.key = "network", .value = NULL, .expect = {"no normalcy model"}},
    {.key = "network", .value = "{", .expect = {"\"network\"", "JSON"}},
    {.key = "network", .value = "[]x", .expect = {"\"network\"", "JSON"}},
    {.key = "network", .value = "{\"width\":24}", .expect = {"width", "expected a text"}},
    {.key = "network", .value = "{\"width\":\"5\"}", .expect = {"width", "5 is out of range"}},
    {.key = "network", .value = "{\"widht\":\"24\"}", .expect = {"widht", "did you mean width"}},
    {.key = "network", .value = "{\"patch\":\"15\"}", .expect = {"not a multiple of patch 15"}},
    {.key = "training", .value = NULL, .expect = {"training"}},
    {.key = "training", .value = "{\"lr\":\"fast\"}", .expect = {"lr", "\"fast\""}},
};

static void test_lies(void **state) {
    (void)state;
    Backend *be = open_backend("ref");
    const TrainSettings settings = settings_of("");
    Trainer *t = open_trainer(be, &tiny, &settings);
    Safetensors *good = NULL;
    const char *path = fixture_path("good");
    steps(t, 1);
    assert_int_equal(checkpoint_save(t, data, true, path), 0);
    assert_int_equal(safetensors_open(&good, path), 0);
    const Lie truth = {0};
    copy_with(good, &truth, fixture_path("copy"));
    assert_int_equal(load(t, fixture_path("copy")), 0);
    const Lie last = {.key = "step", .value = "12"},
              less = {.poison = "optimizer.exp_avg.decoder.0.bias", .value3 = -1};
    copy_with(good, &last, fixture_path("copy"));
    assert_int_equal(load(t, fixture_path("copy")), 0); /* a run that is done */
    assert_int_equal(t->step, 12);
    copy_with(good, &less, fixture_path("copy"));
    assert_int_equal(load(t, fixture_path("copy")), 0); /* first moments have either sign */
    for (int i = 0; i < N(lies); i++) {
        copy_with(good, &lies[i], fixture_path("lie"));
        expect_refused(t, fixture_path("lie"), lies[i].expect);
    }
    safetensors_free(&good);
    trainer_free(&t);
    backend_free(&be);
}

/* A network of another size: the message tells both. */
static void test_another_size(void **state) {
    (void)state;
    Backend *be = open_backend("ref");
    const TrainSettings settings = settings_of("");
    const VitConfig wide = {.image = SIZE,
                            .patch = 8,
                            .frames = 1,
                            .width = 32,
                            .depth = 2,
                            .heads = 4,
                            .layer_scale = 0.1},
                    deep = {.image = SIZE,
                            .patch = 8,
                            .frames = 1,
                            .width = 24,
                            .depth = 3,
                            .heads = 3,
                            .layer_scale = 0.1};
    Trainer *a = open_trainer(be, &tiny, &settings), *b = open_trainer(be, &wide, &settings);
    Trainer *c = open_trainer(be, &deep, &settings);
    const char *path = fixture_path("size");
    assert_int_equal(checkpoint_save(a, data, true, path), 0);
    expect_refused(b, path, (const char *[3]){"has shape (1, 1, 24)", "expects (1, 1, 32)"});
    expect_refused(c, path, (const char *[3]){"encoder.blocks.2.gamma_1 is missing"});
    trainer_free(&a);
    trainer_free(&b);
    trainer_free(&c);
    backend_free(&be);
}

static void test_no_checkpoint(void **state) {
    (void)state;
    Backend *be = open_backend("ref");
    const TrainSettings settings = settings_of("");
    Trainer *t = open_trainer(be, &tiny, &settings);
    const char *path = fixture_path("whole");
    assert_int_equal(checkpoint_save(t, data, true, path), 0);
    const size_t whole = fixture_size(path);
    const size_t cuts[] = {whole - 1, whole / 2, 5000, 100, 9, 8, 1};
    for (int i = 0; i < N(cuts); i++) {
        fixture_truncate(path, cuts[i]);
        expect_refused(t, path, (const char *[3]){cuts[i] > 6000 ? "out of range" : "truncated"});
    }
    fixture_truncate(path, 0);
    expect_refused(t, path, (const char *[3]){"empty"});
    fixture_text(path, "epochs: 60\nbatch: 4\n");
    expect_refused(t, path, (const char *[3]){"not a safetensors file"});
    expect_refused(t, fixture_path("absent"), (const char *[3]){"cannot read", "No such file"});
    trainer_free(&t);
    backend_free(&be);
}

/* A save that fails leaves the checkpoint of before. */
static void test_failed_save(void **state) {
    (void)state;
    Backend *be = open_backend("ref");
    const TrainSettings settings = settings_of("");
    Trainer *t = open_trainer(be, &tiny, &settings);
    const char *path = fixture_path("kept");
    assert_int_equal(checkpoint_save(t, data, true, path), 0);
    steps(t, 1);
    int failures = 0, code = ERR_FAIL;
    for (int64_t n = 1; code; n++) {
        mem_fail_after(n);
        code = checkpoint_save(t, data, true, path);
        mem_fail_after(0);
        CheckpointInfo info;
        Safetensors *file = NULL;
        assert_int_equal(safetensors_open(&file, path), 0);
        assert_int_equal(checkpoint_info(&info, file, path), 0);
        assert_int_equal(info.model.step, code ? 0 : 1);
        safetensors_free(&file);
        failures += code != 0;
    }
    assert_true(failures >= 5);
    assert_int_not_equal(checkpoint_save(t, data, true, "/nowhere/at/all"), 0);
    assert_non_null(strstr(err_text(), "/nowhere/at/all"));
    trainer_free(&t);
    backend_free(&be);
}

int main(void) {
    static char ref[] = "ref", cpu[] = "cpu";
    const struct CMUnitTest tests[] = {
#define ON(backend, test) {#test " (" #backend ")", test, NULL, NULL, backend}
        ON(ref, test_round_trip),
        ON(cpu, test_round_trip),
        ON(ref, test_resume),
        ON(cpu, test_resume),
        ON(ref, test_seed_matters),
        ON(cpu, test_seed_matters),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_another_size),
        cmocka_unit_test(test_no_checkpoint),
        cmocka_unit_test(test_failed_save),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
