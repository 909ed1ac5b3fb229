/* Events: what stays above a level for long enough, once. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "camera/event.h"
#include "near.h"
#include "random.h"

/* The least of the last seconds, against a look at all frames. */
static void test_sustained(void **state) {
    (void)state;
    enum { FRAMES = 3000 };
    static double value[FRAMES], at[FRAMES];
    static const double holds[] = {0, 0.5, 2, 30};
    Rng r = rng_stream(4, RNG_TEST, 0, 0);
    for (size_t h = 0; h < sizeof holds / sizeof *holds; h++) {
        Sustained s;
        sustained_open(&s, holds[h]);
        double t = 100;
        for (int i = 0; i < FRAMES; i++) {
            value[i] = rng_uniform(&r, (uint64_t)i);
            at[i] = t;
            t += 0.02 + 0.1 * rng_uniform(&r, (uint64_t)(FRAMES + i));
            double out, least = value[i];
            assert_int_equal(sustained_add(&s, value[i], at[i], &out), 0);
            for (int k = i - 1; k >= 0 && at[k + 1] > at[i] - holds[h]; k--)
                least = fmin(least, value[k]);
            assert_true(out == (at[i] - at[0] >= holds[h] ? least : 0));
        }
        sustained_free(&s);
    }
}

typedef struct {
    double from, to, surprise; /* seconds */
} Odd;

/* Runs a source of 10 frames a second and collects what ends. */
static int run(Event *out, const EventRule *rule, const Odd *odd, int count, double seconds) {
    Events e;
    int events = 0, begun = 0;
    events_open(&e, rule);
    for (int i = 0; i < (int)(10 * seconds); i++) {
        double t = i / 10.0, surprise = 0.5;
        EventChange change;
        for (int k = 0; k < count; k++)
            if (t >= odd[k].from && t < odd[k].to)
                surprise = odd[k].surprise;
        assert_int_equal(events_add(&e, surprise, t, &change), 0);
        begun += change == EVENT_BEGINS;
        assert_int_equal(begun, events + (e.open || change == EVENT_ENDS));
        if (change == EVENT_ENDS)
            out[events++] = e.event;
    }
    if (events_gap(&e))
        out[events++] = e.event;
    events_free(&e);
    return events;
}

static void test_events(void **state) {
    (void)state;
    Event e[4];
    const EventRule rule = {7, 1, 5};
    static const Odd one[] = {{10, 14, 20}};
    assert_int_equal(run(e, &rule, one, 1, 60), 1);
    assert_near(e[0].begin, 10, 0.4); /* the filter needs some tenths */
    assert_near(e[0].alarm, 11, 0.4);
    assert_near(e[0].end, 14, 0.4);
    assert_near(e[0].peak, 20, 0.5);
    assert_near(e[0].surprise, 20, 0.1);

    static const Odd flash[] = {{10, 10.5, 100}}; /* too short, however odd */
    assert_int_equal(run(e, &rule, flash, 1, 60), 0);
    static const Odd low[] = {{10, 40, 6.9}};
    assert_int_equal(run(e, &rule, low, 1, 60), 0);
    static const Odd twice[] = {{10, 13, 20}, {16, 19, 20}, {30, 33, 20}};
    assert_int_equal(run(e, &rule, twice, 3, 60), 2); /* the pause of three seconds is no end */
    assert_near(e[0].end, 19, 0.4);
    static const Odd ends[] = {{50, 60, 20}};
    assert_int_equal(run(e, &rule, ends, 1, 60), 1); /* with the source */
    assert_near(e[0].end, 59.9, 1e-9);
    static const Odd weak[] = {{10, 12, 20}, {12, 30, 4}}; /* above half the level it goes on */
    assert_int_equal(run(e, &rule, weak, 2, 60), 1);
    assert_near(e[0].end, 30, 0.4);
}

/* The number of events at a level is what the sustained surprise says: it begins one only above. */
static void test_level(void **state) {
    (void)state;
    Event e[4];
    EventRule rule = {0, 1, 5};
    static const Odd one[] = {{10, 14, 9}};
    assert_true(run(e, &rule, one, 1, 60) > 0);
    double peak = 0;
    for (double level = 1; level < 9; level += 0.25) {
        rule.level = level;
        int events = run(e, &rule, one, 1, 60);
        if (events)
            peak = e[0].peak;
        assert_int_equal(events, level < peak);
    }
    rule.level = nextafter(peak, 0);
    assert_int_equal(run(e, &rule, one, 1, 60), 1);
    rule.level = peak;
    assert_int_equal(run(e, &rule, one, 1, 60), 0);
}

static void test_gap(void **state) {
    (void)state;
    const EventRule rule = {7, 1, 5};
    Events e;
    EventChange change;
    events_open(&e, &rule);
    assert_false(events_gap(&e));
    for (int i = 0; i < 30; i++)
        assert_int_equal(events_add(&e, 20, i / 10.0, &change), 0);
    assert_true(e.open);
    assert_int_equal(events_add(&e, NAN, 3.0, &change), 0);
    assert_true(events_gap(&e));
    for (int i = 0; i < 9; i++) { /* it must stay for a second again */
        assert_int_equal(events_add(&e, 20, 50 + i / 10.0, &change), 0);
        assert_int_equal(change, EVENT_NONE);
    }
    events_free(&e);
}

/* What was not judged is no evidence: one odd frame and then none is no event. */
static void test_unjudged(void **state) {
    (void)state;
    const EventRule rule = {7, 1, 5};
    Events e;
    EventChange change;
    events_open(&e, &rule);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(events_add(&e, i == 3 ? 100 : i < 3 ? 0.5 : NAN, NAN, &change), 0);
        assert_int_equal(change, EVENT_NONE);
    }
    assert_near(e.last, 9.9, 1e-9); /* frames without times */
    int i = 100;
    for (change = EVENT_NONE; i < 140 && change != EVENT_BEGINS; i++) /* every third is judged */
        assert_int_equal(events_add(&e, i % 3 ? NAN : 100, NAN, &change), 0);
    assert_true(e.open);
    assert_near(e.event.begin, 10.2, 0.31);
    assert_near(e.event.alarm - e.event.begin, 1.2, 0.31);
    for (; i < 190; i++) /* nobody looks: it is not known how it goes on */
        assert_int_equal(events_add(&e, NAN, NAN, &change), 0);
    double end = e.event.end;
    assert_int_equal(events_add(&e, 100, NAN, &change), 0);
    assert_int_equal(change, EVENT_ENDS);
    assert_true(e.event.end == end && !e.open);
    events_free(&e);
}

static void test_memory_out(void **state) {
    (void)state;
    const EventRule rule = {7, 1, 5};
    Events e;
    EventChange change;
    events_open(&e, &rule);
    mem_fail_after(1);
    assert_int_equal(events_add(&e, 20, 0, &change), -1);
    mem_fail_after(0);
    events_free(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sustained), cmocka_unit_test(test_events),
        cmocka_unit_test(test_level),     cmocka_unit_test(test_gap),
        cmocka_unit_test(test_unjudged),  cmocka_unit_test(test_memory_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
