/* From frames to cells: speeds do not depend on the camera's rate and size, nor on light. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "score/movement.h"

/* A grey wall of soft bumps, `shake` of 240 pixels to the right and down; a block of other bumps on
 * it, `x` from the left. */
static double wall(double x, double y) {
    return 128 + 40 * sin(x / 7) * cos(y / 9) + 30 * sin(x / 17 + y / 13);
}

static void draw(Frame *f, int width, int height, double x, double gain, double shake) {
    double scale = 240.0 / height;
    assert_int_equal(frame_reserve(f, width, height), 0);
    for (int row = 0; row < height; row++)
        for (int column = 0; column < width; column++) {
            double px = (column + 0.5) * scale - shake, py = (row + 0.5) * scale - shake;
            bool block = px >= x && px < x + 80 && py >= 80 && py < 160;
            double level = block ? wall(px - x + 300, py + 300) : wall(px, py);
            memset(f->bgr + 3 * (row * width + column), (int)fmin(level * gain, 255), 3);
        }
}

typedef struct {
    int width, height;
    double rate;  /* frames a second; 0: frames have no time */
    double speed; /* pixels of 240 rows in a tenth of a second */
    double light; /* what each frame's light is of the one before */
    double shake; /* pixels by which every second frame is off */
} Case;

/* The mean movement of the block's inner cells and the mean speed of the others far from it. */
static void measure(const Case *c, double *right, double *rest) {
    Backend *be;
    Movement *m;
    Frame f = {0};
    bool ready = false;
    MovementSize size = movement_size(c->width, c->height);
    assert_int_equal(backend_open(&be, "cpu", 1, "f32"), 0);
    assert_int_equal(movement_open(&m, be, size), 0);
    double x = 100, step = c->rate > 0 ? 1 / c->rate : 0.1, gain = 1;
    for (int i = 0; i < 8; i++, x += c->speed * step / 0.1, gain *= c->light) {
        draw(&f, c->width, c->height, x, gain, i % 2 * c->shake);
        f.seconds = c->rate > 0 ? i / c->rate : NAN;
        movement_add(m, &f);
        assert_int_equal(movement_measure(m, &ready), 0);
        assert_int_equal(ready, i > 0);
    }
    x -= c->speed * step / 0.1;
    int wide = size.width / MOVEMENT_CELL, n = 0, far = 0;
    *right = *rest = 0;
    for (int row = 0; row < size.height / MOVEMENT_CELL; row++)
        for (int column = 0; column < wide; column++) {
            double px = 4 * column + 2, py = 4 * row + 2, reach = fabs(c->speed) + 16;
            int i = row * wide + column;
            if (px > x + reach && px < x + 80 - reach && py > 100 && py < 140) {
                *right += movement_right(m)[i];
                n++;
            } else if (px > x + 80 + reach || py > 176) {
                *rest += movement_speed(m)[i];
                far++;
            }
        }
    *right /= n;
    *rest /= far;
    frame_free(&f);
    movement_free(&m);
    backend_free(&be);
}

static void test_same_speed(void **state) {
    (void)state;
    static const Case cases[] = {
        {320, 240, 10, 4, 1, 0},    {320, 240, 0, 4, 1, 0},    {320, 240, 25, 4, 1, 0},
        {320, 240, 60, 4, 1, 0},    {320, 240, 4, 2, 1, 0},    {640, 480, 10, 4, 1, 0},
        {1280, 960, 25, -6, 1, 0},  {160, 120, 10, 4, 1, 0},   {320, 240, 10, 4, 1.05, 0},
        {320, 240, 10, 0, 0.93, 0}, {320, 240, 10, 3, 1, 0.8}, /* the camera shakes */
        {320, 240, 10, 0, 1, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double right, rest;
        measure(&cases[i], &right, &rest);
        if (fabs(right - cases[i].speed) > 0.05 * fabs(cases[i].speed) + 0.1 || rest > 0.1)
            fail_msg("case %d: %.3f, expected %g; the wall moves by %.3f", (int)i, right,
                     cases[i].speed, rest);
    }
}

/* Somebody dark comes close to the camera: the picture gets darker, but the wall stays at rest. */
static void test_large_figure(void **state) {
    (void)state;
    Backend *be;
    Movement *m;
    Frame f = {0};
    bool ready;
    MovementSize size = movement_size(320, 240);
    int wide = size.width / MOVEMENT_CELL;
    assert_int_equal(backend_open(&be, "cpu", 1, "f32"), 0);
    assert_int_equal(movement_open(&m, be, size), 0);
    for (int i = 0; i < 8; i++) {
        draw(&f, 320, 240, 400, 1, 0);
        for (int row = 0; row < 240; row++)
            memset(f.bgr + 3 * 320 * row, 20, 3 * (size_t)(60 + 10 * i));
        f.seconds = i / 10.0;
        movement_add(m, &f);
        assert_int_equal(movement_measure(m, &ready), 0);
    }
    double rest = 0;
    int n = 0;
    for (int row = 0; row < size.height / MOVEMENT_CELL; row++)
        for (int column = 50; column < wide; column++, n++)
            rest += movement_speed(m)[row * wide + column];
    assert_true(rest / n < 0.05);
    frame_free(&f);
    movement_free(&m);
    backend_free(&be);
}

/* A lamp that goes on moves nothing, and one that flickers in the dark neither. */
static void test_lamps(void **state) {
    (void)state;
    static const double gain[][2] = {{0.25, 0.8}, {0.02, 0.02}};
    for (int k = 0; k < 2; k++) {
        Backend *be;
        Movement *m;
        Frame f = {0};
        bool ready;
        MovementSize size = movement_size(320, 240);
        int cells = size.width / MOVEMENT_CELL * (size.height / MOVEMENT_CELL);
        assert_int_equal(backend_open(&be, "cpu", 1, "f32"), 0);
        assert_int_equal(movement_open(&m, be, size), 0);
        for (int i = 0; i < 2; i++) {
            draw(&f, 320, 240, 400, gain[k][i], 0);
            if (k)
                memset(f.bgr + 3 * (100 * 320 + 100), i ? 255 : 60, 12);
            f.seconds = i / 10.0;
            movement_add(m, &f);
            assert_int_equal(movement_measure(m, &ready), 0);
        }
        double rest = 0;
        for (int i = cells / 2; i < cells; i++)
            rest += movement_speed(m)[i] / (cells / 2.0);
        if (rest > 0.1)
            fail_msg("case %d: all moves by %.3f", k, rest);
        frame_free(&f);
        movement_free(&m);
        backend_free(&be);
    }
}

static void test_sizes(void **state) {
    (void)state;
    static const int sizes[][4] = {{360, 240, 360, 240},   {238, 158, 360, 240},
                                   {1920, 1080, 424, 240}, {1080, 1920, 136, 240},
                                   {4000, 500, 640, 80},   {8, 4000, 16, 240}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        MovementSize s = movement_size(sizes[i][0], sizes[i][1]);
        assert_int_equal(s.width, sizes[i][2]);
        assert_int_equal(s.height, sizes[i][3]);
    }
}

/* The bits of a frame's cells do not depend on what came long before it. */
static void test_two_frames_decide(void **state) {
    (void)state;
    Backend *be;
    Movement *m[2];
    Frame f = {0};
    bool ready;
    MovementSize size = movement_size(160, 120);
    size_t bytes =
        (size_t)(size.width / MOVEMENT_CELL * size.height / MOVEMENT_CELL) * sizeof(float);
    assert_int_equal(backend_open(&be, "cpu", 1, "f32"), 0);
    for (int k = 0; k < 2; k++)
        assert_int_equal(movement_open(&m[k], be, size), 0);
    for (int i = 0; i < 90; i++) {
        draw(&f, 160, 120, 50 + 1.5 * i, 1, 0);
        f.seconds = i / 25.0;
        for (int k = 0; k < 2; k++) {
            if (k && i < 80)
                continue; /* has seen only the last ten */
            movement_add(m[k], &f);
            assert_int_equal(movement_measure(m[k], &ready), 0);
        }
    }
    assert_memory_equal(movement_speed(m[0]), movement_speed(m[1]), bytes);
    movement_reset(m[0]);
    movement_add(m[0], &f);
    assert_int_equal(movement_measure(m[0], &ready), 0);
    assert_false(ready);
    for (int k = 0; k < 2; k++)
        movement_free(&m[k]);
    frame_free(&f);
    backend_free(&be);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_speed),
        cmocka_unit_test(test_large_figure),
        cmocka_unit_test(test_lamps),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_two_frames_decide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
