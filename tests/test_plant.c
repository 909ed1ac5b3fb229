/* Planted anomalies on made-up footage: a bright block that walks over a dark ground. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/plant.h"
#include "fixture.h"
#include "video/png.h"
#include "video/source.h"
#include "video/writer.h"

enum { WIDTH = 96, HEIGHT = 64, BLOCK = 12, FRAMES = 80, PIXELS = WIDTH * HEIGHT };

static void draw(uint8_t *bgr, int width, int x, int y, int seed) {
    for (int i = 0; i < width * HEIGHT; i++) {
        int inside = abs(i % width - x) < BLOCK / 2 && abs(i / width - y) < BLOCK / 2;
        memset(bgr + 3 * i, inside ? 200 : 40 + (i * 7 + seed) % 5, 3);
    }
}

/* A block that goes from left to right, a pixel a frame, again and again, in its own lane; as a
 * folder of pictures, or a video where that is what `name` says. */
static void walk(const char *name, int frames, int width, int lane, int seed) {
    uint8_t *bgr = malloc((size_t)(3 * width * HEIGHT));
    VideoWriter *w = NULL;
    assert_non_null(bgr);
    if (strstr(name, ".mp4"))
        assert_int_equal(video_writer_open(&w, fixture_path("%s", name),
                                           &(VideoWriterOptions){width, HEIGHT, 10, 1, false}),
                         0);
    for (int t = 0; t < frames; t++) {
        draw(bgr, width, (t + 17 * seed) % width, lane, t);
        assert_int_equal(w ? video_writer_add(w, bgr, NAN)
                           : png_write(fixture_path("%s/%03d.png", name, t), bgr, width, HEIGHT),
                         0);
    }
    if (w)
        assert_int_equal(video_writer_close(&w), 0);
    free(bgr);
}

/* The same as pictures and as videos. */
static Dataset *data_of(const char *name) {
    static bool made;
    for (int i = 0; i < 3 && !made; i++) {
        char clip[32], video[32];
        int frames = FRAMES + 80 * (i == 0);
        snprintf(clip, sizeof clip, "set/training/frames/%02d", i + 1);
        snprintf(video, sizeof video, "films/%02d.mp4", i + 1);
        walk(clip, frames, WIDTH, 14 + 16 * i, i);
        walk(video, frames, WIDTH, 14 + 16 * i, i);
    }
    made = true;
    Dataset *d = NULL;
    if (dataset_open(&d, fixture_path("%s", name)))
        fail_msg("%s", err_text());
    return d;
}

static Dataset *data(void) {
    return data_of("set");
}

static const int all[] = {0, 1, 2};

static Planter *open_ok(const Dataset *d, int clip, uint64_t seed, int copy) {
    Planter *p = NULL;
    if (planter_open(&p, &d->train, clip, all, 3, seed, copy))
        fail_msg("%s", err_text());
    return p;
}

static const PlantEvent *event_at(const Planter *p, int64_t t) {
    const PlantEvent *e;
    int n = planter_events(p, &e);
    for (int i = 0; i < n; i++)
        if (t >= e[i].start && t < e[i].start + e[i].frames)
            return &e[i];
    return NULL;
}

/* Control and abnormal in turn, inside the clip and apart, of another clip that is long enough. */
static void test_plan(void **state) {
    (void)state;
    Dataset *d = data();
    int kinds[3] = {0};
    for (int copy = 0; copy < 4; copy++) {
        const PlantEvent *e;
        Planter *p = open_ok(d, 0, 1, copy);
        assert_int_equal(planter_events(p, &e), 2);
        for (int i = 0; i < 2; i++) {
            assert_true(e[i].start >= 80 * i && e[i].start + e[i].frames <= 80 * (i + 1));
            assert_true(e[i].frames >= 20);
            assert_true(e[i].source == 1 || e[i].source == 2);
            double last = (double)e[i].from + (double)(e[i].frames - 1) * e[i].speed;
            assert_true(e[i].from >= 0 && last < FRAMES);
            assert_true((e[i].kind == PLANT_FAST) == (e[i].speed >= 2));
            assert_true((e[i].kind == PLANT_LARGE) == (e[i].scale > 1.5));
            kinds[e[i].kind]++;
        }
        assert_true((e[0].kind == PLANT_CONTROL) != (e[1].kind == PLANT_CONTROL));
        planter_free(&p);
    }
    assert_int_equal(kinds[PLANT_CONTROL], 4);
    assert_int_equal(kinds[PLANT_FAST], 2);
    assert_int_equal(kinds[PLANT_LARGE], 2);
    dataset_free(&d);
}

/* Kinds take turns also where clips have one event, and few copies are made. */
static void test_turns(void **state) {
    (void)state;
    const struct {
        int clip, copy;
        PlantKind kind;
    } rows[] = {
        {1, 0, PLANT_FAST}, {1, 1, PLANT_CONTROL}, {2, 0, PLANT_CONTROL}, {2, 1, PLANT_LARGE}};
    Dataset *d = data();
    for (int i = 0; i < 4; i++) {
        const PlantEvent *e;
        Planter *p = open_ok(d, rows[i].clip, 1, rows[i].copy);
        assert_int_equal(planter_events(p, &e), 1);
        assert_int_equal(e->kind, rows[i].kind);
        assert_true(e->source != rows[i].clip);
        planter_free(&p);
    }
    dataset_free(&d);
}

/* Outside of events a frame is the clip's own; a control changes it and is normal; what is abnormal
 * shows something that is not there. */
static void test_truth(void **state) {
    Dataset *d = data_of(*state);
    Source *s = NULL;
    Planter *p = open_ok(d, 0, 5, 0);
    assert_int_equal(source_open(&s, d->train.clips[0].url), 0);
    int changed[3] = {0}, marked[3] = {0}, code;
    const Frame *f;
    const uint8_t *mask;
    Frame own = {0};
    int64_t t = 0;
    for (; (code = planter_next(p, &f, &mask)) == 0; t++) {
        assert_int_equal(source_read(s, &own), 0);
        const PlantEvent *e = event_at(p, t);
        int differs = memcmp(f->bgr, frame_bgr(&own), 3 * PIXELS) != 0, marks = 0;
        for (int i = 0; i < PIXELS; i++) {
            assert_true(mask[i] == 0 || mask[i] == 255);
            marks += mask[i] != 0;
        }
        assert_true(e || !differs);
        assert_true(marks == 0 || (e && e->kind != PLANT_CONTROL && differs));
        changed[e ? e->kind : PLANT_CONTROL] += e && differs;
        marked[e ? e->kind : PLANT_CONTROL] += marks > 0;
    }
    assert_int_equal(code, ERR_END);
    assert_int_equal(t, FRAMES + 80);
    assert_true(changed[PLANT_CONTROL] > 0 && marked[PLANT_CONTROL] == 0);
    assert_true(marked[PLANT_FAST] > 0);
    frame_free(&own);
    source_free(&s);
    planter_free(&p);
    dataset_free(&d);
}

/* The middle column of what is marked; -1 where nothing is. */
static double centre(const uint8_t *mask) {
    double sum = 0;
    int n = 0;
    for (int i = 0; i < PIXELS; i++)
        if (mask[i]) {
            sum += i % WIDTH;
            n++;
        }
    return n ? sum / n : -1;
}

/* What walks a pixel a frame goes two to four when it is planted as fast, and takes more room when
 * it is planted as large. */
static void test_kinds(void **state) {
    (void)state;
    Dataset *d = data();
    int fast = 0, large = 0;
    for (int copy = 0; copy < 12; copy++) {
        Planter *p = open_ok(d, 0, 3, copy);
        const Frame *f;
        const uint8_t *mask;
        double before = -1;
        for (int64_t t = 0; planter_next(p, &f, &mask) == 0; t++) {
            const PlantEvent *e = event_at(p, t);
            int marks = 0, low = HEIGHT, high = 0;
            for (int i = 0; i < PIXELS; i++)
                if (mask[i]) {
                    low = i / WIDTH < low ? i / WIDTH : low;
                    high = i / WIDTH > high ? i / WIDTH : high;
                    marks++;
                }
            double at = centre(mask), step = at - before;
            /* The whole block is in the window, twice: no rim, no end of the lane. */
            if (e && e->kind == PLANT_FAST && before >= 0 && at >= 0 && marks >= 100 && step > 0) {
                assert_true(step < 5);
                fast += step > 1.5;
            }
            if (e && e->kind == PLANT_LARGE)
                large += high - low + 1 > BLOCK + 2;
            before = at;
        }
        planter_free(&p);
    }
    assert_true(fast > 10);
    assert_true(large > 10);
    dataset_free(&d);
}

/* The same seed gives the same frames, another copy or seed others. */
static void test_repeats(void **state) {
    (void)state;
    Dataset *d = data();
    Planter *p[4] = {open_ok(d, 1, 7, 0), open_ok(d, 1, 7, 0), open_ok(d, 1, 7, 1),
                     open_ok(d, 1, 8, 0)};
    int differs[4] = {0};
    for (int t = 0; t < FRAMES; t++) {
        const Frame *f[4];
        const uint8_t *mask[4];
        for (int i = 0; i < 4; i++) {
            assert_int_equal(planter_next(p[i], &f[i], &mask[i]), 0);
            differs[i] += memcmp(f[i]->bgr, f[0]->bgr, 3 * PIXELS) != 0 ||
                          memcmp(mask[i], mask[0], PIXELS) != 0;
        }
    }
    assert_int_equal(differs[1], 0);
    assert_true(differs[2] > 0 && differs[3] > 0);
    for (int i = 0; i < 4; i++)
        planter_free(&p[i]);
    dataset_free(&d);
}

static void refuse(const char *set, int clip, const char *word) {
    Dataset *d = NULL;
    assert_int_equal(dataset_open(&d, fixture_path("%s", set)), 0);
    Planter *p = (Planter *)&p;
    int sources[] = {0, 1};
    assert_int_equal(planter_open(&p, &d->train, clip, sources, 2, 1, 0), ERR_FAIL);
    assert_ptr_equal(p, &p);
    if (!strstr(err_text(), word))
        fail_msg("'%s' lacks '%s'", err_text(), word);
    dataset_free(&d);
}

static void test_bad(void **state) {
    (void)state;
    walk("short/training/frames/01", 30, WIDTH, 20, 0);
    walk("short/training/frames/02", 7, WIDTH, 20, 0);
    refuse("short", 1, "7 frames; planting needs 8");
    refuse("short", 0, "7 frames; planting needs 8");
    walk("sizes/training/frames/01", 30, WIDTH, 20, 0);
    walk("sizes/training/frames/02", 30, 64, 20, 0);
    refuse("sizes", 0, "one fixed camera");
    walk("damaged/training/frames/01", 30, WIDTH, 20, 0);
    walk("damaged/training/frames/02", 30, WIDTH, 20, 0);
    fixture_truncate(fixture_path("damaged/training/frames/02/015.png"), 40);
    refuse("damaged", 0, "015.png");
}

/* Memory may end at any allocation. */
static void test_memory(void **state) {
    (void)state;
    walk("mem/training/frames/01", 16, WIDTH, 20, 0);
    Dataset *d = NULL;
    assert_int_equal(dataset_open(&d, fixture_path("mem")), 0);
    int code = -1;
    for (int n = 1; code && n < 2000; n++) {
        Planter *p = NULL;
        const int only[] = {0};
        mem_fail_after(n);
        code = planter_open(&p, &d->train, 0, only, 1, 1, 0);
        mem_fail_after(0);
        assert_true(!code == (p != NULL));
        planter_free(&p);
    }
    assert_int_equal(code, 0);
    dataset_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_turns),
        {"test_truth (pictures)", test_truth, NULL, NULL, "set"},
        {"test_truth (videos)", test_truth, NULL, NULL, "films"},
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
