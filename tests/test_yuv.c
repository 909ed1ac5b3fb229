/* JPEG's 4:2:0 to BGR against its definition in doubles. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "video/yuv.h"

enum { MAX = 32, STRIDE = 40 };

static uint8_t plane[3][MAX * STRIDE];

static double chroma(int k, int x, int y, int w, int h) {
    x = x < 0 ? 0 : x >= w ? w - 1 : x;
    y = y < 0 ? 0 : y >= h ? h - 1 : y;
    return plane[k][y * STRIDE + x];
}

/* Linear between the centres of the chroma samples, which lie amid four pixels. */
static double interpolate(int k, int x, int y, int w, int h) {
    int dx = x % 2 ? 1 : -1, dy = y % 2 ? 1 : -1;
    x /= 2, y /= 2;
    return (9 * chroma(k, x, y, w, h) + 3 * chroma(k, x + dx, y, w, h) +
            3 * chroma(k, x, y + dy, w, h) + chroma(k, x + dx, y + dy, w, h)) /
               16 -
           128;
}

static double clamped(double v) {
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

static void check(int w, int h) {
    const int stride[3] = {STRIDE, STRIDE, STRIDE};
    const uint8_t *planes[3] = {plane[0], plane[1], plane[2]};
    Rng rng = rng_stream(1, RNG_TEST, (uint32_t)w, (uint32_t)h);
    for (uint64_t i = 0; i < sizeof plane; i++)
        ((uint8_t *)plane)[i] = (uint8_t)(rng_uniform(&rng, i) * 256);
    uint8_t out[MAX * MAX * 3 + 8];
    memset(out, 0xa5, sizeof out);
    yuv420_to_bgr(out, planes, stride, w, h);
    int cw = (w + 1) / 2, ch = (h + 1) / 2;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double luma = plane[0][y * STRIDE + x];
            double u = interpolate(1, x, y, cw, ch), v = interpolate(2, x, y, cw, ch);
            double want[3] = {luma + 1.772 * u, luma - 0.344136 * u - 0.714136 * v,
                              luma + 1.402 * v};
            /* Chroma is rounded by half a level at most, then scaled by 1.772, then rounded. */
            for (int c = 0; c < 3; c++)
                assert_true(fabs(out[(y * w + x) * 3 + c] - clamped(want[c])) <=
                            0.5 * 1.772 + 0.5 + 0.01);
        }
    for (int i = 0; i < 8; i++)
        assert_int_equal(out[w * h * 3 + i], 0xa5);
}

static void test_definition(void **state) {
    (void)state;
    check(32, 32);
    check(31, 17);
    check(1, 1);
    check(2, 9);
}

/* Grey stored in three channels, as in Ped2: the luma comes through unchanged. */
static void test_grey(void **state) {
    (void)state;
    const int stride[3] = {16, 8, 8};
    uint8_t luma[16 * 16], flat[8 * 8], out[16 * 16 * 3];
    for (int i = 0; i < 256; i++)
        luma[i] = (uint8_t)i;
    memset(flat, 128, sizeof flat);
    yuv420_to_bgr(out, (const uint8_t *const[3]){luma, flat, flat}, stride, 16, 16);
    for (int i = 0; i < 256 * 3; i++)
        assert_int_equal(out[i], i / 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_grey),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
