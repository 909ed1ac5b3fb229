/* What is ignored: no picture of a frame depends on it, at any size. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "fixture.h"
#include "near.h"
#include "random.h"
#include "video/frame.h"
#include "video/png.h"

static void fill(Frame *f, int width, int height, uint32_t seed) {
    Rng r = rng_stream(5, RNG_TEST, seed, 0);
    assert_int_equal(frame_reserve(f, width, height), 0);
    for (int i = 0; i < 3 * width * height; i++)
        f->bgr[i] = (uint8_t)(256 * rng_uniform(&r, (uint64_t)i));
}

/* Pictures of two frames that differ only where `ignore` is are the same; elsewhere they are those
 * of a frame that ignores nothing, but for a rim. */
static void check_hidden(const Ignore *ignore, double x0, double y0, double x1, double y1) {
    static const int sizes[][2] = {{97, 61}, {640, 360}, {32, 32}, {168, 168}, {360, 240}, {1, 1}};
    enum { SIZES = sizeof sizes / sizeof *sizes, MOST = 3 * 640 * 360 };
    uint8_t *out[3];
    for (int i = 0; i < 3; i++)
        assert_non_null(out[i] = mem_alloc(MOST, 1));
    for (int from = 0; from < 2; from++)
        for (int to = 0; to < SIZES; to++) {
            Frame a = {0}, b = {0};
            int w = sizes[from][0], h = sizes[from][1], tw = sizes[to][0], th = sizes[to][1];
            fill(&a, w, h, 1);
            fill(&b, w, h, 2);
            for (int y = 0; y < h; y++)
                for (int x = 0; x < w; x++) {
                    bool in = (x + 0.5) / w > x0 && (x + 0.5) / w < x1 && (y + 0.5) / h > y0 &&
                              (y + 0.5) / h < y1;
                    if (!in)
                        memcpy(b.bgr + 3 * (y * w + x), a.bgr + 3 * (y * w + x), 3);
                }
            frame_resize(out[2], tw, th, &a);
            a.ignore = b.ignore = ignore;
            frame_resize(out[0], tw, th, &a);
            frame_resize(out[1], tw, th, &b);
            assert_memory_equal(out[0], out[1], (size_t)(3 * tw * th));
            double rim = 1.5 / IGNORE_SIDE + 4.0 / h; /* a cell, and the pixels that are shared */
            for (int i = 0; i < tw * th; i++) {
                double x = (i % tw + 0.5) / tw, y = ((int)(i / tw) + 0.5) / th;
                if (x < x0 - rim || x > x1 + rim || y < y0 - rim || y > y1 + rim)
                    assert_memory_equal(out[0] + 3 * i, out[2] + 3 * i, 3);
            }
            frame_resize_grey(out[0], tw, th, &a);
            frame_resize_grey(out[1], tw, th, &b);
            assert_memory_equal(out[0], out[1], (size_t)(tw * th));
            frame_free(&a);
            frame_free(&b);
        }
    for (int i = 0; i < 3; i++)
        mem_free(out[i]);
}

static void test_hidden(void **state) {
    (void)state;
    Ignore *ignore = mem_alloc(1, sizeof *ignore);
    assert_int_equal(ignore_parse(ignore, "0.6,0.05 0.98,0.15"), 0);
    check_hidden(ignore, 0.6, 0.05, 0.98, 0.15);
    assert_int_equal(ignore_parse(ignore, "0,0 0.3,0.5"), 0);
    check_hidden(ignore, 0, 0, 0.3, 0.5);
    mem_free(ignore);
}

static void test_polygons(void **state) {
    (void)state;
    Ignore *ignore = mem_alloc(1, sizeof *ignore), *same = mem_alloc(1, sizeof *same);
    assert_int_equal(ignore_parse(ignore, " 0.1,0.2\t0.5,0.2 0.5,0.6 0.1,0.6 ;"), 0);
    assert_int_equal(ignore_parse(same, "0.1,0.2 0.5,0.6"), 0);
    assert_memory_equal(ignore, same, sizeof *same);
    assert_near(ignore_share(same), 0.16, 0.02);
    assert_int_equal(ignore_parse(ignore, "0,0 1,0 0,1"), 0); /* half of it */
    assert_near(ignore_share(ignore), 0.5, 0.02);
    assert_true(ignore->cell[10][10] == 1 && ignore->cell[150][150] == 0);
    assert_int_equal(ignore_parse(ignore, "0.1,0.2 0.5,0.6; 0.8,0.8 0.9,0.9"), 0);
    assert_near(ignore_share(ignore), 0.17, 0.03);
    mem_free(ignore);
    mem_free(same);
}

static void test_picture(void **state) {
    (void)state;
    const char *path = fixture_path("mask.png");
    enum { W = 40, H = 20 };
    uint8_t bgr[3 * W * H] = {0};
    Ignore *ignore = mem_alloc(1, sizeof *ignore);
    for (int y = 0; y < 5; y++)
        memset(bgr + 3 * (y * W + 30), 255, 3 * 10); /* the upper right corner */
    assert_int_equal(png_write(path, bgr, W, H), 0);
    assert_int_equal(ignore_parse(ignore, path), 0);
    check_hidden(ignore, 0.75, 0, 1, 0.25);
    memset(bgr, 0, sizeof bgr);
    assert_int_equal(png_write(path, bgr, W, H), 0);
    assert_int_equal(ignore_parse(ignore, path), ERR_USAGE);
    assert_non_null(strstr(err_text(), "covers 0 %"));
    mem_free(ignore);
}

static void test_bad(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "0.1",
                                      "0.1,0.2",
                                      "0.1,0.2 0.3",
                                      "a,b c,d",
                                      "0.1,0.2;",
                                      "0.1,0.2 1.5,0.3",
                                      "-0.1,0 0.2,0.2",
                                      "0,0 nan,1",
                                      "0,0 1,1",
                                      "no/such/file.png",
                                      "0,0 0.5,0.5;;",
                                      "0,0 0.5,0.5 x"};
    Ignore *ignore = mem_alloc(1, sizeof *ignore);
    ignore->cell[0][0] = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (ignore_parse(ignore, bad[i]) != ERR_USAGE)
            fail_msg("\"%s\" is taken", bad[i]);
    assert_true(ignore->cell[0][0] == 7); /* untouched */
    char many[801] = "";
    for (int i = 0; i < 100; i++)
        memcpy(many + 8 * i, "0.5,0.5 ", 9);
    assert_int_equal(ignore_parse(ignore, many), ERR_USAGE);
    assert_non_null(strstr(err_text(), "more than 64 points"));
    mem_free(ignore);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hidden),
        cmocka_unit_test(test_polygons),
        cmocka_unit_test(test_picture),
        cmocka_unit_test(test_bad),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
