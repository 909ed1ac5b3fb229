/* Scores of other programs: the same figures whatever form they come in, and clear refusals. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/npy.h"
#include "eval/score_file.h"
#include "fixture.h"
#include "near.h"

enum { CLIPS = 2, COUNT = 10 };

static const int64_t lengths[CLIPS] = {6, 4};
static uint8_t label[COUNT] = {0, 0, 0, 1, 1, 0, 0, 1, 1, 0};
static const double score[COUNT] = {1, 2, 1, 6, 5, 3, 0, 4, 9, 2};

static uint8_t *frame[CLIPS] = {label, label + 6};
static int64_t length[CLIPS] = {6, 4};
static const Labels labels = {.variant = "made",
                              .clips = CLIPS,
                              .frame = frame,
                              .length = length,
                              .frames = COUNT,
                              .abnormal = 4};
static const Labels *const truth[] = {&labels};

static const char *write_scores(const char *name, const double *values, int64_t n) {
    const char *path = fixture_path("%s", name);
    if (npy_write_f64(path, values, 1, &n))
        fail_msg("%s", err_text());
    return path;
}

static ScoreFile *open_ok(const char *path) {
    ScoreFile *f = NULL;
    if (score_file_open(&f, path))
        fail_msg("%s", err_text());
    return f;
}

static ResultRow row_of(const ScoreFile *f, int64_t first, int64_t last, bool regularity) {
    static const Protocol *const wanted[] = {&protocols[1]}; /* one min-max */
    Dataset *d = NULL;
    Evaluation e = {0};
    ResultRow *rows = NULL, row;
    int count = 0;
    ResultPlan plan = {wanted, 1, {[SCORE_FRAME] = true}, 0, 25, 10};
    assert_int_equal(score_file_clips(&d, f, lengths, CLIPS, first + last), 0);
    if (score_file_evaluation(&e, f, d, truth, 1, first, last, regularity) ||
        evaluation_rows(&e, &plan, &rows, &count))
        fail_msg("%s", err_text());
    assert_int_equal(count, 1);
    row = rows[0];
    mem_free(rows);
    evaluation_free(&e);
    dataset_free(&d);
    return row;
}

static void test_one_array(void **state) {
    (void)state;
    ScoreFile *f = open_ok(write_scores("all.npy", score, COUNT));
    assert_int_equal(f->files, 0);
    assert_int_equal(f->count, COUNT);
    ResultRow row = row_of(f, 0, 0, false);
    assert_string_equal(row.model, f->path);
    assert_string_equal(row.score, "given");
    assert_int_equal(row.frames, COUNT);
    assert_int_equal(row.abnormal, 4);
    assert_near(row.auroc_micro, 100, 1e-9);
    assert_true(isnan(row.psnr));
    row = row_of(f, 0, 0, true);
    assert_near(row.auroc_micro, 0, 1e-9);
    score_file_free(&f);
}

/* A file a clip, of other types; the order is by number. */
static void test_folder(void **state) {
    (void)state;
    const float first[] = {1, 2, 1, 6, 5, 3};
    const int64_t second[] = {0, 4, 9, 2};
    char file[256] = {0};
    memcpy(file, "\x93NUMPY\x01\0\x76\0", 10);
    snprintf(file + 10, 119, "%-117s\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)}");
    memcpy(file + 128, first, sizeof first);
    fixture_write(fixture_path("folder/clip2.npy"), file, 128 + sizeof first);
    snprintf(file + 10, 119, "%-117s\n",
             "{'descr': '<i8', 'fortran_order': False, 'shape': (1, 4)}");
    memcpy(file + 128, second, sizeof second);
    fixture_write(fixture_path("folder/clip10.npy"), file, 128 + sizeof second);
    fixture_text(fixture_path("folder/readme.txt"), "no scores");
    ScoreFile *f = open_ok(fixture_path("folder"));
    assert_int_equal(f->files, 2);
    assert_string_equal(f->name[0], "clip2");
    assert_int_equal(f->length[1], 4);
    ResultRow row = row_of(f, 0, 0, false);
    assert_near(row.auroc_micro, 100, 1e-9);
    Dataset *d = NULL;
    assert_int_equal(score_file_clips(&d, f, NULL, 0, 3), 0);
    assert_int_equal(d->test.count, 2);
    assert_string_equal(d->test.clips[1].name, "clip10");
    assert_int_equal(d->test.clips[0].frames, 9);
    dataset_free(&d);
    score_file_free(&f);
}

/* Two frames at the start and one at the end of each clip have no score and do not count. */
static void test_unscored_ends(void **state) {
    (void)state;
    const double inner[] = {4, 6, 5, 9};
    ScoreFile *f = open_ok(write_scores("inner.npy", inner, 4));
    ResultRow row = row_of(f, 2, 1, false);
    assert_int_equal(row.frames, 4);
    assert_int_equal(row.abnormal, 3);
    assert_near(row.auroc_micro, 100, 1e-9);
    row = row_of(f, 2, 1, true);
    assert_near(row.auroc_micro, 0, 1e-9);
    score_file_free(&f);
}

/* Scores far apart: every abnormal one is above every normal one, under both min-max rules. */
static void test_wide_range(void **state) {
    (void)state;
    double wide[COUNT];
    for (int huge = 0; huge <= 1; huge++) {
        for (int i = 0; i < COUNT; i++)
            wide[i] = huge ? (label[i] ? 1e308 : -1e308 + i * 1e300) : score[i];
        wide[8] = huge ? 1e308 : 1e17;
        ScoreFile *f = open_ok(write_scores("wide.npy", wide, COUNT));
        ResultRow row = row_of(f, 0, 0, false);
        assert_true(row.auroc_micro == 100);
        row = row_of(f, 0, 0, true);
        assert_true(row.auroc_micro == 0);
        score_file_free(&f);
    }
}

static void refuse(const ScoreFile *f, int64_t first, int64_t last, const char *word) {
    Dataset *d = NULL;
    Evaluation e = {0};
    assert_int_equal(score_file_clips(&d, f, lengths, CLIPS, 0), 0);
    assert_int_equal(score_file_evaluation(&e, f, d, truth, 1, first, last, false), ERR_FAIL);
    if (!strstr(err_text(), word))
        fail_msg("'%s' lacks '%s'", err_text(), word);
    dataset_free(&d);
}

static void test_lengths(void **state) {
    (void)state;
    ScoreFile *f = open_ok(write_scores("short.npy", score, 8));
    refuse(f, 0, 0, "8 scores, expected 10");
    refuse(f, 0, 0, "here it is 1 a clip");
    refuse(f, 2, 0, "8 scores, expected 6");
    refuse(f, 3, 1, "none is left");
    score_file_free(&f);
    write_scores("wrong/1.npy", score, 5);
    write_scores("wrong/2.npy", score, 5);
    f = open_ok(fixture_path("wrong"));
    refuse(f, 0, 0, "1.npy has 5 scores, expected 6");
    score_file_free(&f);
    write_scores("wrong/3.npy", score, 1);
    f = open_ok(fixture_path("wrong"));
    refuse(f, 0, 0, "3 files of scores, but 2 test clips");
    score_file_free(&f);
}

static void test_unreadable(void **state) {
    (void)state;
    ScoreFile *f = NULL;
    const double bad[] = {1, NAN, 3}, infinite[] = {-INFINITY};
    assert_int_equal(score_file_open(&f, write_scores("nan.npy", bad, 3)), ERR_FAIL);
    assert_non_null(strstr(err_text(), "nan.npy: score 1 is"));
    assert_int_equal(score_file_open(&f, write_scores("inf.npy", infinite, 1)), ERR_FAIL);
    assert_int_equal(score_file_open(&f, fixture_path("absent.npy")), ERR_FAIL);
    assert_non_null(strstr(err_text(), "absent.npy"));
    fixture_text(fixture_path("none/readme.txt"), "no scores");
    assert_int_equal(score_file_open(&f, fixture_path("none")), ERR_FAIL);
    assert_non_null(strstr(err_text(), "no .npy file"));
    assert_null(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_array), cmocka_unit_test(test_wide_range),
        cmocka_unit_test(test_folder),    cmocka_unit_test(test_unscored_ends),
        cmocka_unit_test(test_lengths),   cmocka_unit_test(test_unreadable),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
