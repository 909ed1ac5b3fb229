/* Levels for a budget of alarms: what is promised of weeks to come is what they bring. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "camera/budget.h"
#include "near.h"
#include "random.h"

enum { CELLS_A_BLOCK = PEAKS_BLOCK / PEAKS_CELL, WEEK = 168 };

/* Footage without memory: the greatest value of each cell has an exponential tail of length 1. */
static double draw(const Rng *r, uint64_t i) {
    return -log(1 - rng_uniform(r, i));
}

static void record(Peaks *p, const Rng *r, int64_t cells) {
    assert_int_equal(peaks_begin(p), 0);
    for (int64_t i = 0; i < cells; i++)
        assert_int_equal(peaks_add(p, draw(r, (uint64_t)i), (double)(i * PEAKS_CELL)), 0);
}

static void test_peaks(void **state) {
    (void)state;
    Peaks p = {0};
    double out[400];
    assert_int_equal(peaks_begin(&p), 0);
    for (int i = 0; i < 1300; i++) /* 21 minutes and 40 seconds */
        assert_int_equal(peaks_add(&p, i == 605 ? 9 : i == 95 || i == 100 ? 8 : i % 5, i), 0);
    assert_int_equal(peaks_add(&p, NAN, 1900), 0);
    assert_int_equal(peaks_begin(&p), 0);
    for (int i = 0; i < 360; i++)
        assert_int_equal(peaks_add(&p, i < 10 ? 7 : 1, i), 0);
    assert_near(peaks_hours(&p), 1660 / 3600.0, 1e-12);
    assert_int_equal(peaks_blocks(&p, out), 3); /* the rest of the first source is too short */
    assert_true(out[0] == 8 && out[1] == 9 && out[2] == 7);
    assert_int_equal(peaks_above(&p, 5, out), 3); /* 95 and 100 are neighbours */
    assert_true(out[0] == 8 && out[1] == 9 && out[2] == 7);
    assert_int_equal(peaks_above(&p, 9, out), 0);
    peaks_free(&p);
}

/* Of many cameras, the share whose next week lies in the interval, and the mean of weeks. */
static void check_promise(int64_t cells, double alarms, bool ranks) {
    enum { CAMERAS = 100 };
    int inside = 0;
    double mean = 0, expected = 0;
    for (int c = 0; c < CAMERAS; c++) {
        Rng past = rng_stream(1, RNG_TEST, (uint32_t)c, 0);
        Rng next = rng_stream(1, RNG_TEST, (uint32_t)c, 1);
        Peaks p = {0};
        BudgetFootage f;
        record(&p, &past, cells);
        assert_int_equal(budget_footage(&f, &p), 0);
        Budget b = budget_level(&f, alarms, WEEK);
        assert_int_equal(b.by_ranks, ranks);
        assert_true(b.week <= alarms * 1.001);
        int64_t events = 0, last = -2;
        for (int64_t i = 0; i < WEEK * 3600 / PEAKS_CELL; i++)
            if (draw(&next, (uint64_t)i) > b.level) {
                int64_t now = ranks ? i / CELLS_A_BLOCK : i; /* blocks with alarms, or events */
                events += now != last && (ranks || now != last + 1);
                last = now;
            }
        inside += events >= b.low && events <= b.high;
        mean += (double)events / CAMERAS;
        expected += b.week / CAMERAS;
        budget_footage_free(&f);
        peaks_free(&p);
    }
    print_message("%lld cells, %g alarms: %d of %d inside, mean %.2f, promised %.2f\n",
                  (long long)cells, alarms, inside, CAMERAS, mean, expected);
    assert_true(inside >= 0.9 * CAMERAS);
}

static void test_ranks(void **state) {
    (void)state;
    check_promise(WEEK * 360, 2, true);
    check_promise(WEEK * 360, 30, true);
    check_promise(24 * 360, 10, true);
}

static void test_tail(void **state) {
    (void)state;
    check_promise(24 * 360, 2, false);
    check_promise(2 * 360, 2, false);
    check_promise(60, 10, false);
}

static void test_little(void **state) {
    (void)state;
    Peaks p = {0};
    BudgetFootage f;
    assert_int_equal(budget_footage(&f, &p), -1);
    assert_int_equal(peaks_begin(&p), 0);
    for (int i = 0; i < 25; i++) /* a quarter of a minute */
        assert_int_equal(peaks_add(&p, 3, i), 0);
    assert_int_equal(budget_footage(&f, &p), 0);
    Budget b = budget_level(&f, 2, WEEK);
    assert_true(isnan(b.week) && b.level == 3 && !b.by_ranks);
    assert_near(b.rank_hours, 503.0 / 6, 1e-9);
    budget_footage_free(&f);
    peaks_free(&p);
}

/* As much footage as is said to be enough for ranks is enough. */
static void test_rank_hours(void **state) {
    (void)state;
    static double blocks[20000];
    for (int hours = 1; hours <= 168; hours++)
        for (int alarms = 1; alarms <= 5; alarms++) {
            BudgetFootage f = {.block = blocks, .blocks = 0};
            f.blocks = (int64_t)lround(6 * budget_level(&f, alarms, hours).rank_hours);
            assert_true(budget_level(&f, alarms, hours).by_ranks);
            f.blocks--;
            assert_true(f.blocks == 0 || !budget_level(&f, alarms, hours).by_ranks);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peaks),      cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_tail),       cmocka_unit_test(test_little),
        cmocka_unit_test(test_rank_hours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
