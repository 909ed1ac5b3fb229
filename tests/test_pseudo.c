/* Pseudo anomalies: which pairs become one, and the patches of intruders. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/intruders.h"
#include "fixture.h"
#include "networks.h"
#include "preset.h"
#include "train/pseudo.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

enum { SIZE = 64, PLANE = SIZE * SIZE, FRAMES = 3 };

/* ---- masks (method A.7). */

enum { CELLS = 7, GRID = 14, PATCHES = GRID * GRID };

static int count_cells(const uint8_t *mask) {
    int cells = 0;
    for (int y = 0; y < GRID; y += 2)
        for (int x = 0; x < GRID; x += 2) {
            const uint8_t *m = mask + y * GRID + x;
            assert_true(m[0] <= 1 && m[0] == m[1] && m[0] == m[GRID] && m[0] == m[GRID + 1]);
            cells += m[0];
        }
    return cells;
}

static void test_mask_counts(void **state) {
    (void)state;
    const struct {
        const char *options;
        int cells;
    } rows[] = {{"mask-ratio=0", 0},    {"mask-ratio=0.25", 13}, {"mask-ratio=0.5", 25},
                {"mask-ratio=0.6", 30}, {"mask-ratio=0.75", 37}, {"mask-ratio=1", 49}};
    for (int i = 0; i < N(rows); i++) {
        const TrainSettings t = preset(rows[i].options);
        assert_int_equal(pseudo_cells(&t, &base), 49);
        assert_int_equal(pseudo_masked_cells(&t, &base), rows[i].cells);
        for (int64_t k = 0; k < 50; k++) {
            uint8_t mask[PATCHES];
            memset(mask, 0xA5, sizeof mask);
            pseudo_draw(mask, &t, &base, 3, k);
            assert_int_equal(count_cells(mask), rows[i].cells);
        }
    }
}

static void test_masks_differ(void **state) {
    (void)state;
    const TrainSettings t = preset(""), other = preset("seed=1");
    uint8_t a[PATCHES], b[PATCHES];
    pseudo_draw(a, &t, &base, 2, 5);
    pseudo_draw(b, &t, &base, 2, 5);
    assert_memory_equal(a, b, PATCHES);
    pseudo_draw(b, &t, &base, 3, 5);
    assert_memory_not_equal(a, b, PATCHES);
    pseudo_draw(b, &t, &base, 2, 6);
    assert_memory_not_equal(a, b, PATCHES);
    pseudo_draw(b, &other, &base, 2, 5);
    assert_memory_not_equal(a, b, PATCHES);
}

/* Every cell, and every pair of cells, as often as chance has it: within five and six deviations of
 * the binomial distribution (49 and 1176 of them are looked at). */
static void test_masks_are_uniform(void **state) {
    (void)state;
    enum { DRAWS = 4000, ALL = CELLS * CELLS };
    const TrainSettings t = preset("mask-ratio=0.5");
    static int single[ALL], both[ALL][ALL];
    for (int64_t k = 0; k < DRAWS; k++) {
        uint8_t mask[PATCHES];
        bool cell[ALL];
        pseudo_draw(mask, &t, &base, k % 7, k);
        for (int i = 0; i < ALL; i++)
            single[i] += cell[i] = mask[i / CELLS * 2 * GRID + i % CELLS * 2];
        for (int i = 0; i < ALL; i++)
            for (int j = 0; j < i; j++)
                both[i][j] += cell[i] && cell[j];
    }
    double p = 25.0 / 49, q = p * 24 / 48;
    for (int i = 0; i < ALL; i++) {
        assert_float_equal(single[i], DRAWS * p, 5 * sqrt(DRAWS * p * (1 - p)));
        for (int j = 0; j < i; j++)
            assert_float_equal(both[i][j], DRAWS * q, 6 * sqrt(DRAWS * q * (1 - q)));
    }
}

/* The cells of the mask stand still in the newest frame; nothing else changes. */
static void test_stale(void **state) {
    (void)state;
    enum { SIDE = 48, CELL = 12, COUNT = 3, PIXELS = SIDE * SIDE, FLOATS = 3 * PIXELS };
    const VitConfig v = {.image = SIDE, .patch = 4, .frames = COUNT};
    const TrainSettings t = preset("mask-cell=12 mask-ratio=0.5 pseudo=stale");
    static float before[COUNT * FLOATS], after[COUNT * FLOATS];
    uint8_t mask[144];
    for (int i = 0; i < COUNT * FLOATS; i++)
        before[i] = after[i] = (float)i;
    pseudo_stale(after, COUNT, &t, &v, 2, 9);
    pseudo_draw(mask, &t, &v, 2, 9);
    int stale = 0;
    for (int i = 0; i < COUNT * FLOATS; i++) {
        int x = i % SIDE, y = i / SIDE % SIDE;
        bool taken = i >= 2 * FLOATS && mask[y / 4 * 12 + x / 4];
        assert_true(after[i] == before[taken ? i - FLOATS : i]);
        stale += taken;
    }
    assert_int_equal(stale, FLOATS / 2);
}

static void test_settings_check(void **state) {
    (void)state;
    TrainSettings t = preset("mask-cell=24");
    assert_int_equal(train_settings_check(&t, &base), ERR_USAGE);
    assert_non_null(strstr(err_text(), "mask-cell 24"));
    t = preset("pseudo=stale mask-cell=8"); /* the network has one frame */
    assert_int_equal(train_settings_check(&t, &base), ERR_USAGE);
    assert_non_null(strstr(err_text(), "stale"));
    t = preset("mask-cell=8");
    assert_int_equal(train_settings_check(&t, &base), ERR_USAGE);
    t = preset("mask-cell=112");
    assert_int_equal(train_settings_check(&t, &base), 0);
    assert_int_equal(pseudo_cells(&t, &base), 4);
}

/* As often as p says, within five deviations; another epoch chooses others. */
static void test_chosen(void **state) {
    (void)state;
    enum { PAIRS = 20000 };
    static const char *const options[] = {"pseudo-p=0", "pseudo-p=0.01", "pseudo-p=0.2",
                                          "pseudo-p=1"};
    for (int i = 0; i < 4; i++) {
        const TrainSettings t = preset(options[i]);
        int chosen = 0, both = 0;
        for (int64_t k = 0; k < PAIRS; k++) {
            bool now = pseudo_chosen(&t, 3, k);
            assert_true(now == pseudo_chosen(&t, 3, k));
            chosen += now;
            both += now && pseudo_chosen(&t, 4, k);
        }
        double p = t.pseudo_p;
        assert_true(fabs(chosen - PAIRS * p) <= 5 * sqrt(PAIRS * p * (1 - p)));
        assert_true(fabs(both - PAIRS * p * p) <= 5 * sqrt(PAIRS * p * p * (1 - p * p)));
    }
}

/* A frame of -1 and a white intruder: what is left is the window itself, from 0 to 2 above -1. */
static void draw(float *frames, const TrainSettings *t, int64_t index) {
    static uint8_t white[3 * PLANE];
    memset(white, 255, sizeof white);
    for (int i = 0; i < FRAMES * 3 * PLANE; i++)
        frames[i] = -1;
    pseudo_patch(frames, FRAMES, white, SIZE, t, 0, index);
}

/* How many pixels of a row, or column, the window reaches at all, and how many it fills. */
static void extent(const float *frame, bool rows, int *reached, int *filled) {
    *reached = *filled = 0;
    for (int i = 0; i < SIZE; i++) {
        float top = -1;
        for (int k = 0; k < SIZE; k++)
            top = fmaxf(top, frame[rows ? i * SIZE + k : k * SIZE + i]);
        *reached += top > -1;
        *filled += top > 0.999f;
    }
}

static void test_patch(void **state) {
    (void)state;
    static float frames[FRAMES * 3 * PLANE], again[FRAMES * 3 * PLANE];
    const TrainSettings t = preset("patch-size=0.5");
    int most = 0, moved = 0;
    for (int64_t index = 0; index < 200; index++) {
        draw(frames, &t, index);
        for (int side = 0; side < 2; side++) {
            int reached, filled;
            extent(frames, side, &reached, &filled);
            /* 10 pixels at least and half the frame at most, less what lies outside; and the soft
             * edges, a tenth of half the side on both sides. */
            assert_true(filled >= 1 && reached <= SIZE / 2 + 2 + 4 && filled <= SIZE / 2 + 2);
            most = reached > most ? reached : most;
        }
        for (int i = 0; i < PLANE; i++) /* grey: all channels alike */
            assert_true(frames[i] == frames[PLANE + i] && frames[i] == frames[2 * PLANE + i] &&
                        frames[i] >= -1 && frames[i] <= 1.0001f);
        moved += memcmp(frames, frames + 3 * PLANE, sizeof(float) * 3 * PLANE) != 0;
        draw(again, &t, index);
        assert_memory_equal(frames, again, sizeof frames);
    }
    assert_true(most > 0.45 * SIZE && moved > 180);
}

/* Grey of the intruder's colours, by the weights of ITU-R BT.601. */
static void test_grey(void **state) {
    (void)state;
    static float frame[3 * PLANE];
    static uint8_t intruder[3 * PLANE];
    const TrainSettings t = preset("");
    for (int i = 0; i < PLANE; i++) {
        intruder[3 * i] = 200;
        intruder[3 * i + 1] = 100;
        intruder[3 * i + 2] = 50;
    }
    float want = (0.114f * 200 + 0.587f * 100 + 0.299f * 50) / 127.5f - 1, nearest = 2;
    memset(frame, 0, sizeof frame);
    pseudo_patch(frame, 1, intruder, SIZE, &t, 1, 7);
    for (int i = 0; i < 3 * PLANE; i++)
        nearest = fminf(nearest, fabsf(frame[i] - want));
    assert_true(nearest < 1e-6f);
}

/* ---- CIFAR-100's files. */

enum { SIDE = 32, PIXELS = SIDE * SIDE, PICTURES = 50000 };

/* CIFAR-100's count of pictures of one colour each: red i, green 100, blue 200 - i; the corner
 * pixel is white. With two labels in front of each, or without. */
static void write_pictures(const char *path, const char *head, size_t head_bytes, int labels) {
    static uint8_t record[2 + 3 * PIXELS];
    FileOut *f = NULL;
    assert_int_equal(file_create(&f, path), 0);
    file_write(f, head, head_bytes);
    for (int64_t i = 0; i < PICTURES; i++) {
        uint8_t *planes = record + labels;
        record[0] = (uint8_t)(i % 20);
        record[1] = (uint8_t)(i % 100);
        memset(planes, (int)(i % 200), PIXELS);
        memset(planes + PIXELS, 100, PIXELS);
        memset(planes + 2 * PIXELS, (int)(200 - i % 200), PIXELS);
        planes[0] = planes[PIXELS] = planes[2 * PIXELS] = 255;
        file_write(f, record, (size_t)labels + 3 * PIXELS);
    }
    assert_int_equal(file_commit(&f), 0);
}

static void check_pictures(const char *path) {
    static uint8_t bgr[3 * PLANE];
    Intruders *p = NULL;
    if (intruders_open(&p, path))
        fail_msg("%s", err_text());
    assert_int_equal(intruders_count(p), PICTURES);
    for (int64_t i = 0; i < PICTURES; i += 9999) {
        intruders_get(p, i, bgr, SIZE);
        for (int c = 0; c < 3; c++) /* corners are aligned */
            assert_int_equal(bgr[c], 255);
        const uint8_t *last = bgr + 3 * (PLANE - 1);
        assert_int_equal(last[0], 200 - i % 200);
        assert_int_equal(last[1], 100);
        assert_int_equal(last[2], i % 200);
    }
    intruders_free(&p);
}

/* One byte of a good train.bin is changed, and changed back. */
static void poke(const char *path, long at, int value) {
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(fputc(value, f), value);
    assert_int_equal(fclose(f), 0);
}

static void refuse(const char *path, const char *words) {
    Intruders *p = NULL;
    assert_int_equal(intruders_open(&p, path), ERR_FAIL);
    assert_null(p);
    if (!strstr(err_text(), words))
        fail_msg("'%s' lacks '%s'", err_text(), words);
}

static void test_intruders(void **state) {
    (void)state;
    enum { RECORD = 2 + 3 * PIXELS };
    fixture_begin();
    const char *bin = fixture_path("train.bin");
    write_pictures(bin, "", 0, 2);
    check_pictures(bin);
    const struct {
        long at;
        int bad, good;
        const char *words;
    } labels[] = {
        {0, 20, 0, "record 0 has the labels 20 and 0, expected less than 20 and 100"},
        {(PICTURES - 1L) * RECORD + 1, 100, 99, "record 49999 has the labels 19 and 100"}};
    for (int i = 0; i < N(labels); i++) {
        poke(bin, labels[i].at, labels[i].bad);
        refuse(bin, labels[i].words);
        poke(bin, labels[i].at, labels[i].good);
    }
    check_pictures(bin);
    fixture_truncate(bin, 10000L * RECORD); /* whole records, as test.bin has them */
    refuse(bin, "expected train.bin (50000 records of 3074 bytes)");
    refuse(bin, "found 30740000 bytes");
    /* The Python version: a pickle with all pixels in one string, little-endian length. */
    static const char head[] = "\x80\x02}q\x01(U\x04"
                               "dataq\x02T"
                               "\x00\xc0\x27\x09";
    const char *pickle = fixture_path("train");
    write_pictures(pickle, head, sizeof head - 1, 0);
    check_pictures(pickle);
    fixture_truncate(pickle, fixture_size(pickle) - 1);
    refuse(pickle, "not CIFAR-100's");
    fixture_text(fixture_path("text"), "no pictures");
    refuse(fixture_path("text"), "not CIFAR-100's");
    fixture_text(fixture_path("empty"), "");
    refuse(fixture_path("empty"), "found 0 bytes");
    refuse(fixture_path("."), "is no file");
    refuse(fixture_path("absent"), "No such file");
    fixture_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mask_counts),
        cmocka_unit_test(test_masks_differ),
        cmocka_unit_test(test_masks_are_uniform),
        cmocka_unit_test(test_settings_check),
        cmocka_unit_test(test_chosen),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_patch),
        cmocka_unit_test(test_grey),
        cmocka_unit_test(test_intruders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
