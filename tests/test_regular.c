/* The regularity score: Eq. 9 per clip and over all clips. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/metrics.h"
#include "eval/regular.h"
#include "random.h"

static void test_equation(void **state) {
    (void)state;
    const double psnr[] = {30, 20, 25, 40, 38};
    const int64_t length[] = {3, 2};
    double a[5];
    assert_int_equal(regular_normalise(a, psnr, length, 2, NORMALISE_CLIP), 0);
    const double per_clip[] = {0, 1, 0.5, 0, 1};
    for (int i = 0; i < 5; i++)
        assert_true(a[i] == per_clip[i]);
    assert_int_equal(regular_normalise(a, psnr, length, 2, NORMALISE_GLOBAL), 0);
    const double global[] = {0.5, 1, 0.75, 0, 0.1};
    for (int i = 0; i < 5; i++)
        assert_true(fabs(a[i] - global[i]) < 1e-15);
}

/* The sign only. */
static void test_none(void **state) {
    (void)state;
    double a[2];
    assert_int_equal(regular_normalise(a, (double[]){30, -2}, (int64_t[]){1, 1}, 2, NORMALISE_NONE),
                     0);
    assert_true(a[0] == -30 && a[1] == 2);
    assert_string_equal(normalise_names[NORMALISE_NONE], "none");
}

static void test_in_place(void **state) {
    (void)state;
    double psnr[] = {30, 20, 25};
    assert_int_equal(regular_normalise(psnr, psnr, (int64_t[]){3}, 1, NORMALISE_CLIP), 0);
    assert_true(psnr[0] == 0 && psnr[1] == 1 && psnr[2] == 0.5);
}

static void test_degenerate(void **state) {
    (void)state;
    double a[4] = {9, 9, 9, 9};
    assert_int_equal(
        regular_normalise(a, (double[]){31, 31, 31, 31}, (int64_t[]){0, 1, 3}, 3, NORMALISE_CLIP),
        0);
    for (int i = 0; i < 4; i++)
        assert_true(a[i] == 0);
    assert_int_equal(regular_normalise(a, a, NULL, 0, NORMALISE_GLOBAL), 0);
    /* Equal frames have infinite PSNR; it must not turn the others into NaN. */
    assert_int_equal(
        regular_normalise(a, (double[]){30, INFINITY, 20, NAN}, (int64_t[]){4}, 1, NORMALISE_CLIP),
        0);
    assert_true(a[0] == 0 && a[1] == 0 && a[2] == 1 && isnan(a[3]));
    assert_int_equal(
        regular_normalise(a, (double[]){INFINITY, INFINITY}, (int64_t[]){2}, 1, NORMALISE_CLIP), 0);
    assert_true(a[0] == 0 && a[1] == 0);
}

/* One min-max over everything keeps the order: its AUROC is that of raw -PSNR (method B.2). */
static void test_global_ranks_like_psnr(void **state) {
    (void)state;
    enum { COUNT = 500 };
    double psnr[COUNT], negative[COUNT], anomaly[COUNT], want, got;
    uint8_t label[COUNT];
    Rng r = rng_stream(3, RNG_TEST, 0, 0);
    for (int i = 0; i < COUNT; i++) {
        label[i] = i % 4 == 0;
        psnr[i] = 33 + 2 * rng_normal(&r, (uint64_t)i) - label[i];
        negative[i] = -psnr[i];
    }
    assert_int_equal(regular_normalise(anomaly, psnr, (int64_t[]){200, 300}, 2, NORMALISE_GLOBAL),
                     0);
    assert_int_equal(auroc(&want, negative, label, COUNT), 0);
    assert_int_equal(auroc(&got, anomaly, label, COUNT), 0);
    assert_true(got == want);
    assert_int_equal(regular_normalise(anomaly, psnr, (int64_t[]){200, 300}, 2, NORMALISE_CLIP), 0);
    assert_int_equal(auroc(&got, anomaly, label, COUNT), 0);
    assert_true(got != want);
}

/* Whether anomaly has the order of -psnr, ties as ties. */
static void assert_ordered(const double *psnr, int n) {
    enum { MOST = 64 };
    double a[MOST];
    for (int how = NORMALISE_CLIP; how <= NORMALISE_GLOBAL; how++) {
        assert_int_equal(regular_normalise(a, psnr, (int64_t[]){n}, 1, (Normalise)how), 0);
        for (int i = 0; i < n; i++) {
            assert_true(a[i] >= 0 && a[i] <= 1);
            for (int k = 0; k < n; k++)
                assert_true((a[i] < a[k]) == (psnr[i] > psnr[k]));
        }
    }
}

/* However wide the range is, unequal values stay unequal, at both of its ends. */
static void test_wide_range(void **state) {
    (void)state;
    assert_ordered((double[]){-1e17, -3, -2, -1}, 4);
    assert_ordered((double[]){1, 3, 1e17, 2, 3}, 5);
    assert_ordered((double[]){-1e300, 1e300, 3, 1, 2, 2, 1e300, 1e-300, 5e-324, 0}, 10);
    assert_ordered((double[]){-1e308, 1e308, 0, 1, -1}, 5);
    assert_ordered((double[]){-DBL_MAX, DBL_MAX, 1e292, -1e292}, 4);
    assert_ordered((double[]){0, 5e-324, 1e-323}, 3);
    assert_ordered((double[]){30, nextafter(30, 31), nextafter(30, 0), 40, nextafter(40, 0)}, 5);
    Rng r = rng_stream(4, RNG_TEST, 0, 0);
    for (uint64_t trial = 0; trial < 200; trial++) {
        double psnr[60];
        for (uint64_t i = 0; i < 60; i++) { /* any doubles, each once or twice */
            double size = exp2(2046 * rng_uniform(&r, 200 * trial + i) - 1023);
            psnr[i] = i % 3 == 1 ? psnr[i - 1] : i % 2 ? size : -size;
        }
        assert_ordered(psnr, 60);
    }
}

/* Halved or not: the figures are those of the same numbers at a smaller size. */
static void test_overflowing_range(void **state) {
    (void)state;
    double a[4];
    const double psnr[] = {0x1p1023, 0, -0x1p1022, -0x1p1023}, want[] = {0, 0.5, 0.75, 1};
    assert_int_equal(regular_normalise(a, psnr, (int64_t[]){4}, 1, NORMALISE_CLIP), 0);
    for (int i = 0; i < 4; i++)
        assert_true(a[i] == want[i]);
}

static void test_out_of_memory(void **state) {
    (void)state;
    double a[2] = {1, 2};
    mem_fail_after(1);
    assert_int_equal(regular_normalise(a, a, (int64_t[]){2}, 1, NORMALISE_CLIP), ERR_FAIL);
    mem_fail_after(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equation),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_degenerate),
        cmocka_unit_test(test_global_ranks_like_psnr),
        cmocka_unit_test(test_wide_range),
        cmocka_unit_test(test_overflowing_range),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
