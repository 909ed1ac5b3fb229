/* Something left behind stands out from what stood there in training; all else does not. */
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
#include "score/judgement.h"
#include "score/stays_learn.h"

enum { WIDE = 96, TALL = 72, TRAINING = 800 }; /* pixels; frames of a tenth of a second */

/* A block of pixels brighter than the wall; x < 0: none. */
typedef struct {
    int x, y, side, level;
} Block;

static const Ignore *ignored; /* by all frames */

/* A wall of soft bumps with the noise of a sensor, and blocks on it. */
static void draw(Frame *f, int t, double gain, Block a, Block b) {
    Rng rng = rng_stream(5, RNG_TEST, (uint32_t)t, 0);
    assert_int_equal(frame_reserve(f, WIDE, TALL), 0);
    for (int i = 0; i < WIDE * TALL; i++) {
        int x = i % WIDE, y = i / WIDE;
        double level = 100 + 30 * sin(x / 7.0) * cos(y / 9.0);
        for (int k = 0; k < 2; k++) {
            Block s = k ? b : a;
            if (s.x >= 0 && x >= s.x && x < s.x + s.side && y >= s.y && y < s.y + s.side)
                level = s.level;
        }
        level = gain * level + 2 * rng_uniform(&rng, (uint64_t)i) - 1;
        memset(f->bgr + 3 * i, (int)fmin(fmax(level, 0), 255), 3);
    }
    f->seconds = t / 10.0;
    f->ignore = ignored;
}

static const Block none = {-1, 0, 0, 0};

/* Walks by once in 20 seconds. */
static Block walker(int t) {
    return (Block){t % 200 < 60 ? t % 200 * 2 - 12 : -1, 30, 12, 190};
}

static const MovementSize size = {320, 240};

static StaysModel *learned(int64_t bytes) {
    StaysLearner *l;
    StaysModel *m;
    Movement *movement;
    Frame f = {0};
    assert_int_equal(movement_open(&movement, NULL, size), 0);
    assert_int_equal(stays_learner_open(&l, size, bytes), 0);
    for (int t = 0; t < TRAINING; t++) {
        draw(&f, t, 1, walker(t), none);
        movement_add(movement, &f);
        stays_learner_add(l, movement, &f);
    }
    assert_int_equal(stays_learner_finish(l, &m), 0);
    assert_non_null(m);
    frame_free(&f);
    stays_learner_free(&l);
    movement_free(&movement);
    return m;
}

typedef struct {
    Stays *stays;
    Movement *movement;
    Frame f;
    int t; /* of the next frame; other noise than in training */
    double seconds, step;
} Watch;

static void begin(Watch *w, const StaysModel *m) {
    *w = (Watch){.t = 10000, .step = 0.1};
    assert_int_equal(movement_open(&w->movement, NULL, size), 0);
    assert_int_equal(stays_open(&w->stays, m), 0);
    stays_reset(w->stays);
}

static void end(Watch *w) {
    stays_free(&w->stays);
    movement_free(&w->movement);
    frame_free(&w->f);
}

/* The greatest surprise of so many frames with this block; someone walks by as in training. */
static double watch(Watch *w, int frames, double gain, Block b) {
    double most = 0;
    for (int i = 0; i < frames; i++, w->t++) {
        draw(&w->f, w->t, gain, w->step > 0.1 ? none : walker(w->t), b);
        w->f.seconds = w->seconds += w->step;
        movement_add(w->movement, &w->f);
        stays_add(w->stays, w->movement, &w->f);
        w->f.after_gap = false;
        most = fmax(most, stays_surprise(w->stays));
    }
    return most;
}

static const double rare = 4.6; /* one in a hundred */
static const Block bag = {60, 50, 10, 40};

static void test_left_behind(void **state) {
    (void)state;
    StaysModel *m = learned(1 << 30);
    Watch w;
    begin(&w, m);
    assert_true(watch(&w, 300, 1, none) < rare); /* as in training */
    assert_true(watch(&w, 18, 1, bag) < rare);   /* not yet: it may be walking */
    assert_true(watch(&w, 10, 1, bag) > rare);
    float heat[60 * 80];
    int cols, cells = stays_cells(w.stays, &cols), most = 0;
    assert_int_equal(cells, 60 * 80);
    assert_int_equal(cols, 80);
    stays_heat(w.stays, heat);
    for (int i = 0; i < cells; i++)
        most = heat[i] > heat[most] ? i : most;
    assert_in_range(most % cols, 60 * 80 / WIDE, 70 * 80 / WIDE); /* where the bag is */
    assert_in_range(most / cols, 50 * 60 / TALL, 60 * 60 / TALL);
    watch(&w, 3, 1, none);
    assert_true(watch(&w, 30, 1, none) < rare); /* taken away */
    end(&w);
    stays_model_free(&m);
}

/* Most of the picture is ignored: the rest is seen as ever, whatever its light. */
static void test_ignored(void **state) {
    (void)state;
    static Ignore upper;
    assert_int_equal(ignore_parse(&upper, "0,0 1,0.6"), 0);
    ignored = &upper;
    StaysModel *m = learned(1 << 30);
    Watch w;
    begin(&w, m);
    assert_true(watch(&w, 300, 1.1, none) < rare);
    assert_true(watch(&w, 30, 1.1, bag) > rare);
    end(&w);
    stays_model_free(&m);
    ignored = NULL;
}

/* After minutes it is part of the ground; what was there from the beginning is at once. */
static void test_grows_in(void **state) {
    (void)state;
    StaysModel *m = learned(1 << 30);
    Watch w;
    begin(&w, m);
    assert_true(watch(&w, 100, 1, bag) < rare);
    end(&w);
    begin(&w, m);
    watch(&w, 100, 1, none);
    assert_true(watch(&w, 300, 1, bag) > rare);
    w.step = 0.5;
    watch(&w, 1200, 1, bag);
    assert_true(watch(&w, 100, 1, bag) < rare);
    end(&w);
    stays_model_free(&m);
}

/* Neither light, nor a gap, nor a broken frame leaves something behind. */
static void test_disturbed(void **state) {
    (void)state;
    StaysModel *m = learned(1 << 30);
    Watch w;
    begin(&w, m);
    watch(&w, 50, 1, none);
    assert_true(watch(&w, 50, 1.3, none) < rare);
    assert_true(watch(&w, 50, 0.7, none) < rare);
    assert_true(watch(&w, 30, 1, bag) > rare);
    w.f.after_gap = true;
    assert_true(watch(&w, 18, 1, bag) < rare);
    assert_true(watch(&w, 10, 1, bag) > rare);
    w.f.corrupt = true;
    movement_add(w.movement, &w.f);
    stays_add(w.stays, w.movement, &w.f);
    w.f.corrupt = false;
    watch(&w, 1, 1, bag);
    assert_true(stays_surprise(w.stays) < rare);
    end(&w);
    stays_model_free(&m);
}

/* With room for few frames nearly the same is learned. */
static void test_room(void **state) {
    (void)state;
    StaysModel *m = learned(2 * 2 * 60 * 80 * 100);
    Watch w;
    assert_in_range(m->held_out.count, 50, 100);
    begin(&w, m);
    watch(&w, 50, 1, none);
    assert_true(watch(&w, 30, 1, bag) > rare);
    end(&w);
    stays_model_free(&m);
}

static void save(const StaysModel *m, const char *path) {
    SafeWriter *w;
    assert_int_equal(safe_writer_open(&w), 0);
    stays_model_add(w, m);
    assert_int_equal(safe_writer_save(&w, path), 0);
}

static int load(StaysModel **m, const char *path) {
    Safetensors *file;
    assert_int_equal(safetensors_open(&file, path), 0);
    int code = stays_model_load(m, file, path);
    safetensors_free(&file);
    return code;
}

static void test_file(void **state) {
    (void)state;
    char path[] = "/tmp/stays-XXXXXX";
    close(mkstemp(path));
    StaysModel *m = learned(1 << 30), *same;
    size_t cells = (size_t)m->rows * (size_t)m->cols;
    save(m, path);
    assert_int_equal(load(&same, path), 0);
    assert_memory_equal(same->low, m->low, cells * sizeof *m->low);
    assert_memory_equal(same->high, m->high, cells * sizeof *m->high);
    stays_model_free(&same);
    Safetensors *file;
    Judgement j;
    assert_int_equal(safetensors_open(&file, path), 0);
    assert_int_equal(judgement_load(&j, file, path), ERR_FAIL); /* the pictures of no motion */
    safetensors_free(&file);
    m->low[7] = NAN;
    save(m, path);
    assert_int_equal(load(&same, path), ERR_FAIL);
    assert_non_null(strstr(err_text(), path));
    assert_null(same);
    stays_model_free(&m);
    unlink(path);
}

/* Every allocation may fail. */
static void test_memory_out(void **state) {
    (void)state;
    StaysModel *m = NULL;
    StaysLearner *l;
    Movement *movement;
    Frame f = {0};
    int code = ERR_FAIL;
    for (int64_t n = 1; code; n++) {
        mem_fail_after(n);
        code = stays_learner_open(&l, size, 1 << 20);
    }
    mem_fail_after(0);
    assert_int_equal(movement_open(&movement, NULL, size), 0);
    for (int t = 0; t < 20; t++) {
        draw(&f, t, 1, none, none);
        movement_add(movement, &f);
        stays_learner_add(l, movement, &f);
    }
    code = ERR_FAIL;
    for (int64_t n = 1; code; n++) {
        mem_fail_after(n);
        code = stays_learner_finish(l, &m);
        assert_true(!code || !m);
    }
    mem_fail_after(0);
    Stays *s;
    code = ERR_FAIL;
    for (int64_t n = 1; code; n++) {
        mem_fail_after(n);
        code = stays_open(&s, m);
    }
    mem_fail_after(0);
    stays_free(&s);
    stays_model_free(&m);
    stays_learner_free(&l);
    movement_free(&movement);
    frame_free(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_left_behind), cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_grows_in),    cmocka_unit_test(test_disturbed),
        cmocka_unit_test(test_room),        cmocka_unit_test(test_file),
        cmocka_unit_test(test_memory_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
