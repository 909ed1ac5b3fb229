/* RBDC and TBDC: what can be worked out by hand, and the definition word for word. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/region.h"
#include "random.h"

enum { MAX = 60 };

/* ---- the definition: below each score a point of both curves, then the areas ---- */

static double overlap(Box a, Box b) {
    double w = fmin(a.x1, b.x1) - fmax(a.x0, b.x0) + 1, h = fmin(a.y1, b.y1) - fmax(a.y0, b.y0) + 1;
    double both = w > 0 && h > 0 ? w * h : 0;
    double area_a = (a.x1 - a.x0 + 1.0) * (a.y1 - a.y0 + 1.0);
    double area_b = (b.x1 - b.x0 + 1.0) * (b.y1 - b.y0 + 1.0);
    return both / (area_a + area_b - both);
}

typedef struct {
    double fpr, boxes, tracks;
} Point;

static double area(const Point *p, int n, int tracks) {
    double sum = 0, last = 0, x = 0;
    for (int i = 0; i < n && x < 1; i++) {
        double y = tracks ? p[i].tracks : p[i].boxes, width = p[i].fpr - x;
        if (p[i].fpr > 1) { /* the line ends at one false alarm a frame */
            y = last + (y - last) * (1 - x) / width;
            width = 1 - x;
        }
        sum += width * (y + last) / 2;
        x += width;
        last = y;
    }
    return sum + (1 - x) * last; /* flat to 1 */
}

/* `d` in the order of the sweep. */
static void define(double *rbdc, double *tbdc, const Tracks *t, const Detection *d, int n,
                   int frames) {
    int found[MAX] = {0}, hits[MAX] = {0}, length[MAX] = {0}, positive = 0, alarms = 0;
    Point p[MAX];
    int points = 0;
    for (int k = 0; k < t->count; k++)
        length[t->item[k].track]++;
    for (int i = 0; i < n; i++) {
        int matches = 0;
        for (int k = 0; k < t->count; k++)
            if (t->item[k].clip == d[i].clip && t->item[k].frame == d[i].frame &&
                overlap(t->item[k].box, d[i].box) >= 0.1) {
                matches++;
                if (!found[k]) {
                    found[k] = 1;
                    positive++;
                    hits[t->item[k].track]++;
                }
            }
        alarms += matches == 0;
        int tracks = 0;
        for (int k = 0; k < t->tracks; k++)
            tracks += (double)hits[k] / length[k] >= 0.1;
        if (i + 1 == n || d[i + 1].score < d[i].score)
            p[points++] = (Point){(double)alarms / frames, (double)positive / (double)t->count,
                                  (double)tracks / (double)t->tracks};
    }
    *rbdc = area(p, points, 0);
    *tbdc = area(p, points, 1);
}

static Box random_box(const Rng *r, uint64_t at) {
    int x = (int)(rng_uniform(r, at) * 20), y = (int)(rng_uniform(r, at + 1) * 20);
    return (Box){x, y, x + (int)(rng_uniform(r, at + 2) * 12),
                 y + (int)(rng_uniform(r, at + 3) * 12)};
}

static void test_definition(void **state) {
    (void)state;
    for (uint32_t trial = 0; trial < 400; trial++) {
        Rng r = rng_stream(5, RNG_TEST, 11, trial);
        int frames_each = 1 + (int)(rng_uniform(&r, 0) * 10), n = (int)(rng_uniform(&r, 1) * MAX);
        int boxes = 1 + (int)(rng_uniform(&r, 2) * (MAX - 1));
        int tracks = 1 + (int)(rng_uniform(&r, 3) * (boxes < 5 ? boxes : 5));
        Tracks t = {0};
        for (int k = 0; k < boxes; k++) {
            uint64_t at = 100 + 10 * (uint64_t)k;
            TrackBox b = {k % 2, (int)(rng_uniform(&r, at) * frames_each), k % tracks,
                          random_box(&r, at + 1)};
            assert_int_equal(tracks_add(&t, b), 0);
        }
        t.tracks = tracks;
        Detection d[MAX], sorted[MAX];
        int levels = trial % 2 ? 6007 : 1 + (int)trial % 13; /* all different, or many equal */
        for (int i = 0; i < n; i++) {
            uint64_t at = 1000 + 10 * (uint64_t)i;
            d[i] = (Detection){i % 2, (int)(rng_uniform(&r, at) * frames_each),
                               random_box(&r, at + 1), (float)(i * 7919 % 6007 % levels)};
            sorted[i] = d[i];
        }
        for (int i = 0; i < n; i++)
            for (int k = i + 1; k < n; k++)
                if (sorted[k].score > sorted[i].score) {
                    Detection swap = sorted[i];
                    sorted[i] = sorted[k];
                    sorted[k] = swap;
                }
        double rbdc, tbdc, want_rbdc, want_tbdc;
        define(&want_rbdc, &want_tbdc, &t, sorted, n, 2 * frames_each);
        assert_int_equal(region_score(&rbdc, &tbdc, &t, d, n, 2 * frames_each), 0);
        assert_true(fabs(rbdc - want_rbdc) < 1e-12);
        assert_true(fabs(tbdc - want_tbdc) < 1e-12);
        tracks_free(&t);
    }
}

/* ---- by hand ---- */

/* One object for five of ten frames. */
static Tracks walk(void) {
    Tracks t = {.tracks = 1};
    for (int i = 0; i < 5; i++)
        assert_int_equal(tracks_add(&t, (TrackBox){0, i, 0, {30 + i, 40, 49 + i, 59}}), 0);
    return t;
}

static void test_all_found(void **state) {
    (void)state;
    Tracks t = walk();
    Detection d[6];
    double rbdc, tbdc;
    for (int i = 0; i < 5; i++)
        d[i] = (Detection){0, i, t.item[i].box, 0.5f};
    d[5] = (Detection){0, 3, {20, 35, 60, 60}, 0.1f}; /* finds again what was found */
    assert_int_equal(region_score(&rbdc, &tbdc, &t, d, 6, 10), 0);
    assert_true(rbdc == 1 && tbdc == 1);
    assert_int_equal(region_score(&rbdc, &tbdc, &t, d, 0, 10), 0);
    assert_true(rbdc == 0 && tbdc == 0);
    tracks_free(&t);
}

static void test_steps(void **state) {
    (void)state;
    Tracks t = walk();
    double rbdc, tbdc;
    const Box away = {0, 0, 5, 5};
    /* A false alarm, a finding, nine false alarms: one tenth at 0, then one fifth of the boxes and
     * the whole track. */
    Detection d[11] = {{0, 7, away, 9}, {0, 2, t.item[2].box, 8}};
    for (int i = 2; i < 11; i++)
        d[i] = (Detection){0, i - 2, away, 9.0f - (float)i};
    assert_int_equal(region_score(&rbdc, &tbdc, &t, d, 11, 10), 0);
    assert_true(fabs(rbdc - 0.9 * 0.2) < 1e-12);
    assert_true(fabs(tbdc - 0.9) < 1e-12);
    /* More false alarms than frames: what comes after one a frame does not count. */
    Detection many[12];
    for (int i = 0; i < 11; i++)
        many[i] = (Detection){0, 8, away, 100};
    many[11] = (Detection){0, 2, t.item[2].box, 1};
    assert_int_equal(region_score(&rbdc, &tbdc, &t, many, 12, 10), 0);
    assert_true(rbdc == 0 && tbdc == 0);
    tracks_free(&t);
}

static void test_limits(void **state) {
    (void)state;
    Tracks t = {.tracks = 1};
    double rbdc, tbdc;
    for (int i = 0; i < 20; i++)
        assert_int_equal(tracks_add(&t, (TrackBox){0, i, 0, {0, 0, 9, 9}}), 0);
    /* An overlap of exactly a tenth counts: one of the ten columns. */
    Detection d[2] = {{0, 0, {0, 0, 0, 9}, 2}, {0, 1, {0, 0, 0, 8}, 1}};
    assert_int_equal(region_score(&rbdc, &tbdc, &t, d, 2, 20), 0);
    assert_true(fabs(rbdc - 1.0 / 20) < 1e-12);
    assert_true(tbdc == 0); /* one of 20 boxes is less than a tenth of the track */
    d[1].box.y1 = 9;
    assert_int_equal(region_score(&rbdc, &tbdc, &t, d, 2, 20), 0);
    assert_true(tbdc == 1); /* two are enough */
    /* The same place in another frame or clip is something else. */
    d[0].frame = 30, d[1].clip = 1;
    assert_int_equal(region_score(&rbdc, &tbdc, &t, d, 2, 20), 0);
    assert_true(rbdc == 0 && tbdc == 0);
    d[1].score = NAN;
    assert_int_equal(region_score(&rbdc, &tbdc, &t, d, 2, 20), ERR_FAIL);
    Tracks none = {0};
    assert_int_equal(region_score(&rbdc, &tbdc, &none, d, 0, 20), 0);
    assert_true(isnan(rbdc) && isnan(tbdc));
    for (int n = 1; n <= 3; n++) {
        mem_fail_after(n);
        assert_int_equal(region_score(&rbdc, &tbdc, &t, d, 1, 20), ERR_FAIL);
        mem_fail_after(0);
    }
    tracks_free(&t);
}

/* A true and a false detection of one score: whichever clip each is in, they are one step. */
static void test_ties_are_one_step(void **state) {
    (void)state;
    const Box box = {64, 64, 79, 79};
    for (int clip = 0; clip < 2; clip++) {
        Tracks t = {.tracks = 1};
        double rbdc, tbdc;
        assert_int_equal(tracks_add(&t, (TrackBox){clip, 1, 0, box}), 0);
        Detection d[2] = {{0, 1, box, 0.5f}, {1, 1, box, 0.5f}};
        assert_int_equal(region_score(&rbdc, &tbdc, &t, d, 2, 4), 0);
        assert_true(rbdc == 0.875 && tbdc == 0.875);
        /* Three false alarms where there are two frames: a third of the line is beyond the end. */
        Detection more[4] = {d[0], d[1], {0, 0, box, 0.5f}, {1, 0, box, 0.5f}};
        assert_int_equal(region_score(&rbdc, &tbdc, &t, more, 4, 2), 0);
        assert_true(fabs(rbdc - 1.0 / 3) < 1e-15 && fabs(tbdc - 1.0 / 3) < 1e-15);
        tracks_free(&t);
    }
}

/* The result is of a set of detections: their order in the array is nothing. */
static void test_order_does_not_matter(void **state) {
    (void)state;
    Tracks t = walk();
    Detection d[4] = {{0, 0, {0, 0, 3, 3}, 1},
                      {0, 1, t.item[1].box, 1},
                      {0, 0, t.item[0].box, 1},
                      {0, 2, {0, 0, 3, 3}, 1}};
    double first, tracks, second;
    assert_int_equal(region_score(&first, &tracks, &t, d, 4, 10), 0);
    Detection turned[4] = {d[3], d[1], d[2], d[0]};
    assert_int_equal(region_score(&second, &tracks, &t, turned, 4, 10), 0);
    assert_true(first == second);
    tracks_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_all_found),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_ties_are_one_step),
        cmocka_unit_test(test_order_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
