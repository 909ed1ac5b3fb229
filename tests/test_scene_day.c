/* The street over days: deterministic, with truth, night and weather. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "video/scene_day.h"

enum { W = 160, H = 120, PIXELS = W * H };

static SceneDay day_of(int day, bool anomalies) {
    return (SceneDay){.seed = 5, .width = W, .height = H, .day = day, .anomalies = anomalies};
}

static void test_pure_function(void **state) {
    (void)state;
    Frame a = {0}, b = {0};
    uint8_t mask[2][PIXELS];
    static const double at[] = {0, 7 * 3600 + 0.5, 43200, 86399.5};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        SceneDay d = day_of(1, true), other = day_of(2, true);
        int shows = day_draw(&d, at[i], &a, mask[0]);
        day_draw(&other, at[i] / 2, &b, mask[1]);
        assert_int_equal(day_draw(&d, at[i], &b, mask[1]), shows);
        assert_memory_equal(a.bgr, b.bgr, 3 * PIXELS);
        assert_memory_equal(mask[0], mask[1], PIXELS);
        assert_int_equal(day_draw(&d, at[i], &b, NULL), shows);
        day_draw(&other, at[i], &b, NULL);
        assert_memory_not_equal(a.bgr, b.bgr, 3 * PIXELS);
    }
    frame_free(&a);
    frame_free(&b);
}

/* Each event shows at some time of its own, at no other time anything does, and never on a normal
 * day. */
static void test_truth(void **state) {
    (void)state;
    SceneDay odd = day_of(0, true), normal = day_of(0, false);
    DayEvent events[DAY_EVENTS];
    int shown[DAY_EVENTS] = {0}, kinds = 0;
    Frame f = {0};
    day_events(&odd, events);
    for (int i = 0; i < DAY_EVENTS; i++) {
        kinds |= 1 << events[i].kind;
        assert_true(events[i].begin < events[i].end && events[i].end <= 3600 * (i + 1));
        for (int k = 0; k < 40; k++) {
            double t = events[i].begin + (events[i].end - events[i].begin) * (k + 0.5) / 40;
            shown[i] += day_draw(&odd, t, &f, NULL);
            assert_int_equal(day_draw(&normal, t, &f, NULL), 0);
        }
        assert_int_equal(day_draw(&odd, events[i].begin - 1, &f, NULL), 0);
        if (!shown[i])
            fail_msg("event %d, %s, never shows", i, scene_kind_names[events[i].kind]);
    }
    assert_int_equal(kinds, (1 << SCENE_KINDS) - 2);
    frame_free(&f);
}

static void test_night(void **state) {
    (void)state;
    SceneDay d = day_of(3, false);
    Frame f = {0};
    static const struct {
        double hour;
        bool dark;
    } cases[] = {{2, true}, {5.9, true}, {7, false}, {12, false}, {19, false}, {23, true}};
    double noon = 0, dawn = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double colour = 0, mean = 0;
        day_draw(&d, 3600 * cases[i].hour, &f, NULL);
        for (int p = 0; p < PIXELS; p++) {
            colour += abs(f.bgr[3 * p] - f.bgr[3 * p + 2]) / (double)PIXELS;
            mean += f.bgr[3 * p + 1] / (double)PIXELS;
        }
        assert_int_equal(cases[i].dark, colour < 6);
        noon = cases[i].hour == 12 ? mean : noon;
        dawn = cases[i].hour == 7 ? mean : dawn;
    }
    assert_true(noon > 1.1 * dawn);
    frame_free(&f);
}

/* A second later the clock is another. */
static void test_clock(void **state) {
    (void)state;
    SceneDay d = day_of(3, false);
    Frame a = {0}, b = {0};
    int differ = 0;
    day_draw(&d, 3600 * 3 + 100, &a, NULL);
    day_draw(&d, 3600 * 3 + 101, &b, NULL);
    for (int y = 3; y < 10; y++)
        for (int x = W - 54; x < W - 6; x++)
            differ += abs(a.bgr[3 * (y * W + x)] - b.bgr[3 * (y * W + x)]) > 100;
    assert_in_range(differ, 3, 60);
    frame_free(&a);
    frame_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pure_function),
        cmocka_unit_test(test_truth),
        cmocka_unit_test(test_night),
        cmocka_unit_test(test_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
