/* Time stamps that never run back, and frames taken at an interval. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "video/sampler.h"
#include "video/timeline.h"

enum { N = 400 };

static void near(double a, double b) {
    if (!(fabs(a - b) < 1e-9))
        fail_msg("%.9g, expected %.9g", a, b);
}

static void add_all(const double *stamp, const double *want, int n) {
    Timeline t = {0};
    for (int i = 0; i < n; i++) {
        double seconds = timeline_add(&t, stamp[i]);
        if (isnan(want[i]))
            assert_true(isnan(seconds));
        else
            near(seconds, want[i]);
    }
}

static void test_timeline(void **state) {
    (void)state;
    add_all((double[]){5, 5.5, 6, 7}, (double[]){0, 0.5, 1, 2}, 4);
    /* A joint: the second part begins one step after the first. */
    add_all((double[]){3, 3.5, 4, 3, 3.5}, (double[]){0, 0.5, 1, 1.5, 2}, 5);
    /* A wrap of a counter. */
    add_all((double[]){95443.5, 95443.6, 0, 0.1}, (double[]){0, 0.1, 0.2, 0.3}, 4);
    /* One that is a little off does not begin a part. */
    add_all((double[]){0, 1, 0.9, 2}, (double[]){0, 1, 1, 2}, 4);
    add_all((double[]){NAN, NAN, 2, NAN, 4}, (double[]){NAN, NAN, 0, 0, 2}, 5);
    add_all((double[]){1, 2, NAN, 4}, (double[]){0, 1, 2, 3}, 4);
    add_all((double[]){INFINITY, 1, -INFINITY, 2}, (double[]){NAN, 0, 0, 1}, 4);
}

/* Whatever comes, seconds never run back. */
static void test_monotone(void **state) {
    (void)state;
    for (uint32_t seed = 0; seed < 50; seed++) {
        Rng r = rng_stream(seed, RNG_SCENE, 0, 0);
        Timeline t = {0};
        double last = -1;
        for (uint32_t i = 0; i < N; i++) {
            double kind = rng_uniform(&r, 2 * i), stamp = 1e5 * (rng_uniform(&r, 2 * i + 1) - 0.5);
            double seconds = timeline_add(&t, kind < 0.1 ? NAN : kind < 0.5 ? 0.04 * i : stamp);
            if (isnan(seconds))
                continue;
            assert_true(isfinite(seconds) && seconds >= last);
            last = seconds;
        }
    }
}

static int64_t take_all(int64_t *take, double fps, double interval) {
    double seconds[N];
    for (int i = 0; i < N; i++)
        seconds[i] = round(1000 * i / fps) / 1000; /* as many containers round */
    return sampler_list(take, seconds, N, interval);
}

static void test_every_kth(void **state) {
    (void)state;
    static const struct {
        double fps;
        int k;
    } rows[] = {{25, 2}, {30, 3}, {30000.0 / 1001, 3}, {15, 2}, {12.5, 1}, {10, 1},
                {60, 5}, {24, 2}};
    int64_t take[N];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double interval = sampler_fit(0.08, 1 / rows[i].fps);
        near(interval, rows[i].k / rows[i].fps);
        int64_t n = take_all(take, rows[i].fps, interval);
        assert_int_equal(n, (N + rows[i].k - 1) / rows[i].k);
        for (int64_t j = 0; j < n; j++)
            assert_int_equal(take[j], j * rows[i].k);
    }
    near(sampler_fit(0, 0.04), 0);
    near(sampler_fit(0.08, 0), 0);
}

/* A camera of another rate: frames are taken within half a frame of the time that is due. */
static void test_resampling(void **state) {
    (void)state;
    int64_t take[N];
    int64_t n = take_all(take, 15, 0.1);
    for (int64_t j = 0; j < n; j++)
        assert_true(fabs((double)take[j] / 15 - 0.1 * (double)j) <= 0.5 / 15 + 2e-3);
    assert_true(n > 260 && n < 270);
    assert_int_equal(take_all(take, 5, 0.1), N); /* slower: all */
    assert_int_equal(take_all(take, 25, 0), N);
}

static void test_gaps(void **state) {
    (void)state;
    Sampler s;
    sampler_start(&s, 0.1);
    assert_true(sampler_take(&s, 0));
    assert_false(sampler_take(&s, 0.04));
    assert_true(sampler_take(&s, 50)); /* not many at once, to make up for the gap */
    assert_false(sampler_take(&s, 50.02));
    assert_true(sampler_take(&s, NAN));
    sampler_start(&s, 0.1);
    assert_true(sampler_take(&s, 50.04));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timeline),  cmocka_unit_test(test_monotone),
        cmocka_unit_test(test_every_kth), cmocka_unit_test(test_resampling),
        cmocka_unit_test(test_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
