/* Filters over time: equal to SciPy's and to the published codes' for every kind of edge. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "eval/smooth.h"
#include "near.h"
#include "sklearn.h"

enum { MAX = 200 };

static void test_against_scipy(void **state) {
    (void)state;
    static const struct {
        const char *name;
        Smooth smooth;
    } cases[] = {
        {"gaussian 3", {SMOOTH_GAUSSIAN, EDGE_REFLECT, 0, 3}},
        {"gaussian 7", {SMOOTH_GAUSSIAN, EDGE_REFLECT, 0, 7}},
        {"gaussian 30", {SMOOTH_GAUSSIAN, EDGE_REFLECT, 0, 30}},
        {"median 17", {SMOOTH_MEDIAN, EDGE_ZERO, 17, 0}},
        {"raw 37", {SMOOTH_GAUSSIAN_RAW, EDGE_ZERO, 37, 11}},
        {"raw 49", {SMOOTH_GAUSSIAN_RAW, EDGE_REPEAT, 49, 20}},
        {"mean 43", {SMOOTH_MEAN, EDGE_KEEP, 43, 0}},
        {"mean 5", {SMOOTH_MEAN, EDGE_ZERO, 5, 0}},
    };
    Json *file = sklearn_open();
    const Json *filters = js_get(file, "filters");
    double input[MAX], want[MAX], got[MAX];
    int64_t n = sklearn_numbers(input, MAX, filters, "input");
    assert_true(n > 50);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        assert_int_equal(sklearn_numbers(want, MAX, filters, cases[k].name), n);
        memcpy(got, input, sizeof got);
        assert_int_equal(smooth_run(&cases[k].smooth, got, n), 0);
        for (int64_t i = 0; i < n; i++)
            if (!(fabs(got[i] - want[i]) < 1e-12)) /* sums of 70 numbers below 1 */
                fail_msg("%s: %.17g at %d, expected %.17g", cases[k].name, got[i], (int)i, want[i]);
    }
    js_free(file);
}

/* Clips shorter than the window: finite, and a constant stays one where nothing is added. */
static void test_short_clips(void **state) {
    (void)state;
    for (int edge = EDGE_REFLECT; edge <= EDGE_KEEP; edge++)
        for (int kind = SMOOTH_MEAN; kind <= SMOOTH_GAUSSIAN; kind++)
            for (int64_t n = 0; n < 8; n++) {
                double x[8] = {2, 2, 2, 2, 2, 2, 2, 2};
                Smooth s = {(SmoothKind)kind, (SmoothEdge)edge, 9, 3};
                assert_int_equal(smooth_run(&s, x, n), 0);
                for (int64_t i = 0; i < 8 && edge != EDGE_ZERO; i++)
                    assert_near(x[i], 2, 1e-12);
            }
}

static void test_nothing(void **state) {
    (void)state;
    double x[] = {3, 1, 2};
    assert_int_equal(smooth_run(&(Smooth){SMOOTH_NONE, EDGE_ZERO, 0, 0}, x, 3), 0);
    assert_true(x[0] == 3 && x[1] == 1 && x[2] == 2);
}

static void test_out_of_memory(void **state) {
    (void)state;
    double x[] = {3, 1, 2};
    for (int i = 1; i <= 2; i++) {
        mem_fail_after(i);
        assert_int_equal(smooth_run(&(Smooth){SMOOTH_MEDIAN, EDGE_ZERO, 3, 0}, x, 3), ERR_FAIL);
    }
    mem_fail_after(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_scipy),
        cmocka_unit_test(test_short_clips),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
