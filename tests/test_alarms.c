/* False alarms and delays: cases by hand, and the definition carried out at every threshold. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/alarms.h"
#include "near.h"
#include "random.h"

/* One hour of normal frames, so that rates are counts. */
static double fps_of(const uint8_t *label, int64_t n) {
    int64_t normal = 0;
    for (int64_t i = 0; i < n; i++)
        normal += !label[i];
    return (double)normal / 3600;
}

static void test_by_hand(void **state) {
    (void)state;
    /* Clip 1: a false alarm of two frames, an event found at its third frame by an alarm that goes
     * on behind it. Clip 2: an event found early, by the alarm before it; one that is missed. */
    const double score[] = {0, 8, 9, 0, 1, 1, 7, 7, 0, /**/ 7, 7, 0, 0, 2, 0, 6};
    const uint8_t label[] = {0, 0, 0, 0, 1, 1, 1, 0, 0, /**/ 0, 1, 1, 0, 1, 0, 0};
    const int64_t length[] = {9, 7};
    Alarms a;
    assert_int_equal(alarms_measure(&a, score, label, length, 2, fps_of(label, 16), 1), 0);
    assert_true(a.threshold == 7); /* at 6 there are two false alarms */
    assert_int_equal(a.events, 3);
    assert_int_equal(a.detected, 2);
    assert_near(a.delay, 1, 1e-15); /* (2 + 0) / 2 */
    /* Of six abnormal frames three score at least 2, five at least 1; six at least 0. */
    assert_near(a.per_hour[0], 2, 1e-9);
    assert_near(a.per_hour[1], 2, 1e-9);
    assert_near(a.per_hour[2], 0, 1e-9); /* every alarm is one clip long, with events */
    assert_near(alarms_smallest(900, 25), 100, 1e-9);
}

static void test_clips_do_not_touch(void **state) {
    (void)state;
    /* One run of frames, but of two clips: a false and a true alarm. */
    const double score[] = {0, 5, 5, 0};
    const uint8_t label[] = {0, 0, 1, 0};
    Alarms a;
    assert_int_equal(alarms_measure(&a, score, label, (int64_t[]){2, 0, 2}, 3, 3.0 / 3600, 0), 0);
    assert_near(a.per_hour[0], 1, 1e-9);
    assert_true(isinf(a.threshold)); /* one false alarm already at the highest score */
    assert_int_equal(a.detected, 0);
    assert_true(isnan(a.delay));
    assert_int_equal(alarms_measure(&a, score, label, (int64_t[]){4}, 1, 3.0 / 3600, 0), 0);
    assert_near(a.per_hour[0], 0, 1e-9);
    assert_int_equal(a.detected, 1);
}

static void test_one_class(void **state) {
    (void)state;
    const double score[] = {1, 2};
    Alarms a;
    assert_int_equal(alarms_measure(&a, score, (uint8_t[]){0, 0}, (int64_t[]){2}, 1, 25, 10), 0);
    assert_true(isnan(a.per_hour[0]) && a.events == 0 && isnan(a.delay));
    assert_int_equal(alarms_measure(&a, score, (uint8_t[]){1, 1}, (int64_t[]){2}, 1, 25, 10), 0);
    assert_true(isnan(a.per_hour[0]));
    assert_int_equal(a.detected, 1);
    assert_int_equal(alarms_measure(&a, score, (uint8_t[]){1}, NULL, 0, 25, 10), 0);
    assert_int_equal(a.events, 0);
}

/* ---- against the definition ---- */

enum { COUNT = 120 };

static int64_t false_alarms(const double *score, const uint8_t *label, const bool *begins,
                            double threshold) {
    int64_t count = 0;
    for (int i = 0; i < COUNT;) {
        bool abnormal = false;
        int start = i;
        for (; i < COUNT && score[i] >= threshold && (i == start || !begins[i]); i++)
            abnormal |= label[i];
        count += i > start && !abnormal;
        i += i == start;
    }
    return count;
}

static double recall(const double *score, const uint8_t *label, double threshold) {
    double hits = 0, all = 0;
    for (int i = 0; i < COUNT; i++) {
        all += label[i];
        hits += label[i] && score[i] >= threshold;
    }
    return hits / all;
}

static void test_against_definition(void **state) {
    (void)state;
    const int64_t length[] = {30, 1, 50, 0, 39};
    for (uint32_t trial = 0; trial < 60; trial++) {
        Rng r = rng_stream(5, RNG_TEST, 3, trial);
        double score[COUNT];
        uint8_t label[COUNT];
        bool begins[COUNT] = {[0] = true, [30] = true, [31] = true, [81] = true};
        for (int i = 0; i < COUNT; i++) {
            label[i] = rng_uniform(&r, (uint64_t)(i / 7)) < 0.3;
            score[i] = floor(12 * rng_uniform(&r, (uint64_t)(1000 + i)) + 3 * label[i]);
        }
        label[0] = 0, label[1] = 1;
        const double budget = 4;
        Alarms a;
        assert_int_equal(alarms_measure(&a, score, label, length, 5, fps_of(label, COUNT), budget),
                         0);
        double lowest = INFINITY;
        bool found[ALARM_RECALLS] = {false}, within = true;
        for (double t = 15; t >= 0; t--) {
            bool occurs = false;
            for (int i = 0; i < COUNT; i++)
                occurs |= score[i] == t;
            if (!occurs)
                continue;
            double rate = (double)false_alarms(score, label, begins, t);
            for (int k = 0; k < ALARM_RECALLS; k++)
                if (!found[k] && recall(score, label, t) >= alarm_recalls[k]) {
                    found[k] = true;
                    assert_near(a.per_hour[k], rate, 1e-9);
                }
            within = within && rate <= budget;
            lowest = within ? t : lowest;
        }
        assert_true(a.threshold == lowest);
    }
}

static void test_out_of_memory(void **state) {
    (void)state;
    Alarms a;
    for (int i = 1; i <= 5; i++) {
        mem_fail_after(i);
        assert_int_equal(
            alarms_measure(&a, (double[]){1, 2}, (uint8_t[]){0, 1}, (int64_t[]){2}, 1, 25, 1),
            ERR_FAIL);
    }
    mem_fail_after(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),       cmocka_unit_test(test_clips_do_not_touch),
        cmocka_unit_test(test_one_class),     cmocka_unit_test(test_against_definition),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
