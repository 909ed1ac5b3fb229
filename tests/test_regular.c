/* The regularity score: Eq. 9 per clip and over all clips. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "eval/metrics.h"
#include "eval/regular.h"
#include "random.h"

static void test_equation(void **state) {
    (void)state;
    const double psnr[] = {30, 20, 25, 40, 38};
    const int64_t length[] = {3, 2};
    double a[5];
    regular_normalise(a, psnr, length, 2, NORMALISE_CLIP);
    const double per_clip[] = {0, 1, 0.5, 0, 1};
    for (int i = 0; i < 5; i++)
        assert_true(a[i] == per_clip[i]);
    regular_normalise(a, psnr, length, 2, NORMALISE_GLOBAL);
    const double global[] = {0.5, 1, 0.75, 0, 0.1};
    for (int i = 0; i < 5; i++)
        assert_true(fabs(a[i] - global[i]) < 1e-15);
}

/* The sign only. */
static void test_none(void **state) {
    (void)state;
    double a[2];
    regular_normalise(a, (double[]){30, -2}, (int64_t[]){1, 1}, 2, NORMALISE_NONE);
    assert_true(a[0] == -30 && a[1] == 2);
    assert_string_equal(normalise_names[NORMALISE_NONE], "none");
}

static void test_in_place(void **state) {
    (void)state;
    double psnr[] = {30, 20, 25};
    regular_normalise(psnr, psnr, (int64_t[]){3}, 1, NORMALISE_CLIP);
    assert_true(psnr[0] == 0 && psnr[1] == 1 && psnr[2] == 0.5);
}

static void test_degenerate(void **state) {
    (void)state;
    double a[4] = {9, 9, 9, 9};
    regular_normalise(a, (double[]){31, 31, 31, 31}, (int64_t[]){0, 1, 3}, 3, NORMALISE_CLIP);
    for (int i = 0; i < 4; i++)
        assert_true(a[i] == 0);
    regular_normalise(a, a, NULL, 0, NORMALISE_GLOBAL);
    /* Equal frames have infinite PSNR; it must not turn the others into NaN. */
    regular_normalise(a, (double[]){30, INFINITY, 20, NAN}, (int64_t[]){4}, 1, NORMALISE_CLIP);
    assert_true(a[0] == 0 && a[1] == 0 && a[2] == 1 && isnan(a[3]));
    regular_normalise(a, (double[]){INFINITY, INFINITY}, (int64_t[]){2}, 1, NORMALISE_CLIP);
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
    regular_normalise(anomaly, psnr, (int64_t[]){200, 300}, 2, NORMALISE_GLOBAL);
    assert_int_equal(auroc(&want, negative, label, COUNT), 0);
    assert_int_equal(auroc(&got, anomaly, label, COUNT), 0);
    assert_true(got == want);
    regular_normalise(anomaly, psnr, (int64_t[]){200, 300}, 2, NORMALISE_CLIP);
    assert_int_equal(auroc(&got, anomaly, label, COUNT), 0);
    assert_true(got != want);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equation),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_degenerate),
        cmocka_unit_test(test_global_ranks_like_psnr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
