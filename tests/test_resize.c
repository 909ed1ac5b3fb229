/* frame_resize against its definition in doubles. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "video/frame.h"

static double sample(const Frame *f, int x, int y, int c) {
    x = x < 0 ? 0 : x >= f->width ? f->width - 1 : x;
    y = y < 0 ? 0 : y >= f->height ? f->height - 1 : y;
    return f->bgr[((int64_t)y * f->width + x) * 3 + c];
}

static double exact(const Frame *f, int width, int height, int x, int y, int c) {
    double sx = (x + 0.5) * f->width / width - 0.5, sy = (y + 0.5) * f->height / height - 0.5;
    int ax = (int)floor(sx), ay = (int)floor(sy);
    double wx = sx - ax, wy = sy - ay;
    double top = (1 - wx) * sample(f, ax, ay, c) + wx * sample(f, ax + 1, ay, c);
    double low = (1 - wx) * sample(f, ax, ay + 1, c) + wx * sample(f, ax + 1, ay + 1, c);
    return (1 - wy) * top + wy * low;
}

static void fill(Frame *f, int width, int height) {
    Rng rng = rng_stream(7, RNG_TEST, (uint32_t)width, (uint32_t)height);
    assert_int_equal(frame_reserve(f, width, height), 0);
    for (int64_t i = 0; i < (int64_t)width * height * 3; i++)
        f->bgr[i] = (uint8_t)(rng_uniform(&rng, (uint64_t)i) * 256);
}

/* Weights of 11 bits are off by 2^-12 at most in each of two passes: 255 x 2 x 2^-12 = 0.125 grey
 * levels before rounding adds its half. */
static void test_against_definition(void **state) {
    (void)state;
    static const int sizes[][4] = {{360, 240, 224, 224}, {224, 224, 360, 240}, {5, 3, 17, 11},
                                   {17, 11, 5, 3},       {1, 1, 4, 4},         {3, 7, 1, 1},
                                   {640, 360, 224, 224}, {64, 64, 64, 32},     {2, 2, 3, 3}};
    Frame f = {0};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        int w = sizes[k][2], h = sizes[k][3];
        size_t bytes = (size_t)w * (size_t)h * 3;
        uint8_t *out = malloc(bytes + 16);
        fill(&f, sizes[k][0], sizes[k][1]);
        memset(out + bytes, 0xa5, 16);
        frame_resize(out, w, h, &f);
        for (size_t i = 0; i < 16; i++)
            assert_int_equal(out[bytes + i], 0xa5);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                for (int c = 0; c < 3; c++) {
                    double want = exact(&f, w, h, x, y, c), got = out[(y * w + x) * 3 + c];
                    if (fabs(got - want) > 0.5 + 0.125)
                        fail_msg("%dx%d to %dx%d at %d,%d,%d: %g, expected %g", f.width, f.height,
                                 w, h, x, y, c, got, want);
                }
        free(out);
    }
    frame_free(&f);
}

/* Grey of frames without luma is that of the resized colours. */
static void test_grey(void **state) {
    (void)state;
    Frame f = {0};
    uint8_t colour[40 * 30 * 3], grey[40 * 30 + 8];
    fill(&f, 77, 55);
    frame_resize(colour, 40, 30, &f);
    memset(grey, 0xa5, sizeof grey);
    frame_resize_grey(grey, 40, 30, &f);
    for (int i = 0; i < 40 * 30; i++) {
        double want = 0.114 * colour[3 * i] + 0.587 * colour[3 * i + 1] + 0.299 * colour[3 * i + 2];
        assert_true(fabs(grey[i] - want) < 1); /* weights of 8 bits, and rounding */
    }
    for (size_t i = 40 * 30; i < sizeof grey; i++)
        assert_int_equal(grey[i], 0xa5);
    f.orientation = FRAME_TRANSPOSED;
    frame_resize_grey(grey, 40, 30, &f);
    frame_resize(colour, 40, 30, &f);
    for (int i = 0; i < 40 * 30; i++) {
        double want = 0.114 * colour[3 * i] + 0.587 * colour[3 * i + 1] + 0.299 * colour[3 * i + 2];
        assert_true(fabs(grey[i] - want) < 1);
    }
    frame_free(&f);
}

static void test_exact_cases(void **state) {
    (void)state;
    Frame f = {0};
    uint8_t out[32 * 32 * 3];
    fill(&f, 32, 32);
    frame_resize(out, 32, 32, &f);
    assert_memory_equal(out, f.bgr, sizeof out);
    memset(f.bgr, 255, sizeof out); /* a constant picture stays what it is */
    frame_resize(out, 13, 29, &f);
    for (int i = 0; i < 13 * 29 * 3; i++)
        assert_int_equal(out[i], 255);
    assert_int_equal(frame_reserve(&f, 2, 1), 0);
    memcpy(f.bgr, "\0\0\0\xc8\xc8\xc8", 6);
    frame_resize(out, 4, 1, &f); /* half-pixel centres: 0, 1/4, 3/4, 1 of the way */
    assert_int_equal(out[0], 0);
    assert_int_equal(out[3], 50);
    assert_int_equal(out[6], 150);
    assert_int_equal(out[9], 200);
    frame_free(&f);
}

static void test_reserve(void **state) {
    (void)state;
    Frame f = {0};
    assert_int_equal(frame_reserve(&f, 40, 30), 0);
    uint8_t *data = f.bgr;
    assert_int_equal(frame_reserve(&f, 10, 10), 0);
    assert_ptr_equal(f.bgr, data); /* reused */
    assert_true(frame_reserve(&f, 0, 10) < 0);
    assert_true(frame_reserve(&f, 1 << 20, 1 << 20) < 0);
    frame_free(&f);
    assert_null(f.bgr);
    frame_free(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_definition),
        cmocka_unit_test(test_grey),
        cmocka_unit_test(test_exact_cases),
        cmocka_unit_test(test_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
