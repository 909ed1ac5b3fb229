/* When pictures are shown, for times that are in order and for those that are not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "video/ticks.h"

/* The tick of each time, by the words of ticks.h. */
static void test_table(void **state) {
    (void)state;
    static const struct {
        double seconds;
        int64_t tick;
    } row[] = {
        {NAN, 0},         {7, 40},         {7.5, 540},      {7.5, 580},
        {NAN, 620},       {7.55, 660},     {INFINITY, 700}, {8, 1040},
        {-1e300, 1080},   {1e300, 1120},   {4e7, 1160},     {40, 33040},
        {40.0001, 33080}, {1007, 1000040}, {1000, 1000080}, {1000.5, 1000580},
    };
    Ticks t = {.scale = 1000, .frame = 40};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_int_equal(ticks_next(&t, row[i].seconds), row[i].tick);
}

/* A wall clock leaves enough digits for a tick. */
static void test_clock(void **state) {
    (void)state;
    Ticks t = {.scale = 60000, .frame = 2400};
    assert_int_equal(ticks_next(&t, 1.8e9), 0);
    assert_int_equal(ticks_next(&t, 1.8e9 + 0.05), 3000);
    assert_int_equal(ticks_next(&t, 1.8e9 + 3600), 3600 * 60000);
}

/* Whatever comes, ticks grow, and by no more than a year. */
static void test_grows(void **state) {
    (void)state;
    static const double odd[] = {NAN, INFINITY, -INFINITY, 0,      -0.0,    5e-324,   1e-9,
                                 0.1, 1e9,      -1e9,      9.3e18, 1.7e308, -1.7e308, 3.1e7};
    enum { N = sizeof odd / sizeof *odd };
    Ticks t = {.scale = 10000, .frame = 400};
    int64_t last = -1;
    for (int i = 0; i < N * N * N; i++) {
        double seconds = odd[i % N] + odd[i / N % N] + odd[i / N / N];
        int64_t tick = ticks_next(&t, seconds);
        assert_true(tick > last && tick - last <= (int64_t)10000 * 366 * 24 * 3600);
        last = tick;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
