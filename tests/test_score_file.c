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

/* Frames without a score are NaN: they do not count, wherever they are. */
static void test_missing(void **state) {
    (void)state;
    const double holes[COUNT] = {NAN, 2, NAN, 6, 5, 3, NAN, NAN, 9, 2};
    ScoreFile *f = open_ok(write_scores("holes.npy", holes, COUNT));
    for (int first = 0; first <= 1; first++) { /* the array holds the frames of --first, too */
        ResultRow row = row_of(f, first, 0, false);
        assert_int_equal(row.frames, 6);
        assert_int_equal(row.abnormal, 3);
        assert_near(row.auroc_micro, 100, 1e-9);
    }
    refuse(f, 2, 0, "frame 1 of clip 1 has a score; --first and --last say");
    Dataset *d = NULL;
    Evaluation e = {0};
    Judged j = {0};
    assert_int_equal(score_file_clips(&d, f, lengths, CLIPS, 0), 0);
    assert_int_equal(score_file_evaluation(&e, f, d, truth, 1, 0, 0, false), 0);
    assert_int_equal(e.first, 1);
    assert_int_equal(e.last, 0);
    static const double filled[COUNT] = {2, 2, 2, 6, 5, 3, 9, 9, 9, 2};
    static const int64_t kept[] = {1, 3, 4, 5, 2, 3};
    for (int i = 0; i < COUNT; i++)
        assert_true(e.value[0][SCORE_FRAME][i] == -filled[i]);
    assert_int_equal(evaluation_judge(&j, &e, 0, SCORE_FRAME, &protocols[0]), 0);
    assert_int_equal(j.frames, 6);
    for (int i = 0; i < 6; i++)
        assert_int_equal(j.frame[i], kept[i]);
    judged_free(&j);
    assert_int_equal(evaluation_judge(&j, &e, 0, SCORE_FRAME, protocol_find("mlep")), 0);
    assert_int_equal(j.frames, COUNT); /* of that protocol all frames count */
    judged_free(&j);
    evaluation_free(&e);
    dataset_free(&d);
    score_file_free(&f);
    const double none[COUNT] = {1, 1, 1, 1, 1, 1, NAN, NAN, NAN, NAN};
    f = open_ok(write_scores("none.npy", none, COUNT));
    refuse(f, 0, 0, "clip 02 has no score: all of its 4 are NaN");
    score_file_free(&f);
}

/* Equal frames have an infinite PSNR or 100 dB: the most normal one, and no end of the min-max. */
static void test_equal_frames(void **state) {
    (void)state;
    double psnr[COUNT] = {30, 29, 100, 20, 21, 31, 32, 22, 23, 100};
    double figure[3];
    for (int k = 0; k < 3; k++) {
        psnr[2] = k == 1 ? INFINITY : 100;
        psnr[9] = k ? INFINITY : 100;
        ScoreFile *f = open_ok(write_scores("psnr.npy", psnr, COUNT));
        Dataset *d = NULL;
        Evaluation e = {0};
        assert_int_equal(score_file_clips(&d, f, lengths, CLIPS, 0), 0);
        assert_int_equal(score_file_evaluation(&e, f, d, truth, 1, 0, 0, true), 0);
        const double *value = e.value[0][SCORE_FRAME];
        assert_true(value[2] > 32 && value[2] < 32.001 && value[9] == value[2]);
        assert_true(value[6] == 32);
        evaluation_free(&e);
        dataset_free(&d);
        figure[k] = row_of(f, 0, 0, true).auroc_micro;
        assert_true(figure[k] == figure[0]);
        if (k)
            refuse(f, 0, 0, "is infinite; only PSNRs (--regularity) may be");
        score_file_free(&f);
        if (k == 0) { /* 100 is a score like any other, where higher is more abnormal */
            f = open_ok(write_scores("anomaly.npy", psnr, COUNT));
            assert_near(row_of(f, 0, 0, false).auroc_micro, 0, 1e-9);
            score_file_free(&f);
        }
    }
    psnr[0] = 1000; /* no PSNRs: 100 is a number as any other */
    psnr[2] = 100, psnr[9] = INFINITY;
    ScoreFile *f = open_ok(write_scores("other.npy", psnr, COUNT));
    Dataset *d = NULL;
    Evaluation e = {0};
    assert_int_equal(score_file_clips(&d, f, lengths, CLIPS, 0), 0);
    assert_int_equal(score_file_evaluation(&e, f, d, truth, 1, 0, 0, true), 0);
    assert_true(e.value[0][SCORE_FRAME][2] == 100 && e.value[0][SCORE_FRAME][9] > 1000);
    assert_true(e.keeps_zero);
    evaluation_free(&e);
    dataset_free(&d);
    score_file_free(&f);
}

static ResultRow row_of_text(const char *name, const char *text) {
    const char *path = fixture_path("%s", name);
    fixture_text(path, text);
    ScoreFile *f = open_ok(path);
    ResultRow row = row_of(f, 0, 0, false);
    score_file_free(&f);
    return row;
}

/* What `score` prints: lines name their frames, and lower is more abnormal. */
static void test_lines(void **state) {
    (void)state;
    static const char json[] =
        "{\"file\":\"v/a.mp4\",\"frame\":1,\"seconds\":0.04,\"psnr\":30}\n"
        "{\"file\":\"v/a.mp4\",\"frame\":3,\"psnr\":20,\"time\":\"2026\"}\r\n"
        "{\"file\":\"v/a.mp4\",\"frame\":4,\"psnr\":null,\"corrupt\":true}\n\n"
        "{\"psnr\":100,\"frame\":1,\"file\":\"v/b.mp4\"}\n"
        "{\"psnr\":19.5,\"frame\":2,\"file\":\"v/b.mp4\"}";
    static const char csv[] = "\xef\xbb\xbf"
                              "file,frame,seconds,psnr\r\n"
                              "\"a, 1.mp4\",1,0.04,30\r\n\"a, 1.mp4\",3,,20\r\n"
                              "\"a, 1.mp4\",4,,\r\nb.mp4,1,,100\r\nb.mp4,2,,19.5\r\n";
    for (int k = 0; k < 2; k++) {
        ResultRow row = row_of_text(k ? "lines.csv" : "lines.jsonl", k ? csv : json);
        assert_int_equal(row.frames, 4);
        assert_int_equal(row.abnormal, 3); /* frame 3 of the first, 1 and 2 of the second clip */
        ScoreFile *f = open_ok(fixture_path(k ? "lines.csv" : "lines.jsonl"));
        assert_int_equal(f->files, 2);
        assert_string_equal(f->name[0], k ? "a, 1" : "a");
        assert_string_equal(f->name[1], "b");
        assert_int_equal(f->length[0], 5);
        assert_int_equal(f->length[1], 3);
        assert_true(isnan(f->score[0]) && f->score[1] == 30 && isnan(f->score[4]));
        assert_true(isinf(f->score[6]));
        Evaluation e = {0};
        assert_int_equal(score_file_evaluation(&e, f, NULL, truth, 1, 1, 0, false), ERR_USAGE);
        assert_non_null(strstr(err_text(), "lines name their frames"));
        score_file_free(&f);
    }
    fixture_text(fixture_path("one/2.csv"), "frame,psnr\n0,30\n5,20\n");
    fixture_text(fixture_path("one/10.csv"), "frame,psnr\n1,30\n3,20\n");
    ScoreFile *f = open_ok(fixture_path("one"));
    assert_int_equal(f->files, 2);
    assert_string_equal(f->name[1], "10");
    assert_int_equal(row_of(f, 0, 0, false).frames, 4);
    score_file_free(&f);
}

static void refuse_lines(const char *text, const char *word) {
    const char *path = fixture_path("bad.csv");
    ScoreFile *f = NULL;
    fixture_text(path, text);
    assert_int_equal(score_file_open(&f, path), ERR_FAIL);
    assert_null(f);
    if (!strstr(err_text(), word) || !strstr(err_text(), path))
        fail_msg("'%s' lacks '%s' or the path", err_text(), word);
}

static void test_bad_lines(void **state) {
    (void)state;
    refuse_lines("", "neither a .npy array nor lines");
    refuse_lines("a,b\n1,2\n", "neither a .npy array nor lines");
    refuse_lines("frame,psnr\n", "there is no score in it");
    refuse_lines("frame,psnr\n1,x\n", "line 2: expected numbers");
    refuse_lines("frame,psnr\n,3\n", "line 2: expected numbers");
    refuse_lines("frame,psnr\n-1,3\n", "line 2: frame -1 is negative");
    refuse_lines("frame,psnr\n3,30\n3,30\n", "line 3: frame 3 follows frame 3");
    refuse_lines("frame,psnr\n999999999999,30\n", "out of range");
    refuse_lines("{\"frame\":1}\n", "line 1: expected a line of 'score'");
    refuse_lines("{\"frame\":1,\"psnr\":3}\n{\n", "line 2");
    fixture_text(fixture_path("long.csv"), "file,frame,psnr\na,6,30\nb,1,30\n");
    ScoreFile *f = open_ok(fixture_path("long.csv"));
    refuse(f, 0, 0, "a has a line of frame 6, but the clip has 6 frames");
    score_file_free(&f);
}

static void test_infinite(void **state) {
    (void)state;
    double bad[COUNT] = {0};
    bad[1] = -INFINITY;
    ScoreFile *f = open_ok(write_scores("inf.npy", bad, COUNT));
    refuse(f, 0, 0, "inf.npy: score 1 is infinite; only PSNRs (--regularity) may be");
    score_file_free(&f);
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
        cmocka_unit_test(test_missing),   cmocka_unit_test(test_equal_frames),
        cmocka_unit_test(test_lines),     cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_infinite),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
