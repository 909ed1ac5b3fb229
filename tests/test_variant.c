/* Scores from the error map: one bright place is found whatever the rest of the frame does. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "near.h"
#include "random.h"
#include "score/psnr.h"
#include "score/variant.h"

enum { SIDE = 12, CELLS = SIDE * SIDE };

static void check(const float *map, int side, int k, double patch, double top, double window) {
    double out[SCORE_KINDS] = {[SCORE_FRAME] = 77};
    float scratch[CELLS];
    memset(scratch, 0xff, sizeof scratch); /* NaN */
    variant_scores(out, map, side, k, scratch);
    assert_true(out[SCORE_FRAME] == 77);
    assert_near(out[SCORE_MAX_PATCH], -10 * log10(patch), 1e-5);
    assert_near(out[SCORE_TOP_PATCHES], -10 * log10(top), 1e-5);
    assert_near(out[SCORE_WINDOW], -10 * log10(window), 1e-5);
}

static void test_flat(void **state) {
    (void)state;
    float map[CELLS];
    for (int i = 0; i < CELLS; i++)
        map[i] = 0.01f;
    check(map, SIDE, 5, 0.01, 0.01, 0.01);
    check(map, 1, 5, 0.01, 0.01, 0.01); /* a frame of one cell is patch and window */
    check(map, 3, 5, 0.01, 0.01, 0.01);
}

static void test_one_cell(void **state) {
    (void)state;
    float map[CELLS] = {0};
    map[5 * SIDE + 6] = 1; /* the patch of rows 4 and 5, columns 6 and 7 */
    check(map, SIDE, 1, 0.25, 0.25, 1.0 / 16);
    check(map, SIDE, 5, 0.25, 0.25 / 5, 1.0 / 16);
    check(map, SIDE, 1000, 0.25, 0.25 / 36, 1.0 / 16);
    map[4 * SIDE + 5] = 1; /* another patch, the same window */
    check(map, SIDE, 1, 0.25, 0.25, 2.0 / 16);
    check(map, SIDE, 2, 0.25, 0.25, 2.0 / 16);
}

/* Against sums over all places. */
static void test_brute_force(void **state) {
    (void)state;
    float map[CELLS];
    Rng r = rng_stream(2, RNG_TEST, 0, 0);
    for (int i = 0; i < CELLS; i++)
        map[i] = (float)rng_uniform(&r, (uint64_t)i);
    double patch = 0, window = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            double p = 0, w = 0;
            for (int v = 0; v < 4 && y + 3 < SIDE && x + 3 < SIDE; v++)
                for (int u = 0; u < 4; u++)
                    w += map[(y + v) * SIDE + x + u] / 16;
            for (int v = 0; v < 2 && y % 2 == 0 && x % 2 == 0; v++)
                for (int u = 0; u < 2; u++)
                    p += map[(y + v) * SIDE + x + u] / 4;
            patch = fmax(patch, p);
            window = fmax(window, w);
        }
    check(map, SIDE, 1, patch, patch, window);
}

/* What is written of it, and what that is read as. */
static void test_shown(void **state) {
    (void)state;
    assert_true(psnr_shown(INFINITY) == 100 && psnr_shown(101) == 100);
    assert_true(psnr_shown(99.5) == 99.5 && psnr_shown(-3) == -3 && isnan(psnr_shown(NAN)));
    assert_true(isinf(psnr_read(100)) && isinf(psnr_read(INFINITY)) && psnr_read(99.5) == 99.5);
    assert_true(isnan(psnr_read(NAN)));
}

/* No error at all is infinitely normal, as PSNR is. */
static void test_perfect(void **state) {
    (void)state;
    float map[CELLS] = {0}, scratch[CELLS];
    double out[SCORE_KINDS];
    variant_scores(out, map, SIDE, 3, scratch);
    assert_true(isinf(out[SCORE_MAX_PATCH]) && out[SCORE_MAX_PATCH] > 0);
    assert_true(isinf(out[SCORE_TOP_PATCHES]) && isinf(out[SCORE_WINDOW]));
}

/* Patch and window show the same part of the scene at every size. */
static void test_cell(void **state) {
    (void)state;
    assert_int_equal(variant_cell(224), 8);
    assert_int_equal(variant_cell(112), 4);
    assert_int_equal(variant_cell(128), 5);
    assert_int_equal(variant_cell(80), 3);
    assert_int_equal(variant_cell(48), 2);
    assert_int_equal(variant_cell(96), 3);
    assert_int_equal(variant_cell(8), 1);
}

static void test_names(void **state) {
    (void)state;
    int n = 0;
    while (score_names[n])
        n++;
    assert_int_equal(n, SCORE_KINDS);
    assert_string_equal(score_names[SCORE_FRAME], "frame");
    assert_string_equal(score_names[SCORE_WINDOW], "window");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flat),        cmocka_unit_test(test_one_cell),
        cmocka_unit_test(test_brute_force), cmocka_unit_test(test_perfect),
        cmocka_unit_test(test_cell),        cmocka_unit_test(test_shown),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
