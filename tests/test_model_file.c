/* A model with ranges for int8: what is in the file, files whose ranges lie, and writing that
 * fails. */
#include <dirent.h>
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
#include "model/weights.h"
#include "preset.h"
#include "train/checkpoint.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

enum { DEPTH = 2, SITES = DEPTH * VIT_SITES };

static const VitConfig tiny = {.image = 32,
                               .patch = 8,
                               .frames = 1,
                               .width = 24,
                               .depth = DEPTH,
                               .heads = 3,
                               .layer_scale = 0.1};
static const char data[] = "videos/of the \"station\"";

static Backend *be;
static Trainer *trainer;
static char checkpoint[512];
static VitRange ranges[SITES];

static Safetensors *open_file(const char *path) {
    Safetensors *file = NULL;
    if (safetensors_open(&file, path))
        fail_msg("%s", err_text());
    return file;
}

static void write_quantized(const char *from, const char *to) {
    if (model_with_ranges(from, (const VitRange *)ranges, to))
        fail_msg("%s", err_text());
}

/* ---- a good one. */

static void test_content(void **state) {
    (void)state;
    const char *path = fixture_path("content");
    write_quantized(checkpoint, path);
    Safetensors *file = open_file(path);
    ModelInfo info;
    assert_int_equal(model_info(&info, file, path), 0);
    assert_memory_equal(&info.network, &tiny, sizeof tiny);
    assert_int_equal(info.step, 77);
    assert_int_equal(info.steps_per_epoch, 3);
    assert_int_equal(info.seed, 4294967295); /* the largest there is */
    assert_string_equal(info.data, data);
    assert_string_equal(info.version, NORMALCY_VERSION);
    assert_string_equal(safetensors_metadata(file, "format"), "normalcy");
    const SafeTensor *t = safetensors_find(file, INT8_RANGES);
    assert_non_null(t);
    assert_int_equal(t->rank, 3);
    assert_int_equal(t->shape[0], DEPTH);
    assert_int_equal(t->shape[1], VIT_SITES);
    assert_int_equal(t->shape[2], 2);
    assert_memory_equal(t->data, ranges, sizeof ranges);
    for (int i = 0; i < safetensors_count(file); i++)
        assert_null(strstr(safetensors_at(file, i)->name, "optimizer"));
    assert_int_equal(safetensors_count(file), 9 + DEPTH * 15 + 1);
    assert_true(fixture_size(path) < fixture_size(checkpoint) / 2);
    safetensors_free(&file);
}

/* It is the same model, bit for bit, in any precision, and takes its ranges along. */
static void test_loads(void **state) {
    (void)state;
    const char *path = fixture_path("loads");
    write_quantized(checkpoint, path);
    Safetensors *file = open_file(path);
    Vit *v = NULL;
    size_t bytes = (size_t)vit_slab_count(trainer->vit) * sizeof(float);
    assert_int_equal(vit_open(&v, be, &tiny, 1, true), 0);
    assert_int_equal(weights_load(v, file, path, ""), 0);
    assert_memory_equal(vit_weights(v), vit_weights(trainer->vit), bytes);
    vit_free(&v);
    Backend *int8 = NULL;
    assert_int_equal(backend_open(&int8, "cpu", 1, "int8"), 0);
    assert_int_equal(vit_open(&v, int8, &tiny, 1, false), 0);
    assert_int_equal(weights_load(v, file, path, ""), 0);
    assert_int_equal(weights_load_ranges(v, file, path), 0);
    vit_free(&v);
    backend_free(&int8);
    safetensors_free(&file);
}

/* A model that has ranges gets other ones, over itself too. */
static void test_again(void **state) {
    (void)state;
    const char *path = fixture_path("again");
    VitRange other[SITES];
    write_quantized(checkpoint, path);
    for (int i = 0; i < SITES; i++)
        other[i][0] = -1, other[i][1] = (float)(i + 1);
    assert_int_equal(model_with_ranges(path, (const VitRange *)other, path), 0);
    Safetensors *file = open_file(path);
    assert_memory_equal(safetensors_find(file, INT8_RANGES)->data, other, sizeof other);
    assert_int_equal(safetensors_count(file), 9 + DEPTH * 15 + 1);
    safetensors_free(&file);
}

/* It scores; the run it came from cannot go on from it, and the message says what is missing. */
static void test_no_resume(void **state) {
    (void)state;
    const char *path = fixture_path("no-resume");
    write_quantized(checkpoint, path);
    Safetensors *file = open_file(path);
    CheckpointInfo info;
    assert_int_equal(checkpoint_info(&info, file, path), 0);
    assert_int_equal(checkpoint_load(trainer, &info, file, path), ERR_FAIL);
    assert_non_null(strstr(err_text(), "no-resume holds a model without the optimizer's state"));
    assert_non_null(strstr(err_text(), "cannot be resumed"));
    safetensors_free(&file);
}

/* ---- ranges that lie. */

static void write_ranges(const char *path, int rank, const int64_t *shape, const float *values) {
    SafeWriter *w = NULL;
    assert_int_equal(safe_writer_open(&w), 0);
    safe_writer_add(w, INT8_RANGES, rank, shape, values);
    assert_int_equal(safe_writer_save(&w, path), 0);
}

static void expect_refused(const char *path, const char *expect) {
    Backend *int8 = NULL;
    Vit *v = NULL;
    Safetensors *file = open_file(path);
    assert_int_equal(backend_open(&int8, "ref", 1, "int8"), 0);
    assert_int_equal(vit_open(&v, int8, &tiny, 1, false), 0);
    assert_int_equal(weights_load_ranges(v, file, path), ERR_FAIL);
    if (!strstr(err_text(), expect) || !strstr(err_text(), file_name(path)))
        fail_msg("\"%s\" does not say \"%s\" and the file", err_text(), expect);
    vit_free(&v);
    backend_free(&int8);
    safetensors_free(&file);
}

static void test_bad_ranges(void **state) {
    (void)state;
    const char *path = fixture_path("bad");
    const struct {
        int rank;
        int64_t shape[4];
    } shapes[] = {{3, {DEPTH + 1, VIT_SITES, 2}}, {3, {DEPTH, 2, VIT_SITES}}, {3, {1, 1, 2}},
                  {2, {DEPTH, VIT_SITES * 2}},    {1, {2 * SITES}},           {4, {1, 2, 4, 2}},
                  {3, {0, VIT_SITES, 2}},         {3, {DEPTH, VIT_SITES, 3}}};
    static const float values[64] = {0};
    for (int i = 0; i < N(shapes); i++) {
        write_ranges(path, shapes[i].rank, shapes[i].shape, values);
        expect_refused(path, "does not have the shape (2, 4, 2)");
    }
    const VitRange lies[] = {{NAN, 1}, {-1, NAN}, {-1, INFINITY}, {2, -1}, {0, 0}};
    for (int i = 0; i < N(lies); i++) {
        VitRange bad[SITES];
        memcpy(bad, ranges, sizeof bad);
        memcpy(bad[5], lies[i], sizeof *bad);
        write_ranges(path, 3, (const int64_t[]){DEPTH, VIT_SITES, 2}, bad[0]);
        expect_refused(path, "int8 range 5");
    }
    expect_refused(checkpoint, "no ranges for int8; 'normalcy quantize' makes a model");
}

/* ---- what fails leaves nothing. */

static int entries(const char *folder) {
    DIR *d = opendir(folder);
    int count = 0;
    assert_non_null(d);
    while (readdir(d))
        count++;
    closedir(d);
    return count;
}

static void expect_nothing(const char *from, const char *to, const char *expect) {
    assert_int_equal(model_with_ranges(from, (const VitRange *)ranges, to), ERR_FAIL);
    if (!strstr(err_text(), expect))
        fail_msg("\"%s\" does not say \"%s\"", err_text(), expect);
    assert_false(file_exists(to));
}

static void test_bad_source(void **state) {
    (void)state;
    const char *to = fixture_path("source/to"), *text = fixture_path("text");
    const char *other = fixture_path("other"), *cut = fixture_path("cut");
    expect_nothing(fixture_path("absent"), to, "absent");
    fixture_text(text, "this is not a model, not at all");
    expect_nothing(text, to, "text");
    write_ranges(other, 3, (const int64_t[]){DEPTH, VIT_SITES, 2}, ranges[0]);
    expect_nothing(other, to, "no normalcy model");
    write_quantized(checkpoint, cut);
    fixture_truncate(cut, fixture_size(cut) - 4);
    expect_nothing(cut, to, "cut");
    assert_int_equal(entries(fixture_path("source")), 2); /* . and .. */
}

static void test_unwritable(void **state) {
    (void)state;
    expect_nothing(checkpoint, "/nowhere/at/all", "/nowhere/at/all");
    expect_nothing(checkpoint, "/dev/null/model", "/dev/null/model");
    /* A folder in the way. */
    const char *folder = fixture_path("folder/in/the-way/x");
    fixture_text(folder, "");
    const char *taken = fixture_path("folder/in/the-way");
    assert_int_equal(model_with_ranges(checkpoint, (const VitRange *)ranges, taken), ERR_FAIL);
    assert_non_null(strstr(err_text(), "the-way"));
    assert_int_equal(entries(fixture_path("folder/in")), 3);
}

/* Any allocation may fail: no file, or the one of before; nothing leaks (the sanitizers tell). */
static void test_out_of_memory(void **state) {
    (void)state;
    const char *to = fixture_path("memory/to"), *kept = fixture_path("kept/to");
    const char *to_folder = fixture_path("memory"), *kept_folder = fixture_path("kept");
    int failures = 0, code = ERR_FAIL;
    fixture_text(kept, "before");
    for (int64_t n = 1; code; n++) {
        mem_fail_after(n);
        code = model_with_ranges(checkpoint, (const VitRange *)ranges, failures % 2 ? to : kept);
        mem_fail_after(0);
        failures += code != 0;
        assert_true(!code || strstr(err_text(), "out of memory"));
        if (code) {
            assert_int_equal(fixture_size(kept), 6);
            assert_int_equal(entries(kept_folder), 3);
            assert_int_equal(entries(to_folder), 2);
        }
    }
    assert_true(failures > 9 + DEPTH * 15);
}

static int begin(void **state) {
    (void)state;
    fixture_begin();
    const TrainSettings settings = preset("batch=1 mask-cell=8 seed=4294967295");
    if (backend_open(&be, "cpu", 1, "f32") || trainer_open(&trainer, be, &tiny, &settings, 3)) {
        print_error("%s\n", err_text());
        return -1;
    }
    trainer->step = 77;
    snprintf(checkpoint, sizeof checkpoint, "%s", fixture_path("checkpoint"));
    for (int i = 0; i < SITES; i++) {
        ranges[i][0] = -0.25f * (float)(i + 1);
        ranges[i][1] = 0.5f + (float)i;
    }
    return checkpoint_save(trainer, data, true, checkpoint);
}

static int end(void **state) {
    (void)state;
    trainer_free(&trainer);
    backend_free(&be);
    fixture_end();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content),    cmocka_unit_test(test_loads),
        cmocka_unit_test(test_again),      cmocka_unit_test(test_no_resume),
        cmocka_unit_test(test_bad_ranges), cmocka_unit_test(test_bad_source),
        cmocka_unit_test(test_unwritable), cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
