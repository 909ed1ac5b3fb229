/* Protocols: which frames count, in which order min-max and filters come, and the published frame
 * counts on the real Ped2. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "eval/metrics.h"
#include "eval/protocol.h"
#include "near.h"
#include "random.h"

enum { CLIPS = 3, COUNT = 60 };

/* Clips of 30, 20 and 10 frames; regularity 100 + frame number over all. */
typedef struct {
    int64_t length[CLIPS];
    uint8_t label[COUNT], *frame[CLIPS];
    double regularity[COUNT];
    Labels labels;
    ProtocolInput input;
} Made;

static void make(Made *m, int64_t first, int64_t last) {
    static const int64_t length[CLIPS] = {30, 20, 10};
    *m = (Made){.regularity = {0}};
    for (int c = 0, at = 0; c < CLIPS; at += (int)length[c++]) {
        m->length[c] = length[c];
        m->frame[c] = m->label + at;
        for (int t = 0; t < length[c]; t++)
            m->label[at + t] = t % 3 == 0;
    }
    for (int i = 0; i < COUNT; i++)
        m->regularity[i] = 100 + i;
    m->labels = (Labels){.clips = CLIPS, .frame = m->frame, .length = m->length, .frames = COUNT};
    m->input = (ProtocolInput){&m->labels, m->regularity, first, last, 0, NULL};
}

static Judged apply(const char *name, const Made *m, double sigma) {
    Judged j = {0};
    const Protocol *p = protocol_find(name);
    assert_non_null(p);
    if (protocol_apply(&j, p, &m->input, sigma))
        fail_msg("%s", err_text());
    return j;
}

static void test_names(void **state) {
    (void)state;
    assert_string_equal(protocols[0].name, "per-clip");
    assert_string_equal(protocols[1].name, "global");
    for (const Protocol *p = protocols; p->name; p++) {
        assert_ptr_equal(protocol_find(p->name), p);
        assert_true(p->note && p->steps >= 1 && p->steps <= PROTOCOL_STEPS);
        assert_true(strlen(p->name) <= 10); /* the table's column */
    }
    assert_null(protocol_find("sma"));
    assert_int_equal(protocol_normalise(protocol_find("global")), NORMALISE_GLOBAL);
    assert_int_equal(protocol_normalise(protocol_find("hf2")), NORMALISE_NONE);
    assert_int_equal(protocol_normalise(protocol_find("jig-sht")), NORMALISE_CLIP);
}

static void test_frames_that_count(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t first, last, length[CLIPS];
    } cases[] = {
        {"per-clip", 0, 0, {30, 20, 10}}, {"per-clip", 1, 0, {29, 19, 9}},
        {"per-clip", 4, 3, {23, 13, 3}},  {"fp", 1, 0, {26, 16, 6}},
        {"lnra", 1, 0, {15, 5, 0}}, /* a clip of 10 is dropped */
        {"mlep", 1, 0, {30, 20, 10}},     {"acci", 4, 2, {30, 20, 10}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        Made m;
        make(&m, cases[k].first, cases[k].last);
        Judged j = apply(cases[k].name, &m, 0);
        int64_t frames = 0, abnormal = 0;
        for (int c = 0; c < CLIPS; c++) {
            assert_int_equal(j.length[c], cases[k].length[c]);
            frames += j.length[c];
        }
        for (int64_t i = 0; i < j.frames; i++)
            abnormal += j.label[i];
        assert_int_equal(j.frames, frames);
        assert_int_equal(j.abnormal, abnormal);
        judged_free(&j);
    }
}

/* A frame keeps its own label and takes the nearest score where it has none. */
static void test_frames_without_score(void **state) {
    (void)state;
    Made m;
    make(&m, 2, 1);
    m.regularity[0] = m.regularity[1] = m.regularity[29] = NAN; /* must not be looked at */
    Judged j = apply("mlep", &m, 0);
    assert_true(j.score[0] == j.score[2] && j.score[1] == j.score[2]);
    assert_true(j.score[29] == j.score[28] && j.score[28] < j.score[27]);
    assert_true(j.score[0] == 1 && j.score[29] == 0);
    assert_int_equal(j.label[0], 1);
    assert_int_equal(j.label[1], 0);
    judged_free(&j);
}

static void test_normalisation(void **state) {
    (void)state;
    Made m;
    make(&m, 0, 0);
    Judged clip = apply("per-clip", &m, 0), global = apply("global", &m, 0);
    for (int c = 0, at = 0; c < CLIPS; at += (int)m.length[c++]) {
        assert_true(clip.score[at] == 1 && clip.score[at + m.length[c] - 1] == 0);
        assert_near(clip.score[at + 1], 1 - 1.0 / (double)(m.length[c] - 1), 1e-12);
    }
    for (int i = 0; i < COUNT; i++)
        assert_near(global.score[i], 1 - i / 59.0, 1e-12);
    judged_free(&clip);
    judged_free(&global);
}

/* Without min-max the zero that edges are filled with is the most normal score. */
static void test_zero(void **state) {
    (void)state;
    Made m;
    make(&m, 0, 0);
    m.input.normal = 159;
    m.regularity[7] = INFINITY; /* equal frames */
    Judged j = apply("hf2", &m, 0);
    assert_true(j.score[0] == 0); /* of 17: 8 zeros before the clip, and fewer than 9 above */
    for (int64_t i = 0; i < j.frames; i++)
        assert_true(j.score[i] >= 0 && j.score[i] <= 159 - 100);
    judged_free(&j);
    j = apply("acci", &m, 0);
    for (int64_t i = 0; i < j.frames; i++)
        assert_true(j.score[i] >= 0);
    judged_free(&j);
}

/* The same steps by hand. */
static void test_order_of_steps(void **state) {
    (void)state;
    Made m;
    make(&m, 0, 0);
    Rng r = rng_stream(9, RNG_TEST, 0, 0);
    for (int i = 0; i < COUNT; i++)
        m.regularity[i] = rng_uniform(&r, (uint64_t)i);
    const Smooth mean5 = {SMOOTH_MEAN, EDGE_ZERO, 5, 0};
    const Smooth raw49 = {SMOOTH_GAUSSIAN_RAW, EDGE_REPEAT, 49, 20};
    const Smooth raw899 = {SMOOTH_GAUSSIAN_RAW, EDGE_ZERO, 899, 282};
    Judged jig = apply("jig", &m, 0), aed = apply("aedmae-sht", &m, 0);
    for (int c = 0, at = 0; c < CLIPS; at += (int)m.length[c++]) {
        double x[30];
        int64_t n = m.length[c];
        assert_int_equal(regular_normalise(x, m.regularity + at, &n, 1, NORMALISE_CLIP), 0);
        smooth_run(&mean5, x, n);
        for (int i = 0; i < n; i++)
            x[i] = -x[i];
        assert_int_equal(regular_normalise(x, x, &n, 1, NORMALISE_CLIP), 0);
        smooth_run(&raw49, x, n);
        for (int i = 0; i < n; i++)
            assert_near(jig.score[at + i], x[i], 1e-12);

        for (int i = 0; i < n; i++)
            x[i] = -m.regularity[at + i];
        smooth_run(&raw899, x, n);
        for (int i = 0; i < n; i++)
            x[i] = -x[i];
        assert_int_equal(regular_normalise(x, x, &n, 1, NORMALISE_CLIP), 0);
        for (int i = 0; i < n; i++)
            assert_near(aed.score[at + i], x[i], 1e-9);
    }
    judged_free(&jig);
    judged_free(&aed);
}

/* An added Gaussian comes last and stays within a clip. */
static void test_smoothing(void **state) {
    (void)state;
    Made m;
    make(&m, 0, 0);
    for (int i = 0; i < COUNT; i++)
        m.regularity[i] = i == 20 ? 0 : 1;
    Judged plain = apply("per-clip", &m, 0), smooth = apply("per-clip", &m, 2);
    double sum = 0;
    for (int i = 0; i < 30; i++)
        sum += smooth.score[i];
    assert_true(plain.score[20] == 1 && plain.score[19] == 0);
    assert_true(smooth.score[20] < 0.25 && smooth.score[19] > 0.1);
    assert_near(sum, 1, 1e-12);
    for (int i = 30; i < COUNT; i++)
        assert_true(smooth.score[i] == 0);
    judged_free(&plain);
    judged_free(&smooth);
}

static void test_out_of_memory(void **state) {
    (void)state;
    Made m;
    make(&m, 0, 0);
    for (int i = 1; i <= 5; i++) {
        Judged j = {0};
        mem_fail_after(i);
        assert_int_equal(protocol_apply(&j, protocol_find("hf2"), &m.input, 0), ERR_FAIL);
        assert_null(j.score);
    }
    mem_fail_after(0);
}

/* Frames and abnormal ones as the papers' codes count them (method B.2, D.1). */
static void test_ped2(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t frames, abnormal;
    } cases[] = {
        {"per-clip", 1998, 1641}, {"global", 1998, 1641}, {"fp", 1962, 1620},
        {"mnad", 1962, 1620},     {"hf2", 1962, 1620},    {"dmad", 1962, 1620},
        {"mlep", 2010, 1648},     {"aedmae", 2010, 1648}, {"acci", 2010, 1648},
        {"jig", 2010, 1648},
    };
    char path[4096];
    const char *root = getenv("NORMALCY_DATA");
    snprintf(path, sizeof path, "%s/ped2", root ? root : SOURCE_DIR "/../shared/data");
    if (!file_is_folder(path)) {
        print_message("no Ped2 at %s: set NORMALCY_DATA to a folder that holds ped2/\n", path);
        skip();
    }
    Dataset *data = NULL;
    Labels *labels = NULL;
    if (dataset_open(&data, path) || labels_open(&labels, data, NULL))
        fail_msg("%s", err_text());
    double *regularity = mem_alloc((size_t)labels->frames, sizeof *regularity);
    for (int64_t i = 0; i < labels->frames; i++)
        regularity[i] = (double)(i % 97);
    ProtocolInput in = {labels, regularity, 1, 0, 97, NULL};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        Judged j = {0};
        assert_int_equal(protocol_apply(&j, protocol_find(cases[k].name), &in, 0), 0);
        if (j.frames != cases[k].frames || j.abnormal != cases[k].abnormal)
            fail_msg("%s: %d frames, %d abnormal", cases[k].name, (int)j.frames, (int)j.abnormal);
        judged_free(&j);
    }
    mem_free(regularity);
    labels_free(&labels);
    dataset_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_frames_that_count),
        cmocka_unit_test(test_frames_without_score),
        cmocka_unit_test(test_normalisation),
        cmocka_unit_test(test_zero),
        cmocka_unit_test(test_order_of_steps),
        cmocka_unit_test(test_smoothing),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_ped2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
