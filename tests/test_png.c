/* PNGs that are written are read back as they were; failures leave nothing behind. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "fixture.h"
#include "random.h"
#include "video/png.h"
#include "video/source.h"

static void noise(uint8_t *bgr, int n) {
    Rng r = rng_stream(1, RNG_TEST, 0, 0);
    for (int k = 0; k < n; k++)
        bgr[k] = (uint8_t)(256 * rng_uniform(&r, (uint64_t)k));
}

static void test_lossless(void **state) {
    (void)state;
    static const int size[][2] = {{1, 1}, {7, 5}, {64, 48}};
    for (int i = 0; i < 3; i++) {
        int w = size[i][0], h = size[i][1];
        uint8_t bgr[64 * 48 * 3];
        noise(bgr, 3 * w * h);
        const char *path = fixture_path("lossless/%d.png", i);
        assert_int_equal(png_write(path, bgr, w, h), 0);
        Source *s;
        Frame f = {0};
        assert_int_equal(source_open(&s, path), 0);
        assert_int_equal(source_read(s, &f), 0);
        assert_int_equal(f.width, w);
        assert_int_equal(f.height, h);
        assert_memory_equal(frame_bgr(&f), bgr, (size_t)(3 * w * h));
        frame_free(&f);
        source_free(&s);

        uint8_t *data;
        char *file;
        int64_t bytes;
        size_t file_bytes;
        assert_int_equal(png_encode(&data, &bytes, bgr, w, h), 0);
        assert_memory_equal(data, "\x89PNG\r\n\x1a\n", 8);
        assert_int_equal(file_read(path, 1 << 20, &file, &file_bytes), 0);
        assert_int_equal(file_bytes, bytes);
        assert_memory_equal(file, data, file_bytes);
        mem_free(file);
        mem_free(data);
    }
}

static void test_errors(void **state) {
    (void)state;
    const uint8_t pixel[12] = {1, 2, 3};
    const char *path = fixture_path("errors/a.png");
    assert_int_equal(png_write("/nonexistent/folder/a.png", pixel, 1, 1), ERR_FAIL);
    assert_non_null(strstr(err_text(), "/nonexistent/folder/a.png"));
    assert_int_equal(png_write(path, pixel, 0, 1), ERR_FAIL);
    assert_non_null(strstr(err_text(), "0 x 1"));
    assert_non_null(strstr(err_text(), "a.png"));
    mem_fail_after(1);
    assert_int_equal(png_write(path, pixel, 2, 2), ERR_FAIL);
    mem_fail_after(0);
    assert_int_equal(rmdir(fixture_path("errors")), 0); /* it is empty */
}

/* A file-size limit stands in for a full disk. */
static void test_full_disk(void **state) {
    (void)state;
    enum { SIDE = 64 };
    static uint8_t bgr[SIDE * SIDE * 3];
    noise(bgr, sizeof bgr);
    const char *path = fixture_path("full/a.png");
    struct rlimit old, small;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 5000;
    setrlimit(RLIMIT_FSIZE, &small);
    int code = png_write(path, bgr, SIDE, SIDE);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(code, ERR_FAIL);
    assert_non_null(strstr(err_text(), "a.png"));
    assert_int_equal(rmdir(fixture_path("full")), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lossless),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
