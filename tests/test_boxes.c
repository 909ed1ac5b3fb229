/* Boxes of an error map against their definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "random.h"
#include "score/boxes.h"
#include "score/error_map.h"

enum { MAX_SIDE = 14, MAX_CELLS = MAX_SIDE * MAX_SIDE };

static int higher(const float *map, int a, int b) {
    return map[a] > map[b] || (map[a] == map[b] && a < b);
}

/* The part at half the height of `peak`, grown until it stays; whether none in it is higher. */
static int part(const float *map, int side, int peak, Box *b) {
    uint8_t in[MAX_CELLS] = {0};
    in[peak] = 1;
    for (int grown = 1; grown;) {
        grown = 0;
        for (int i = 0; i < side * side; i++)
            for (int k = 0; k < side * side && !in[i] && map[i] >= map[peak] / 2; k++)
                if (in[k] && abs(i % side - k % side) <= 1 && abs(i / side - k / side) <= 1)
                    in[i] = 1, grown = 1;
    }
    *b = (Box){side, side, -1, -1};
    for (int i = 0; i < side * side; i++)
        if (in[i]) {
            if (higher(map, i, peak))
                return 0;
            b->x0 = i % side < b->x0 ? i % side : b->x0;
            b->x1 = i % side > b->x1 ? i % side : b->x1;
            b->y0 = i / side < b->y0 ? i / side : b->y0;
            b->y1 = i / side > b->y1 ? i / side : b->y1;
        }
    return map[peak] > 0;
}

static int define(const float *map, int side, Detection *out) {
    int n = 0, last = -1;
    for (int k = 0; k < side * side && n < BOXES_MAX; k++) { /* the cells from the highest down */
        int next = -1;
        for (int i = 0; i < side * side; i++)
            if ((last < 0 || higher(map, last, i)) && (next < 0 || higher(map, i, next)))
                next = i;
        Box b;
        if (part(map, side, next, &b))
            out[n++] = (Detection){.box = b, .score = map[next]};
        last = next;
    }
    return n;
}

static void check(const float *map, int side) {
    BoxFinder f;
    Detection want[BOXES_MAX], got[BOXES_MAX];
    assert_int_equal(box_finder_open(&f, side), 0);
    int n = define(map, side, want);
    for (int again = 0; again < 2; again++) { /* scratch keeps nothing */
        assert_int_equal(boxes_find(&f, map, got), n);
        for (int i = 0; i < n; i++) {
            assert_true(got[i].score == want[i].score);
            assert_memory_equal(&got[i].box, &want[i].box, sizeof(Box));
        }
    }
    box_finder_free(&f);
}

static void test_definition(void **state) {
    (void)state;
    for (uint32_t trial = 0; trial < 300; trial++) {
        Rng r = rng_stream(3, RNG_TEST, 7, trial);
        int side = 1 + (int)(rng_uniform(&r, 0) * MAX_SIDE);
        double levels = 2 + floor(rng_uniform(&r, 1) * 40), power = 1 + 6 * rng_uniform(&r, 2);
        float map[MAX_CELLS];
        for (int i = 0; i < side * side; i++) { /* ties, and a few peaks over a low ground */
            double u = pow(rng_uniform(&r, (uint64_t)(10 + i)), power);
            map[i] = (float)(floor(u * levels) / levels);
        }
        check(map, side);
    }
}

static void test_by_hand(void **state) {
    (void)state;
    /* 8 with its slope; 6 in another corner; 3 on the slope of 8 at half of 3. */
    const float map[25] = {8, 5, 2, 0, 0, /**/
                           4, 3, 2, 0, 0, /**/
                           0, 0, 3, 0, 0, /**/
                           0, 0, 0, 0, 2, /**/
                           1, 0, 0, 3, 6};
    BoxFinder f;
    Detection d[BOXES_MAX];
    assert_int_equal(box_finder_open(&f, 5), 0);
    assert_int_equal(boxes_find(&f, map, d), 3);
    assert_true(d[0].score == 8 && d[1].score == 6 && d[2].score == 1);
    assert_memory_equal(&d[0].box, &((Box){0, 0, 1, 1}), sizeof(Box));
    assert_memory_equal(&d[1].box, &((Box){3, 4, 4, 4}), sizeof(Box));
    assert_memory_equal(&d[2].box, &((Box){0, 4, 0, 4}), sizeof(Box));
    const float blank[25] = {0};
    assert_int_equal(boxes_find(&f, blank, d), 0);
    box_finder_free(&f);
}

/* The mean over the window as far as it lies in the map. */
static void test_smooth(void **state) {
    (void)state;
    for (int side = 1; side < 9; side++)
        for (int radius = 1; radius < 4; radius++) {
            Rng r = rng_stream(6, RNG_TEST, (uint32_t)side, (uint32_t)radius);
            float map[81], smooth[81], scratch[81];
            for (int i = 0; i < side * side; i++)
                smooth[i] = map[i] = (float)rng_uniform(&r, (uint64_t)i);
            error_map_smooth(smooth, scratch, side, radius);
            for (int i = 0; i < side * side; i++) {
                double sum = 0, n = 0;
                for (int k = 0; k < side * side; k++)
                    if (abs(i % side - k % side) <= radius && abs(i / side - k / side) <= radius)
                        sum += map[k], n++;
                assert_true(fabs(smooth[i] - sum / n) < 1e-6); /* rounded twice to float */
            }
        }
}

static void test_most(void **state) {
    (void)state;
    float map[MAX_CELLS] = {0};
    for (int i = 0; i < 49; i++) /* peaks apart, each lower than the one before */
        map[i / 7 * 2 * MAX_SIDE + i % 7 * 2] = 100 - (float)i;
    BoxFinder f;
    Detection d[BOXES_MAX];
    assert_int_equal(box_finder_open(&f, MAX_SIDE), 0);
    assert_int_equal(boxes_find(&f, map, d), BOXES_MAX);
    assert_true(d[0].score == 100 && d[BOXES_MAX - 1].score == 100 - (BOXES_MAX - 1));
    box_finder_free(&f);
}

/* A pixel is in a box if the cell of its centre is. */
static void test_frame(void **state) {
    (void)state;
    static const int sizes[][2] = {{224, 360}, {224, 240}, {224, 224}, {32, 7}, {64, 1000}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int cell = 4; cell <= 16; cell *= 2)
            for (int first = 0; first < sizes[s][0] / cell; first++) {
                int size = sizes[s][0], extent = sizes[s][1], last = first + first % 3;
                last = last < size / cell ? last : size / cell - 1;
                int low = extent, high = -1;
                for (int x = 0; x < extent; x++) {
                    double at = (x + 0.5) * size / extent;
                    if (at >= first * cell && at < (last + 1) * cell) {
                        low = x < low ? x : low;
                        high = x;
                    }
                }
                Box b =
                    box_in_frame((Box){first, 0, last, size / cell - 1}, cell, size, extent, 50);
                assert_true(b.y0 == 0 && b.y1 == 49);
                if (high >= 0)
                    assert_true(b.x0 == low && b.x1 == high);
                else
                    assert_true(b.x0 == b.x1);
            }
}

static void test_out_of_memory(void **state) {
    (void)state;
    for (int n = 1; n <= 3; n++) {
        BoxFinder f;
        mem_fail_after(n);
        assert_int_equal(box_finder_open(&f, 4), ERR_FAIL);
        mem_fail_after(0);
        box_finder_free(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition), cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_most),       cmocka_unit_test(test_smooth),
        cmocka_unit_test(test_frame),      cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
