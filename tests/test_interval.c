/* The widened interval: quantiles of Student's t from tables, a case computed by hand, ends at 0
 * and 1, and input that has no interval. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "eval/interval.h"
#include "near.h"

static void test_student(void **state) {
    (void)state;
    static const struct {
        int df;
        double t;
    } table[] = {
        {1, 12.706204736}, {2, 4.302652730},   {3, 3.182446305},    {4, 2.776445105},
        {5, 2.570581836},  {11, 2.200985160},  {20, 2.085963447},   {30, 2.042272456},
        {99, 1.984216952}, {100, 1.983971519}, {1000, 1.962339081},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_near(student_quantile(table[i].df), table[i].t, 1e-8);
    assert_near(student_quantile(1000000), 1.95996635, 1e-7);
}

static double logit(double p) {
    return log(p / (1 - p));
}

static void widen(double *low, double *high, double estimate, double from, double to, int clips) {
    *low = from;
    *high = to;
    interval_widen(low, high, estimate, clips);
}

/* A real AUROC over 12 clips, 90.94 [82.8, 96.0]. On the logit scale its upper side is wider. */
static void test_by_hand(void **state) {
    (void)state;
    double low, high;
    widen(&low, &high, 0.9094, 0.828, 0.960, 12);
    double reach = (logit(0.960) - logit(0.9094)) * 2.200985160 / 1.959963985;
    assert_near(logit(low), logit(0.9094) - reach, 1e-8);
    assert_near(logit(high), logit(0.9094) + reach, 1e-8);
    assert_near(low, 0.7904, 5e-5);
    assert_near(high, 0.9639, 5e-5);
    double mirrored_low, mirrored_high; /* 1 - p must give the mirrored interval */
    widen(&mirrored_low, &mirrored_high, 1 - 0.9094, 1 - 0.960, 1 - 0.828, 12);
    assert_near(mirrored_low, 1 - high, 1e-12);
    assert_near(mirrored_high, 1 - low, 1e-12);
}

/* The result is never narrower than the input. It is narrower with more clips. */
static void test_widens(void **state) {
    (void)state;
    double before = 1;
    for (int clips = 2; clips < 200; clips *= 2) {
        double low, high;
        widen(&low, &high, 0.9, 0.85, 0.92, clips);
        assert_true(0 < low && low < 0.85 && 0.92 < high && high < 1);
        assert_true(high - low < before);
        before = high - low;
        widen(&low, &high, 0.8, 0.85, 0.92, clips); /* an estimate outside the interval */
        assert_true(low < 0.8 && 0.92 < high);
    }
}

static void test_ends(void **state) {
    (void)state;
    double low, high, same;
    widen(&low, &high, 0.98, 0.9, 1, 12); /* the upper end stays, the lower side decides */
    widen(&same, &(double){0}, 0.98, 0.9, 0.98, 12);
    assert_true(high == 1 && low == same && low < 0.9);
    widen(&low, &high, 0.02, 0, 0.1, 12);
    assert_true(low == 0);
    assert_near(high, 1 - same, 1e-12);
    widen(&low, &high, 0.5, 0, 1, 12);
    assert_true(low == 0 && high == 1);
}

static void test_absent(void **state) {
    (void)state;
    static const struct {
        double estimate, low, high;
        int clips;
    } cases[] = {
        {0.9, 0.8, 0.95, 1}, {0.9, 0.8, 0.95, 0}, {0.9, 0.9, 0.9, 12},  {1, 1, 1, 12},
        {0, 0, 0, 12},       {1, 0.9, 1, 12},     {NAN, 0.8, 0.95, 12}, {0.9, NAN, 0.95, 12},
        {0.9, 0.8, NAN, 12}, {NAN, NAN, NAN, 12},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double low, high;
        widen(&low, &high, cases[i].estimate, cases[i].low, cases[i].high, cases[i].clips);
        assert_true(isnan(low) && isnan(high));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_student), cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_widens),  cmocka_unit_test(test_ends),
        cmocka_unit_test(test_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
