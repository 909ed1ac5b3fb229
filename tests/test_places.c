/* Errors beside what they are in normal footage: by hand, and measured from clips. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "fixture.h"
#include "near.h"
#include "score/places.h"
#include "score/variant.h"

enum { SIDE = 5, CELLS = SIDE * SIDE, FRAMES = 11 };

static void fill(float *map, float left, float right) {
    for (int i = 0; i < CELLS; i++)
        map[i] = i % SIDE == 0 ? left : right;
}

/* A map of 5 x 5 cells has 2 x 2 windows; the left ones see a column of `left`. */
static Places *flat(float left, float right) {
    Places *p = NULL;
    float map[CELLS];
    assert_int_equal(places_open(&p, SIDE, FRAMES), 0);
    for (int t = 0; t < FRAMES; t++) { /* the last but one is the level, the last a freak */
        float times = t == FRAMES - 1 ? 1000 : (float)(t + 1) / (FRAMES - 1);
        fill(map, left * times, right * times);
        places_add(p, map);
    }
    places_finish(p);
    return p;
}

static double score(const Places *p, float left, float right) {
    float map[CELLS], scratch[CELLS];
    fill(map, left, right);
    return places_score(p, map, scratch);
}

static void test_levels(void **state) {
    (void)state;
    Places *p = flat(2, 2); /* level 2 + 3 % of it */
    assert_near(score(p, 2, 2), 10 * log10(1.03), 1e-5);
    assert_near(score(p, 20, 20), 10 * log10(1.03) - 10, 1e-5);
    assert_true(isinf(score(p, 0, 0)) && score(p, 0, 0) > 0);
    places_free(&p);

    /* Windows: left (a + 3 b) / 4, right b. With a = 0, b = 4: levels 3 and 4, each + 0.12. */
    p = flat(0, 4);
    double left = 3 / 3.12, right = 4 / 4.12;
    assert_near(score(p, 0, 4), -5 * log10((left * left + right * right) / 2), 1e-5);
    places_free(&p);
}

/* The same error counts for more where there mostly is less. */
static void test_fairness(void **state) {
    (void)state;
    Places *p = NULL;
    float map[CELLS], scratch[CELLS];
    assert_int_equal(places_open(&p, SIDE, 1), 0);
    for (int i = 0; i < CELLS; i++)
        map[i] = i < SIDE * 4 ? 0.01F : 1; /* the last row is busy: two windows see it */
    places_add(p, map);
    places_finish(p);
    double usual = places_score(p, map, scratch);
    map[2] += 1;
    double quiet = places_score(p, map, scratch);
    map[2] -= 1;
    map[CELLS - 3] += 1;
    double busy = places_score(p, map, scratch);
    assert_true(quiet < busy && busy < usual);
    places_free(&p);
}

/* Footage in which nothing ever moved has no level: any change is far from normal, none is. */
static void test_still(void **state) {
    (void)state;
    Places *p = flat(0, 0);
    assert_true(score(p, 0.1F, 0) < -90);
    assert_true(score(p, 0, 0) > 90);
    places_free(&p);
}

/* A frame smaller than a window is one. */
static void test_small(void **state) {
    (void)state;
    Places *p = NULL;
    const float usual[4] = {1, 2, 3, 2}, now[4] = {10, 20, 30, 20};
    float scratch[4];
    assert_int_equal(places_open(&p, 2, 1), 0);
    places_add(p, usual);
    places_finish(p);
    assert_near(places_score(p, now, scratch), 10 * log10(1.03) - 10, 1e-5);
    places_free(&p);
}

/* From clips: as by hand with the same scorer, whatever other models are measured beside it. */
static void test_measure(void **state) {
    (void)state;
    enum { SIZE = 28, N = 9 };
    fixture_clip(fixture_path("data/training/frames/01"), N + 1, 40, 40, 3);
    fixture_clip(fixture_path("data/training/frames/02"), 1, 40, 40, 3); /* no pair: no matter */
    Dataset *d = NULL;
    Scorer *s[2] = {NULL};
    Places *both[2] = {NULL}, *one = NULL;
    assert_int_equal(dataset_open(&d, fixture_path("data")), 0);
    for (int m = 0; m < 2; m++)
        assert_int_equal(scorer_open_persistence(&s[m], SIZE, 1), 0);
    assert_int_equal(places_measure(both, s, 2, &d->train, NULL), 0);
    assert_int_equal(places_measure(&one, s, 1, &d->train, NULL), 0);
    float map[SIZE * SIZE], scratch[SIZE * SIZE];
    for (int i = 0; i < SIZE * SIZE; i++)
        map[i] = (float)(i % 7) / 50;
    double want = places_score(one, map, scratch);
    assert_true(isfinite(want));
    assert_true(places_score(both[0], map, scratch) == want);
    assert_true(places_score(both[1], map, scratch) == want);
    for (int m = 0; m < 2; m++)
        places_free(&both[m]);
    places_free(&one);

    fixture_truncate(fixture_path("data/training/frames/01/004.bmp"), 20);
    assert_int_equal(places_measure(both, s, 2, &d->train, NULL), ERR_FAIL);
    assert_non_null(strstr(err_text(), "004.bmp"));
    assert_null(both[0]);
    assert_null(both[1]);
    d->train.count = 1;
    d->train.clips[0].frames = 1;
    assert_int_equal(places_measure(both, s, 2, &d->train, NULL), ERR_FAIL);
    assert_non_null(strstr(err_text(), "no pair of frames"));
    d->train.count = 2;
    for (int m = 0; m < 2; m++)
        scorer_free(&s[m]);
    dataset_free(&d);
}

static void test_memory(void **state) {
    (void)state;
    int code = -1;
    for (int n = 1; code && n < 50; n++) {
        Places *p = NULL;
        mem_fail_after(n);
        code = places_open(&p, SIDE, 3);
        mem_fail_after(0);
        assert_true(!code == (p != NULL));
        places_free(&p);
    }
    assert_int_equal(code, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),  cmocka_unit_test(test_fairness),
        cmocka_unit_test(test_still),   cmocka_unit_test(test_small),
        cmocka_unit_test(test_measure), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
