/* Figures of merit against hand-computed cases, the O(n^2) definition and scikit-learn. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/metrics.h"
#include "near.h"
#include "random.h"
#include "score/scorer.h"
#include "sklearn.h"

#define N(a) ((int64_t)(sizeof(a) / sizeof *(a)))

/* The share of (abnormal, normal) pairs that are in order; a tie counts half. */
static double mann_whitney(const double *score, const uint8_t *label, int64_t n) {
    double wins = 0, pairs = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            if (label[i] && !label[j]) {
                pairs++;
                wins += score[i] > score[j] ? 1 : score[i] == score[j] ? 0.5 : 0;
            }
    return wins / pairs;
}

static double area_of(const double *score, const uint8_t *label, int64_t n) {
    double out = -1;
    assert_int_equal(auroc(&out, score, label, n), 0);
    return out;
}

static void test_exact(void **state) {
    (void)state;
    const uint8_t label[] = {0, 0, 1, 1};
    assert_true(area_of((double[]){1, 2, 3, 4}, label, 4) == 1);
    assert_true(area_of((double[]){4, 3, 2, 1}, label, 4) == 0);
    assert_true(area_of((double[]){1, 3, 2, 4}, label, 4) == 0.75);
    assert_true(area_of((double[]){0.1, 0.4, 0.35, 0.8}, label, 4) == 0.75);
    assert_true(area_of((double[]){-INFINITY, 0, 0, INFINITY}, label, 4) == 0.875);
}

static void test_ties(void **state) {
    (void)state;
    const uint8_t label[] = {0, 1, 0, 1, 1};
    assert_true(area_of((double[]){7, 7, 7, 7, 7}, label, 5) == 0.5);
    /* pairs: (2,1) win, (2,2) tie, (2,1) win, (2,2) tie, (1,1) tie, (1,2) loss */
    assert_true(area_of((double[]){1, 2, 2, 2, 1}, label, 5) == 3.5 / 6);
}

static void test_one_class(void **state) {
    (void)state;
    const double score[] = {1, 2, 3};
    assert_true(isnan(area_of(score, (uint8_t[]){0, 0, 0}, 3)));
    assert_true(isnan(area_of(score, (uint8_t[]){1, 1, 1}, 3)));
    assert_true(isnan(area_of(score, (uint8_t[]){0}, 0)));
    RocPoint *points = NULL;
    int64_t count = 0;
    assert_int_equal(roc_curve(&points, &count, score, (uint8_t[]){1, 1, 1}, 3), ERR_FAIL);
    assert_non_null(strstr(err_text(), "abnormal"));
    assert_null(points);
}

static void test_nan_is_refused(void **state) {
    (void)state;
    double out = 42;
    RocPoint *points = NULL;
    int64_t count, length = 3;
    const double score[] = {1, NAN, 3};
    const uint8_t label[] = {0, 1, 1};
    assert_int_equal(auroc(&out, score, label, 3), ERR_FAIL);
    assert_non_null(strstr(err_text(), "score 1 of 3"));
    assert_int_equal(roc_curve(&points, &count, score, label, 3), ERR_FAIL);
    assert_int_equal(auroc_macro(&out, score, label, &length, 1), ERR_FAIL);
    assert_int_equal(average_precision(&out, score, label, 3), ERR_FAIL);
    assert_int_equal(equal_error_rate(&out, score, label, 3), ERR_FAIL);
    assert_true(out == 42);
}

static void test_against_definition(void **state) {
    (void)state;
    enum { MAX = 400 };
    double score[MAX];
    uint8_t label[MAX];
    for (uint32_t trial = 0; trial < 40; trial++) {
        Rng r = rng_stream(7, RNG_TEST, 1, trial);
        int64_t n = 2 + (int64_t)(rng_uniform(&r, 0) * (MAX - 2));
        double levels = 1 + floor(rng_uniform(&r, 1) * 30); /* few levels: many ties */
        for (int64_t i = 0; i < n; i++) {
            label[i] = rng_uniform(&r, (uint64_t)(10 + 2 * i)) < 0.3;
            score[i] = floor(levels * rng_uniform(&r, (uint64_t)(11 + 2 * i))) / levels;
        }
        label[0] = 0, label[1] = 1;
        double want = mann_whitney(score, label, n);
        assert_true(fabs(area_of(score, label, n) - want) < 1e-12);

        RocPoint *p;
        int64_t count;
        assert_int_equal(roc_curve(&p, &count, score, label, n), 0);
        double trapezoid = 0;
        for (int64_t i = 1; i < count; i++) {
            assert_true(p[i].fpr >= p[i - 1].fpr && p[i].tpr >= p[i - 1].tpr);
            assert_true(p[i].threshold < p[i - 1].threshold);
            trapezoid += (p[i].fpr - p[i - 1].fpr) * (p[i].tpr + p[i - 1].tpr) / 2;
        }
        assert_true(p[0].fpr == 0 && p[0].tpr == 0);
        assert_true(p[count - 1].fpr == 1 && p[count - 1].tpr == 1);
        assert_true(fabs(trapezoid - want) < 1e-12);
        mem_free(p);
    }
}

static void test_roc_points(void **state) {
    (void)state;
    RocPoint *p;
    int64_t count;
    const double score[] = {0.9, 0.5, 0.5, 0.1};
    assert_int_equal(roc_curve(&p, &count, score, (uint8_t[]){1, 1, 0, 0}, 4), 0);
    assert_int_equal(count, 4);
    assert_true(p[1].fpr == 0 && p[1].tpr == 0.5 && p[1].threshold == 0.9);
    assert_true(p[2].fpr == 0.5 && p[2].tpr == 1 && p[2].threshold == 0.5);
    mem_free(p);
}

static void test_macro(void **state) {
    (void)state;
    double out;
    /* Clip 1: 0 | 0.5 1 with its pads 0 and 1: normals {0, 0}, abnormals {0.5, 1, 1}: 1.
     * Clip 2, all normal {0, 0.4, 1} + pads: abnormal {1}, normals {0, 0, 0.4, 1}: 3.5 / 4. */
    const double score[] = {0, 0.5, 1, 0, 0.4, 1};
    const uint8_t label[] = {0, 1, 1, 0, 0, 0};
    const int64_t length[] = {3, 0, 3};
    assert_int_equal(auroc_macro(&out, score, label, length, 3), 0);
    assert_true(fabs(out - (1 + 3.5 / 4) / 2) < 1e-12);
    /* One normalisation over all clips: the pads are its ends, not the clip's own. Here clip 2's
     * only normal frame is the pad, below both of its abnormal frames. */
    const double global[] = {0, 1, 0.3, 0.4};
    assert_int_equal(auroc_macro(&out, global, (uint8_t[]){0, 1, 1, 1}, (int64_t[]){2, 2}, 2), 0);
    assert_true(out == 1);
    assert_int_equal(auroc_macro(&out, score, label, length, 0), 0);
    assert_true(isnan(out));
}

static void test_order_does_not_matter(void **state) {
    (void)state;
    enum { COUNT = 97 };
    double score[COUNT], shuffled[COUNT];
    uint8_t label[COUNT], shuffled_label[COUNT];
    int64_t order[COUNT];
    Rng r = rng_stream(1, RNG_TEST, 2, 0);
    rng_permutation(&r, order, COUNT);
    for (int i = 0; i < COUNT; i++) {
        score[i] = floor(10 * rng_uniform(&r, (uint64_t)(1000 + i)));
        label[i] = i % 3 == 0;
    }
    for (int i = 0; i < COUNT; i++) {
        shuffled[i] = score[order[i]];
        shuffled_label[i] = label[order[i]];
    }
    assert_true(area_of(score, label, COUNT) == area_of(shuffled, shuffled_label, COUNT));
}

static double precision_of(const double *score, const uint8_t *label, int64_t n) {
    double out = -1;
    assert_int_equal(average_precision(&out, score, label, n), 0);
    return out;
}

static double eer_of(const double *score, const uint8_t *label, int64_t n) {
    double out = -1;
    assert_int_equal(equal_error_rate(&out, score, label, n), 0);
    return out;
}

static void test_average_precision(void **state) {
    (void)state;
    const uint8_t label[] = {0, 0, 1, 1};
    assert_true(precision_of((double[]){1, 2, 3, 4}, label, 4) == 1);
    /* 0.8 first: precision 1 at recall 1/2; 0.4 normal; 0.35: precision 2/3 at recall 1 */
    assert_near(precision_of((double[]){0.1, 0.4, 0.35, 0.8}, label, 4), (1 + 2.0 / 3) / 2, 1e-15);
    assert_near(precision_of((double[]){5, 5, 5, 5}, label, 4), 0.5, 1e-15);
    assert_true(precision_of((double[]){1, 2}, (uint8_t[]){1, 1}, 2) == 1);
    assert_true(isnan(precision_of((double[]){1, 2}, (uint8_t[]){0, 0}, 2)));
}

static void test_equal_error_rate(void **state) {
    (void)state;
    const uint8_t label[] = {0, 0, 1, 1};
    assert_true(eer_of((double[]){1, 2, 3, 4}, label, 4) == 0);
    assert_true(eer_of((double[]){4, 3, 2, 1}, label, 4) == 1);
    assert_near(eer_of((double[]){5, 5, 5, 5}, label, 4), 0.5, 1e-15); /* the diagonal */
    /* The curve: (0, 1/2), (1/2, 1/2), ...: it meets fpr = 1 - tpr at (1/2, 1/2). */
    assert_near(eer_of((double[]){0.1, 0.4, 0.35, 0.8}, label, 4), 0.5, 1e-15);
    /* From (0, 1/2) to (2/3, 1) in one step of ties: fpr = 1 - tpr at 2/7. */
    assert_near(eer_of((double[]){5, 5, 1, 9, 5}, (uint8_t[]){0, 0, 0, 1, 1}, 5), 2.0 / 7, 1e-15);
    assert_true(isnan(eer_of((double[]){1, 2}, (uint8_t[]){1, 1}, 2)));
}

static void test_against_sklearn(void **state) {
    (void)state;
    enum { MAX = 200 };
    Json *file = sklearn_open();
    const Json *cases = js_get(file, "cases");
    assert_true(js_count(cases) >= 5);
    for (size_t k = 0; k < js_count(cases); k++) {
        const Json *c = js_at(cases, k);
        double score[MAX], number[MAX], macro;
        uint8_t label[MAX];
        int64_t length[MAX], n = sklearn_numbers(number, MAX, c, "label");
        for (int64_t i = 0; i < n; i++)
            label[i] = (uint8_t)number[i];
        assert_int_equal(sklearn_numbers(score, MAX, c, "score"), n);
        int clips = (int)sklearn_numbers(number, MAX, c, "lengths");
        for (int i = 0; i < clips; i++)
            length[i] = (int64_t)number[i];
        /* Sums of a hundred terms in another order. */
        assert_near(area_of(score, label, n), sklearn_number(c, "auroc"), 1e-9);
        assert_near(precision_of(score, label, n), sklearn_number(c, "ap"), 1e-9);
        assert_near(eer_of(score, label, n), sklearn_number(c, "eer"), 1e-9);
        assert_int_equal(auroc_macro(&macro, score, label, length, clips), 0);
        assert_near(macro, sklearn_number(c, "macro"), 1e-9);
    }
    js_free(file);
}

/* The scorer's PSNR of two frames against NumPy's; pixels become floats in [-1, 1] on the way. */
static void test_psnr_against_numpy(void **state) {
    (void)state;
    enum { BYTES = 8 * 8 * 3 };
    Json *file = sklearn_open();
    const Json *frames = js_get(file, "psnr");
    double number[BYTES], psnr;
    uint8_t x[BYTES], y[BYTES];
    Scorer *s = NULL;
    assert_int_equal(sklearn_numbers(number, BYTES, frames, "x"), BYTES);
    for (int i = 0; i < BYTES; i++)
        x[i] = (uint8_t)number[i];
    assert_int_equal(sklearn_numbers(number, BYTES, frames, "y"), BYTES);
    for (int i = 0; i < BYTES; i++)
        y[i] = (uint8_t)number[i];
    assert_int_equal(scorer_open_persistence(&s, 8, 1), 0);
    assert_int_equal(scorer_run(s, x, y, &psnr), 0);
    assert_near(psnr, sklearn_number(frames, "psnr"), 1e-5);
    scorer_free(&s);
    js_free(file);
}

static void test_out_of_memory(void **state) {
    (void)state;
    const double score[] = {1, 2};
    const uint8_t label[] = {0, 1};
    const int64_t length = 2;
    double out;
    RocPoint *p;
    int64_t count;
    mem_fail_after(1);
    assert_int_equal(auroc(&out, score, label, 2), ERR_FAIL);
    mem_fail_after(2);
    assert_int_equal(roc_curve(&p, &count, score, label, 2), ERR_FAIL);
    mem_fail_after(1);
    assert_int_equal(auroc_macro(&out, score, label, &length, 1), ERR_FAIL);
    mem_fail_after(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_one_class),
        cmocka_unit_test(test_nan_is_refused),
        cmocka_unit_test(test_against_definition),
        cmocka_unit_test(test_roc_points),
        cmocka_unit_test(test_macro),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_average_precision),
        cmocka_unit_test(test_equal_error_rate),
        cmocka_unit_test(test_against_sklearn),
        cmocka_unit_test(test_psnr_against_numpy),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
