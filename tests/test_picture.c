/* Single pictures: how they are shown, where they end, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "fixture.h"
#include "frames.h"
#include "video/source.h"

/* As PNG's chunks end. */
static void put_crc(uint8_t *to, const uint8_t *bytes, int count) {
    uint32_t crc = 0xffffffff;
    for (int i = 0; i < 8 * count; i++) {
        crc ^= i % 8 ? 0 : bytes[i / 8];
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(~crc >> (24 - 8 * i));
}

static void insert(const char *path, size_t at, const void *bytes, size_t count) {
    static uint8_t file[1 << 16];
    size_t size = fixture_size(path);
    assert_true(at <= size && size + count <= sizeof file);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fread(file, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    memmove(file + at + count, file + at, size - at);
    memcpy(file + at, bytes, count);
    fixture_write(path, file, size + count);
}

/* The largest difference to test picture 1 as EXIF's orientation shows it, one to eight. */
static int turned_distance(const Frame *f, int exif) {
    int worst = 0, columns = exif > 4 ? f->height : f->width,
        rows = exif > 4 ? f->width : f->height;
    for (int y = 0, i = 0; y < f->height; y++)
        for (int x = 0; x < f->width; x++)
            for (int c = 0; c < 3; c++, i++) {
                int sx = exif > 4 ? y : x, sy = exif > 4 ? x : y;
                sx = exif == 2 || exif == 3 || exif == 7 || exif == 8 ? columns - 1 - sx : sx;
                sy = exif == 3 || exif == 4 || exif == 6 || exif == 7 ? rows - 1 - sy : sy;
                int d = abs(f->bgr[i] - fixture_pixel(1, sx, sy, c));
                worst = d > worst ? d : worst;
            }
    return worst;
}

static void check_turned(const char *path, int exif, int most) {
    Frame f = {0};
    Source *s = open_ok(path);
    assert_int_equal(source_info(s)->width, exif > 4 ? 48 : 64);
    read_ok(s, &f);
    if (turned_distance(&f, exif) > most)
        fail_msg("%s, orientation %d: off by %d", path, exif, turned_distance(&f, exif));
    source_free(&s);
    frame_free(&f);
}

/* JPEG and PNG hold their orientation as EXIF; in both a small TIFF. */
static void test_orientation(void **state) {
    (void)state;
    for (int exif = 1; exif <= 8; exif++) {
        uint8_t tiff[26] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0};
        tiff[19] = (uint8_t)exif;
        uint8_t app[36] = "\xff\xe1\0\x22"
                          "Exif\0",
                chunk[38] = "\0\0\0\x1a"
                            "eXIf";
        memcpy(app + 10, tiff, sizeof tiff);
        memcpy(chunk + 8, tiff, sizeof tiff);
        const char *path = fixture_path("turned.jpg");
        fixture_encode(path, "mjpeg", 64, 48, 1);
        insert(path, 2, app, sizeof app);
        check_turned(path, exif, 24);
        path = fixture_path("turned.png");
        fixture_encode(path, "png", 64, 48, 1);
        put_crc(chunk + 34, chunk + 4, 30);
        insert(path, 33, chunk, sizeof chunk);
        check_turned(path, exif, 0);
    }
}

/* What stands behind a picture is no damage, also where it looks like an end, or a start. */
static void test_trailer(void **state) {
    (void)state;
    static const char *const encoders[] = {"mjpeg", "png", "tiff"};
    static const uint8_t trailer[] = {0xff, 0xda, 0, 1, 0xff, 0xd8, 0xff, 0xda, 7, 0xff, 'x'};
    Frame f = {0};
    for (int k = 0; k < 4; k++) {
        const char *name = fixture_path("trailer%d.jpg", k);
        fixture_bmp(name, 64, 48, 1);
        if (k < 3)
            fixture_encode(name, encoders[k], 64, 48, 1);
        insert(name, fixture_size(name), trailer, sizeof trailer);
        Source *s = open_ok(name);
        read_ok(s, &f);
        assert_true(distance(&f, 1) <= (k ? 0 : 24));
        source_free(&s);
    }
    frame_free(&f);
}

/* FFmpeg decodes it, but not to what it shows. */
static void test_jpeg_in_tiff(void **state) {
    (void)state;
    const uint8_t file[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 3, 1, 3, 0, 1, 0, 0, 0, 7, 0, 0, 0};
    fixture_write(fixture_path("jpeg.tif"), file, sizeof file);
    Source *s = NULL;
    assert_int_equal(source_open(&s, fixture_path("jpeg.tif")), ERR_FAIL);
    assert_non_null(strstr(err_text(), "TIFF with JPEG inside (compression 7)"));
    assert_non_null(strstr(err_text(), "tiffcp"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orientation),
        cmocka_unit_test(test_trailer),
        cmocka_unit_test(test_jpeg_in_tiff),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
