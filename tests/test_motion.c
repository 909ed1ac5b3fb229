/* What is learned of motion, and how surprising other motion is then. Cells are made up: a lane of
 * walkers across a picture of 128 x 80 pixels, 32 x 20 cells. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "random.h"
#include "score/motion_learn.h"

enum { WIDE = 32, TALL = 20, CELLS = WIDE * TALL, CLIPS = 30, FRAMES = 100 };
static const MovementSize picture = {WIDE * MOVEMENT_CELL, TALL *MOVEMENT_CELL};

/* A body of 4 x 6 cells at a speed, its middle at (x, y); noise elsewhere. */
static void draw(float *cells, int frame, double x, int y, double speed) {
    Rng rng = rng_stream(5, RNG_TEST, (uint32_t)frame, 0);
    for (int i = 0; i < CELLS; i++) {
        bool body = fabs(i % WIDE - x) <= 2 && abs(i / WIDE - y) <= 3;
        cells[i] = (float)(body ? speed : 0.05 * rng_uniform(&rng, (uint64_t)i));
    }
}

/* Walkers of 1.8 to 2.2 pixels in the lane at row 12. */
static void walk(float *cells, int clip, int frame) {
    Rng rng = rng_stream(6, RNG_TEST, (uint32_t)clip, 0);
    double speed = 1.8 + 0.4 * rng_uniform(&rng, 0), start = 40 * rng_uniform(&rng, 1);
    draw(cells, 1000 * clip + frame, fmod(start + frame * speed / 4, 40) - 4, 12, speed);
}

/* Bodies go to the right at their speed. */
static void add(MotionLearner *l, const float *cells) {
    static const float zeros[CELLS];
    motion_learner_add_cells(l, cells, cells, zeros);
}

static MotionModel *learned(int64_t bytes) {
    MotionLearner *l;
    MotionModel *m;
    float cells[CELLS];
    assert_int_equal(motion_learner_open(&l, picture, bytes), 0);
    for (int c = 0; c < CLIPS; c++)
        for (int f = 0; f < FRAMES; f++) {
            walk(cells, c, f);
            add(l, cells);
        }
    assert_int_equal(motion_learner_finish(l, &m), 0);
    motion_learner_free(&l);
    return m;
}

/* Of bodies that go to the right (1), to the left (-1). */
static double surprise_towards(const MotionModel *m, const float *cells, float way) {
    float map[CELLS / 4], zeros[CELLS] = {0};
    MotionWindows w;
    assert_int_equal(motion_windows_open(&w, m), 0);
    motion_windows_of(w.speed, m, cells, w.sums);
    motion_windows_of(w.right, m, cells, w.sums);
    motion_windows_of(w.down, m, zeros, w.sums);
    for (int i = 0; i < m->rows * m->cols; i++)
        w.right[i] *= way;
    double surprise =
        calibration_surprise(&m->held_out, motion_value(map, m, m->rarity, m->turn, &w));
    motion_windows_free(&w);
    return surprise;
}

static double surprise_of(const MotionModel *m, const float *cells) {
    return surprise_towards(m, cells, 1);
}

static void test_surprise(void **state) {
    (void)state;
    MotionModel *m = learned(1 << 30);
    float cells[CELLS];
    int beyond = 0, count = 0;
    for (int c = CLIPS; c < CLIPS + 8; c++) /* new walkers */
        for (int f = 0; f < FRAMES; f++, count++) {
            walk(cells, c, f);
            beyond += surprise_of(m, cells) > -log(0.01);
        }
    assert_true(beyond <= 0.03 * count);
    draw(cells, 1, 16, 12, 2);
    double walker = surprise_of(m, cells);
    draw(cells, 1, 16, 12, 5);
    double runner = surprise_of(m, cells);
    draw(cells, 1, 16, 4, 2);
    double off_lane = surprise_of(m, cells);
    draw(cells, 1, -50, 12, 0);
    double empty = surprise_of(m, cells);
    assert_true(walker < -log(0.03));
    assert_true(empty <= walker);
    assert_true(runner > -log(0.001));
    assert_true(off_lane > -log(0.01));
    draw(cells, 1, 16, 12, 2);
    assert_true(surprise_towards(m, cells, -1) > -log(0.01)); /* against the lane */
    motion_model_free(&m);
}

/* With room for few frames, every so many are kept, and what is learned is about the same. */
static void test_room(void **state) {
    (void)state;
    MotionModel *m = learned(3 * 2 * CELLS * 200);
    float cells[CELLS];
    assert_in_range(m->held_out.count, 100, 200);
    draw(cells, 1, 16, 12, 2);
    assert_true(surprise_of(m, cells) < -log(0.03));
    draw(cells, 1, 16, 12, 6);
    assert_true(surprise_of(m, cells) > -log(0.005));
    motion_model_free(&m);
}

/* Windows that reach over the rim are means of the cells that exist. */
static void test_windows(void **state) {
    (void)state;
    MotionModel *m;
    MotionWindows w = {0};
    float cells[CELLS];
    assert_int_equal(motion_model_open(&m, picture), 0);
    assert_int_equal(motion_windows_open(&w, m), 0);
    for (int r = 0; r < m->rows; r++)
        m->size[r] = 0.3F + 0.4F * (float)r;
    Rng rng = rng_stream(7, RNG_TEST, 0, 0);
    for (int i = 0; i < CELLS; i++)
        cells[i] = (float)rng_uniform(&rng, (uint64_t)i);
    motion_windows_of(w.speed, m, cells, w.sums);
    for (int r = 0; r < m->rows; r++)
        for (int c = 0; c < m->cols; c++) {
            double tall = MOTION_TALL * m->size[r], wide = MOTION_WIDE * m->size[r], sum = 0;
            int n = 0;
            for (int i = 0; i < CELLS; i++) {
                bool inside = i / WIDE >= (int)lrint(2 * r + 1.5 - tall / 2) &&
                              i / WIDE < (int)lrint(2 * r + 1.5 + tall / 2) &&
                              i % WIDE >= (int)lrint(2 * c + 1.5 - wide / 2) &&
                              i % WIDE < (int)lrint(2 * c + 1.5 + wide / 2);
                sum += inside ? cells[i] : 0;
                n += inside;
            }
            assert_true(fabs(w.speed[r * m->cols + c] - sum / n) < 1e-5);
        }
    motion_windows_free(&w);
    motion_model_free(&m);
}

/* Ranks below the tail, then the tail; it never falls. */
static void test_calibration(void **state) {
    (void)state;
    Calibration c;
    float values[101], equal[50] = {0};
    for (int i = 0; i <= 100; i++)
        values[100 - i] = (float)i;
    assert_int_equal(calibration_fit(&c, values, 101, 0.1F), 0);
    assert_true(fabs(c.tail[0] - 90) < 1e-5 && fabs(c.tail[1] - 5.5) < 1e-5);
    assert_true(fabs(calibration_surprise(&c, 50) - log(2)) < 0.01);
    assert_true(fabs(calibration_surprise(&c, 90 + 5.5) - (1 - log(0.1))) < 1e-6);
    assert_true(calibration_surprise(&c, -3) >= 0);
    double last = -1;
    for (double v = -2; v < 200; v += 0.25) {
        assert_true(calibration_surprise(&c, v) >= last);
        last = calibration_surprise(&c, v);
    }
    calibration_free(&c);
    assert_int_equal(calibration_fit(&c, equal, 50, 0.1F), 0);
    assert_true(calibration_surprise(&c, 0) < 0.02);
    assert_true(calibration_surprise(&c, 1) > 10);
    calibration_free(&c);
}

static void save(const MotionModel *m, const char *path) {
    SafeWriter *w;
    assert_int_equal(safe_writer_open(&w), 0);
    motion_model_add(w, m);
    assert_int_equal(safe_writer_save(&w, path), 0);
}

static int load(MotionModel **m, const char *path) {
    Safetensors *file;
    assert_int_equal(safetensors_open(&file, path), 0);
    int code = motion_model_load(m, file, path);
    safetensors_free(&file);
    return code;
}

static void test_file(void **state) {
    (void)state;
    char path[] = "/tmp/motion-XXXXXX";
    close(mkstemp(path));
    MotionModel *m = learned(1 << 30), *same;
    float cells[CELLS];
    save(m, path);
    assert_int_equal(load(&same, path), 0);
    assert_int_equal(same->picture.width, picture.width);
    assert_int_equal(same->picture.height, picture.height);
    for (int f = 0; f < 40; f++) {
        walk(cells, 77, f);
        assert_true(surprise_of(m, cells) == surprise_of(same, cells));
    }
    motion_model_free(&same);
    m->scale[3] = 0; /* damaged */
    save(m, path);
    assert_int_equal(load(&same, path), ERR_FAIL);
    assert_non_null(strstr(err_text(), path));
    assert_null(same);
    m->scale[3] = 1e-30F;
    save(m, path);
    assert_int_equal(load(&same, path), ERR_FAIL);
    m->scale[3] = 1;
    static const float bad[] = {NAN, INFINITY, -1, 3e38F};
    for (int i = 0; i < 4; i++) {
        m->rarity[5] = bad[i];
        save(m, path);
        assert_int_equal(load(&same, path), ERR_FAIL);
        m->rarity[5] = 0;
        m->turn[2] = bad[i];
        save(m, path);
        assert_int_equal(load(&same, path), ERR_FAIL);
        m->turn[2] = 0;
    }
    save(m, path);
    assert_int_equal(load(&same, path), 0);
    motion_model_free(&same);
    /* Tables of no bins: nothing is allocated for their many places. */
    SafeWriter *w;
    assert_int_equal(safe_writer_open(&w), 0);
    safe_writer_add(w, "motion.rarity", 3, (const int64_t[]){1, 536870912, 0}, m->rarity);
    assert_int_equal(safe_writer_save(&w, path), 0);
    assert_int_equal(load(&same, path), ERR_FAIL);
    motion_model_free(&m);
    unlink(path);
}

/* Nothing that moved, and nothing at all. */
static void test_little(void **state) {
    (void)state;
    MotionLearner *l;
    MotionModel *m;
    float cells[CELLS] = {0};
    assert_int_equal(motion_learner_open(&l, picture, 1 << 20), 0);
    assert_int_equal(motion_learner_finish(l, &m), 0);
    assert_null(m);
    for (int f = 0; f < 3; f++)
        add(l, cells);
    assert_int_equal(motion_learner_finish(l, &m), 0);
    double still = surprise_of(m, cells);
    draw(cells, 1, 16, 12, 3);
    assert_true(isfinite(still) && still < 1);
    assert_true(isfinite(surprise_of(m, cells)) && surprise_of(m, cells) > 2);
    motion_model_free(&m);
    motion_learner_free(&l);
}

/* Every allocation may fail. */
static void test_memory_out(void **state) {
    (void)state;
    MotionLearner *l;
    MotionModel *m = NULL;
    float cells[CELLS];
    assert_int_equal(motion_learner_open(&l, picture, 1 << 20), 0);
    for (int f = 0; f < 20; f++) {
        walk(cells, 0, f);
        add(l, cells);
    }
    int code = ERR_FAIL;
    for (int64_t n = 1; code; n++) {
        mem_fail_after(n);
        code = motion_learner_finish(l, &m);
        assert_true(!code || !m);
    }
    mem_fail_after(0);
    motion_model_free(&m);
    motion_learner_free(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),    cmocka_unit_test(test_calibration),
        cmocka_unit_test(test_surprise),   cmocka_unit_test(test_room),
        cmocka_unit_test(test_file),       cmocka_unit_test(test_little),
        cmocka_unit_test(test_memory_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
