/* The interval of the AUROC: the same always, as wide as it should be, absent where it has no
 * meaning. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/bootstrap.h"
#include "eval/interval.h"
#include "eval/metrics.h"
#include "near.h"
#include "random.h"

enum { CLIPS = 40, LENGTH = 50, COUNT = CLIPS * LENGTH };

typedef struct {
    double score[COUNT];
    uint8_t label[COUNT];
    int64_t length[CLIPS];
} Data;

/* Half of each clip is abnormal; `between` is how much clips differ. */
static void make(Data *d, uint32_t trial, double between) {
    Rng r = rng_stream(11, RNG_TEST, 5, trial);
    for (int i = 0; i < COUNT; i++) {
        d->label[i] = i % LENGTH >= LENGTH / 2;
        double clip = between * rng_normal(&r, (uint64_t)(100000 + i / LENGTH));
        d->score[i] = rng_normal(&r, (uint64_t)i) + d->label[i] * (1 + clip);
    }
    for (int c = 0; c < CLIPS; c++)
        d->length[c] = LENGTH;
}

static void test_contains(void **state) {
    (void)state;
    Data d;
    double area, low, high, low2, high2;
    make(&d, 0, 0.5);
    assert_int_equal(auroc(&area, d.score, d.label, COUNT), 0);
    assert_int_equal(bootstrap_auroc(&low, &high, d.score, d.label, d.length, CLIPS), 0);
    assert_true(0 < low && low < area && area < high && high < 1);
    assert_int_equal(bootstrap_auroc(&low2, &high2, d.score, d.label, d.length, CLIPS), 0);
    assert_true(low == low2 && high == high2);
}

/* What is printed is the percentiles, widened for the number of clips that have frames. */
static void test_widened(void **state) {
    (void)state;
    Data d;
    Bootstrap b, same;
    double area, low, high;
    int64_t length[CLIPS + 2] = {0};
    make(&d, 0, 0.5);
    memcpy(length + 1, d.length, sizeof d.length); /* an empty clip at both ends */
    assert_int_equal(auroc(&area, d.score, d.label, COUNT), 0);
    assert_int_equal(bootstrap_percentiles(&b, d.score, d.label, d.length, CLIPS), 0);
    assert_int_equal(bootstrap_percentiles(&same, d.score, d.label, length, CLIPS + 2), 0);
    assert_true(b.estimate == area && b.clips == CLIPS);
    assert_true(same.low == b.low && same.high == b.high && same.clips == CLIPS);
    assert_int_equal(bootstrap_auroc(&low, &high, d.score, d.label, d.length, CLIPS), 0);
    assert_true(low < b.low && b.high < high);
    interval_widen(&b.low, &b.high, area, CLIPS);
    assert_true(low == b.low && high == b.high);
}

/* Of 95 % intervals of samples from one source, about 95 % hold the source's true value, normal
 * scores one deviation apart: Phi(1 / sqrt 2). */
static void test_coverage(void **state) {
    (void)state;
    enum { TRIALS = 40 };
    const double truth = 0.5 * erfc(-0.5);
    int held = 0;
    double width = 0;
    for (uint32_t t = 0; t < TRIALS; t++) {
        Data d;
        double low, high;
        make(&d, t, 0);
        assert_int_equal(bootstrap_auroc(&low, &high, d.score, d.label, d.length, CLIPS), 0);
        held += low <= truth && truth <= high;
        width += (high - low) / TRIALS;
    }
    assert_near(width, 2 * 1.96 * 0.0107, 0.004); /* the deviation by Hanley and McNeil */
    assert_true(held >= 33);                      /* fewer has a chance below 1 in 400 at 92 % */
}

/* Frames of a clip count together: clips that differ more give a wider interval. */
static void test_clips_are_drawn(void **state) {
    (void)state;
    Data d;
    double low, high, low2, high2;
    make(&d, 1, 0);
    assert_int_equal(bootstrap_auroc(&low, &high, d.score, d.label, d.length, CLIPS), 0);
    make(&d, 1, 2);
    assert_int_equal(bootstrap_auroc(&low2, &high2, d.score, d.label, d.length, CLIPS), 0);
    assert_true(high2 - low2 > 2 * (high - low));
}

/* Two clips of one class each: replicates without both are drawn again, the others all give the
 * area itself, which tells no spread. */
static void test_one_class_replicates(void **state) {
    (void)state;
    double low, high;
    Bootstrap b;
    const double score[] = {1, 2, 3, 2.5, 4};
    const uint8_t label[] = {0, 0, 0, 1, 1};
    assert_int_equal(bootstrap_percentiles(&b, score, label, (int64_t[]){3, 2}, 2), 0);
    assert_near(b.low, 5.0 / 6, 1e-15);
    assert_near(b.high, 5.0 / 6, 1e-15);
    assert_int_equal(bootstrap_auroc(&low, &high, score, label, (int64_t[]){3, 2}, 2), 0);
    assert_true(isnan(low) && isnan(high));
}

static void test_absent(void **state) {
    (void)state;
    double low = 1, high = 1;
    const double score[] = {1, 2, 3, 4};
    assert_int_equal(
        bootstrap_auroc(&low, &high, score, (uint8_t[]){0, 1, 0, 1}, (int64_t[]){4}, 1), 0);
    assert_true(isnan(low) && isnan(high));
    assert_int_equal(
        bootstrap_auroc(&low, &high, score, (uint8_t[]){0, 0, 0, 0}, (int64_t[]){2, 2}, 2), 0);
    assert_true(isnan(low) && isnan(high));
    low = high = 1;
    assert_int_equal(
        bootstrap_auroc(&low, &high, score, (uint8_t[]){0, 1, 0, 1}, (int64_t[]){4, 0}, 2), 0);
    assert_true(isnan(low) && isnan(high));
}

static void test_out_of_memory(void **state) {
    (void)state;
    double low, high;
    const double score[] = {1, 2};
    const uint8_t label[] = {0, 1};
    for (int i = 1; i <= 3; i++) {
        mem_fail_after(i);
        assert_int_equal(bootstrap_auroc(&low, &high, score, label, (int64_t[]){1, 1}, 2),
                         ERR_FAIL);
    }
    mem_fail_after(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contains),
        cmocka_unit_test(test_widened),
        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_clips_are_drawn),
        cmocka_unit_test(test_one_class_replicates),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
