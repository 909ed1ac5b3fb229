/* Marks on pictures: right places, and never a byte outside the canvas. */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "video/draw.h"

enum { W = 20, H = 12, GUARD = 64, BYTES = W * H * 3 };

/* A canvas between guard bytes. */
static uint8_t block[GUARD + BYTES + GUARD];
static const Colour white = {255, 255, 255}, red = {0, 0, 255};

static Canvas blank(void) {
    memset(block, 0xA5, sizeof block);
    memset(block + GUARD, 0, BYTES);
    return (Canvas){block + GUARD, W, H};
}

static void check_guards(void) {
    for (int i = 0; i < GUARD; i++) {
        assert_int_equal(block[i], 0xA5);
        assert_int_equal(block[GUARD + BYTES + i], 0xA5);
    }
}

static int set(Canvas c, int x, int y) {
    return c.bgr[3 * (y * W + x) + 2] != 0;
}

static int count(Canvas c) {
    int n = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            n += set(c, x, y);
    return n;
}

static void test_fill(void **state) {
    (void)state;
    Canvas c = blank();
    draw_fill(c, 3, 2, 4, 5, red);
    assert_int_equal(count(c), 20);
    assert_true(set(c, 3, 2) && set(c, 6, 6) && !set(c, 2, 2) && !set(c, 7, 6));
    assert_int_equal(c.bgr[3 * (2 * W + 3)], 0); /* blue, green, red */
    assert_int_equal(c.bgr[3 * (2 * W + 3) + 2], 255);

    c = blank();
    draw_fill(c, -3, -3, 5, 5, white);
    assert_int_equal(count(c), 4);
    draw_fill(c, 0, 0, -5, 3, white);
    assert_int_equal(count(c), 4);
    check_guards();
}

static void test_outline(void **state) {
    (void)state;
    Canvas c = blank();
    draw_outline(c, 3, 2, 4, 5, white);
    assert_int_equal(count(c), 14);
    assert_true(set(c, 3, 2) && set(c, 6, 6) && !set(c, 4, 3) && !set(c, 7, 6));
    c = blank();
    draw_outline(c, 3, 2, 1, 1, white);
    assert_int_equal(count(c), 1);
    draw_outline(c, 3, 2, 0, 5, white);
    draw_outline(c, 3, 2, 5, -2, white);
    assert_int_equal(count(c), 1);
    c = blank();
    draw_outline(c, -2, -2, W + 4, H + 4, white);
    assert_int_equal(count(c), 0);
    check_guards();
}

static void test_line(void **state) {
    (void)state;
    Canvas c = blank();
    draw_line(c, 1, 1, 10, 1, white);
    assert_int_equal(count(c), 10);
    c = blank();
    draw_line(c, 5, 5, 5, 5, white);
    assert_true(set(c, 5, 5) && count(c) == 1);
    c = blank();
    draw_line(c, 9, 9, 0, 0, white);
    for (int i = 0; i < 10; i++)
        assert_true(set(c, i, i));
    c = blank();
    draw_line(c, -100, 4, 1000, 4, white); /* only the visible part, all of it */
    assert_int_equal(count(c), W);
    c = blank();
    draw_line(c, -5, -1, 30, -1, white);
    assert_int_equal(count(c), 0);
    check_guards();
}

static void test_text(void **state) {
    (void)state;
    Canvas c = blank();
    draw_text(c, 1, 1, 1, white, "I");
    int one = count(c);
    assert_true(one > 8);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            if (set(c, x, y))
                assert_true(x >= 1 && x < 6 && y >= 1 && y < 8);
    c = blank();
    draw_text(c, 0, 0, 1, white, "II");
    assert_int_equal(count(c), 2 * one);
    c = blank();
    draw_text(c, 0, 0, 1, white, "\xc3\x7f\n"); /* no glyph: '?' */
    int unknown = count(c);
    c = blank();
    draw_text(c, 0, 0, 1, white, "???");
    assert_int_equal(count(c), unknown);
    /* Letters differ from each other. */
    uint8_t seen[95][BYTES];
    for (int i = 0; i < 95; i++) {
        c = blank();
        draw_text(c, 0, 0, 1, white, (char[]){(char)(' ' + i), 0});
        memcpy(seen[i], c.bgr, BYTES);
        for (int k = 0; k < i; k++)
            assert_true(memcmp(seen[i], seen[k], BYTES) != 0);
    }
}

/* Anything, anywhere: the guards stay. Sanitizers see reads outside as well. */
static void test_clipping(void **state) {
    (void)state;
    const int extreme[] = {INT_MIN, INT_MIN + 1, -1000, -1, 0, 1, W, 1000, INT_MAX - 1, INT_MAX};
    Rng r = rng_stream(1, RNG_TEST, 0, 0);
    for (uint64_t i = 0; i < 4000; i++) {
        Canvas c = blank();
        int v[5];
        for (uint64_t k = 0; k < 5; k++) {
            double u = rng_uniform(&r, 10 * i + k);
            v[k] =
                rng_uniform(&r, 10 * i + 5 + k) < 0.4 ? extreme[(int)(u * 10)] : (int)(u * 60) - 20;
        }
        draw_fill(c, v[0], v[1], v[2], v[3], red);
        draw_line(c, v[0], v[1], v[2], v[3], white);
        draw_outline(c, v[0], v[1], v[2], v[3], red);
        draw_text(c, v[0], v[1], 1 + (v[4] & 3), white, "Clip!");
        check_guards();
    }
}

static void test_heat(void **state) {
    (void)state;
    float values[101];
    uint8_t bgr[3 * 101];
    for (int i = 0; i <= 100; i++)
        values[i] = (float)i / 100;
    draw_heat(bgr, values, 101);
    double last = -1;
    for (int i = 0; i <= 100; i++) { /* brighter and brighter, so it reads in grey as well */
        double luma = 0.114 * bgr[3 * i] + 0.587 * bgr[3 * i + 1] + 0.299 * bgr[3 * i + 2];
        assert_true(luma > last - 0.6); /* rounding to 8 bits */
        last = luma;
    }
    assert_true(last > 220 && bgr[0] + bgr[1] + bgr[2] < 10);
    uint8_t odd[9], ends[6];
    draw_heat(odd, (const float[]){-3, 7, NAN}, 3);
    draw_heat(ends, (const float[]){0, 1}, 2);
    assert_memory_equal(odd, ends, 6);
    assert_memory_equal(odd + 6, ends, 3);
}

static void test_overlay(void **state) {
    (void)state;
    Canvas c = blank();
    memset(c.bgr, 100, BYTES);
    const float none[6] = {0, 0, NAN, -1, 0, 0};
    draw_overlay(c, none, 3, 2);
    for (int i = 0; i < BYTES; i++)
        assert_int_equal(c.bgr[i], 100);
    const float corner[4] = {0, 0, 0, 1};
    draw_overlay(c, corner, 2, 2);
    assert_int_equal(c.bgr[0], 100);
    const uint8_t *hot = c.bgr + BYTES - 3;
    assert_true(hot[2] > 220 && hot[1] > 220);
    draw_overlay(c, (const float[]){1}, 1, 1);
    check_guards();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fill),     cmocka_unit_test(test_outline),
        cmocka_unit_test(test_line),     cmocka_unit_test(test_text),
        cmocka_unit_test(test_clipping), cmocka_unit_test(test_heat),
        cmocka_unit_test(test_overlay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
