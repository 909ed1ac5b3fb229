/* An evaluation of made-up clips: which scores stand where, and which rows come out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/evaluate.h"
#include "eval/metrics.h"
#include "fixture.h"
#include "near.h"

enum { SIZE = 32, FRAMES = 2 };

static Dataset *data;
static Labels *labels[2];
static Scorer *persistence;
static const char *const name = "persistence";

static const Labels *const *truths(void) {
    return (const Labels *const *)labels;
}

static Evaluation run(void) {
    Evaluation e = {0};
    if (evaluation_run(&e, data, truths(), 2, &persistence, &name, 1,
                       EVALUATE_NETWORK | EVALUATE_OPINIONS, 2, NULL, NULL))
        fail_msg("%s", err_text());
    return e;
}

/* Frames without a score take the first one of their clip; the others are the scorer's. */
static void test_scores(void **state) {
    (void)state;
    Evaluation e = run();
    assert_int_equal(e.first, FRAMES);
    assert_int_equal(e.last, 0);
    assert_null(e.value[0][SCORE_MOTION]); /* the model knows nothing of motion */
    for (int k = 0; k < SCORE_MOTION; k++)
        for (int64_t c = 0, at = 0; c < e.clips; at += labels[0]->length[c++]) {
            const double *v = e.value[0][k] + at;
            assert_true(v[0] == v[FRAMES] && v[1] == v[FRAMES]);
            for (int64_t t = 0; t < labels[0]->length[c]; t++)
                assert_true(isfinite(v[t]) && v[t] > 0);
            assert_true(k != SCORE_FRAME || v[FRAMES + 1] != v[FRAMES]);
        }
    /* The worst place cannot be better than the mean over all. */
    for (int64_t i = 0; i < labels[0]->frames; i++) {
        assert_true(e.value[0][SCORE_WINDOW][i] <= e.value[0][SCORE_FRAME][i] + 1e-5);
        assert_true(e.value[0][SCORE_MAX_PATCH][i] <= e.value[0][SCORE_TOP_PATCHES][i]);
    }
    evaluation_free(&e);
}

static void test_rows(void **state) {
    (void)state;
    const Protocol *const wanted[] = {protocol_find("hf2"), protocol_find("global")};
    ResultPlan plan = {wanted, 2, {[SCORE_FRAME] = true, [SCORE_WINDOW] = true}, 2, 25, 10};
    ResultRow *rows = NULL;
    int count = 0;
    Evaluation e = run();
    assert_int_equal(evaluation_rows(&e, &plan, &rows, &count), 0);
    assert_int_equal(count, 2 * 2 * 2 * 2);
    for (int i = 0; i < count; i++) {
        assert_string_equal(rows[i].hash, labels[i / 8]->hash);
        assert_string_equal(rows[i].score, i / 4 % 2 ? "window" : "frame");
        assert_string_equal(rows[i].protocol, i / 2 % 2 ? "global" : "hf2");
        assert_true(rows[i].smooth == (i % 2 ? 2 : 0));
        assert_string_equal(rows[i].model, "persistence");
        assert_int_equal(rows[i].frames, i / 2 % 2 ? 20 - 2 * FRAMES : 20 - 2 * 4);
    }
    /* The figures are those of the judged scores, in percent. */
    Judged j = {0};
    double want;
    assert_int_equal(evaluation_judge(&j, &e, 0, SCORE_FRAME, wanted[1]), 0);
    assert_int_equal(auroc(&want, j.score, j.label, j.frames), 0);
    assert_near(rows[2].auroc_micro, 100 * want, 1e-12);
    assert_int_equal(auroc_macro(&want, j.score, j.label, j.length, j.clips), 0);
    assert_near(rows[2].auroc_macro, 100 * want, 1e-12);
    assert_int_equal(average_precision(&want, j.score, j.label, j.frames), 0);
    assert_near(rows[2].ap, 100 * want, 1e-12);
    assert_int_equal(equal_error_rate(&want, j.score, j.label, j.frames), 0);
    assert_near(rows[2].eer, 100 * want, 1e-12);
    assert_int_equal(rows[2].abnormal, j.abnormal);
    /* Mean over the frames that have a score. */
    double sum = 0;
    for (int64_t c = 0, at = 0; c < 2; at += labels[0]->length[c++])
        for (int64_t t = FRAMES; t < labels[0]->length[c]; t++)
            sum += e.value[0][SCORE_FRAME][at + t];
    assert_near(rows[0].psnr, sum / (20 - 2 * FRAMES), 1e-9);
    judged_free(&j);
    mem_free(rows);
    evaluation_free(&e);
}

/* Without a min-max, zero stands for the most normal frame. */
static void test_zero(void **state) {
    (void)state;
    Judged j = {0};
    Evaluation e = run();
    const Protocol none = {.name = "none", .steps = 1, .step = {{NORMALISE_NONE, {0}}}};
    assert_int_equal(evaluation_judge(&j, &e, 0, SCORE_FRAME, &none), 0);
    double least = INFINITY;
    for (int64_t i = 0; i < j.frames; i++)
        least = fmin(least, j.score[i]);
    assert_true(least == 0);
    judged_free(&j);
    evaluation_free(&e);
}

static void test_lengths(void **state) {
    (void)state;
    Evaluation e = {0};
    const Labels *const truth = labels[0];
    labels[0]->length[1]--;
    assert_int_equal(evaluation_run(&e, data, &truth, 1, &persistence, &name, 1,
                                    EVALUATE_NETWORK | EVALUATE_OPINIONS, 2, NULL, NULL),
                     ERR_FAIL);
    assert_non_null(strstr(err_text(), "more than"));
    labels[0]->length[1]++;
    assert_null(e.value[0][0]);
}

static int begin(void **state) {
    (void)state;
    fixture_begin();
    fixture_clip(fixture_path("data/testing/frames/01"), 12, 40, 40, 1);
    fixture_clip(fixture_path("data/testing/frames/02"), 8, 40, 40, 30);
    fixture_text(fixture_path("data/labels.txt"), "01 5 7\n02 6 6\n");
    fixture_text(fixture_path("other.txt"), "01 6 11\n");
    return dataset_open(&data, fixture_path("data")) || labels_open(&labels[0], data, NULL) ||
                   labels_open(&labels[1], data, fixture_path("other.txt")) ||
                   scorer_open_persistence(&persistence, SIZE, FRAMES)
               ? -1
               : 0;
}

static int end(void **state) {
    (void)state;
    scorer_free(&persistence);
    labels_free(&labels[0]);
    labels_free(&labels[1]);
    dataset_free(&data);
    fixture_end();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_zero),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
