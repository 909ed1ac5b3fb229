/* Footage cut into blocks of time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "data/cut.h"
#include "data/frame_store.h"
#include "fixture.h"
#include "frames.h"
#include "near.h"

enum { W = 64, H = 48, LONG = 300, SHORT = 40, STILLS = 60 };
static const double RATE = 25; /* frames a second of the fixture's videos */

static int set_up(void **state) {
    fixture_set_up(state);
    fixture_video(fixture_path("day/a.avi"), "mjpeg", W, H, LONG, 0);
    fixture_video(fixture_path("day/b.mkv"), "mpeg4", W, H, SHORT, 2);
    fixture_clip(fixture_path("day/c"), STILLS, W, H, 0);
    return 0;
}

/* The number of parts that hold frame t of the clip of this url. */
static int holds(const Split *s, const char *url, int64_t t) {
    int n = 0;
    for (int i = 0; i < s->count; i++)
        n += strcmp(s->clips[i].url, url) == 0 && t >= s->clips[i].first &&
             t < s->clips[i].first + s->clips[i].frames;
    return n;
}

static Dataset *open_day(void) {
    Dataset *d = NULL;
    if (dataset_open(&d, fixture_path("day")))
        fail_msg("%s", err_text());
    assert_int_equal(d->train.count, 3);
    return d;
}

static void check_blocks(const Cut *cut) {
    static const int frames[] = {LONG, SHORT, STILLS};
    static const double step[] = {1 / RATE, 1 / RATE, 0.1}, off = 1e-6;
    double period = cut->block * cut->every, from = cut->every / 2 * cut->block, at = 0;
    Dataset *d = open_day();
    Split learn, calibrate;
    assert_int_equal(cut_split(&learn, &calibrate, &d->train, cut, 1), 0);
    for (int c = 0; c < 3; at += frames[c] * step[c], c++)
        for (int64_t t = 0; t < frames[c]; t++) {
            const char *url = d->train.clips[c].url;
            double phase = fmod(at + (double)t * step[c], period);
            double after = fmod(phase - from + period, period); /* since a block's start */
            int learned = holds(&learn, url, t), calibrated = holds(&calibrate, url, t);
            assert_in_range(learned + calibrated, 0, 1);
            if (after > off && after < cut->block - off)
                assert_int_equal(calibrated, 1);
            else if (after > cut->block + cut->margin + off && after < period - cut->margin - off)
                assert_int_equal(learned, 1);
            else if ((after > cut->block + off && after < cut->block + cut->margin - off) ||
                     (after > period - cut->margin + off && after < period - off))
                assert_int_equal(learned + calibrated, 0);
        }
    split_free(&learn);
    split_free(&calibrate);
    dataset_free(&d);
}

static void test_blocks(void **state) {
    (void)state;
    for (int every = 2; every <= 5; every++)
        check_blocks(&(Cut){2, every, 0.4});
    Dataset *d = open_day();
    double seconds;
    assert_int_equal(cut_seconds(&seconds, &d->train), 0);
    assert_near(seconds, 12 + 1.6 + 6, 1e-6);
    dataset_free(&d);
}

/* A part's frames are those of its source from its first on. */
static void test_frames(void **state) {
    (void)state;
    const Cut cut = {2, 3, 0.4};
    Dataset *d = open_day();
    Split part[2];
    uint8_t *frame = mem_alloc(W * W, 3);
    assert_int_equal(cut_split(&part[0], &part[1], &d->train, &cut, 5), 0);
    for (int k = 0; k < 2; k++)
        for (int whole = 0; whole < 2; whole++) { /* decoded once, or when asked for */
            FrameStore *s = NULL;
            int64_t bytes = whole ? 100000000 : 0;
            assert_int_equal(frame_store_open(&s, &part[k], W, bytes, 0.08, NULL), 0);
            for (int c = 0; c < part[k].count; c++) {
                const Clip *clip = &part[k].clips[c];
                bool stills = strstr(clip->url, "/c") != NULL;
                int stride = stills ? 1 : 2; /* every second frame of 25 a second */
                assert_true(clip->part && clip->frames >= 5);
                assert_int_equal(frame_store_frames(s, c), (clip->frames + stride - 1) / stride);
                for (int64_t t = 0; t < frame_store_frames(s, c); t++) {
                    Frame wanted = {0};
                    uint8_t *own = mem_alloc(W * W, 3);
                    Source *source = open_ok(clip->url);
                    assert_int_equal(frame_store_get(s, c, t, frame), 0);
                    assert_int_equal(source_seek(source, clip->first + t * stride), 0);
                    assert_int_equal(source_read(source, &wanted), 0);
                    frame_resize(own, W, W, &wanted);
                    assert_memory_equal(frame, own, 3 * W * W);
                    source_free(&source);
                    frame_free(&wanted);
                    mem_free(own);
                }
            }
            frame_store_free(&s);
        }
    mem_free(frame);
    split_free(&part[0]);
    split_free(&part[1]);
    dataset_free(&d);
}

static void test_failures(void **state) {
    (void)state;
    const Cut cut = {2, 3, 0.4};
    Clip gone = {.name = "gone", .url = "no/such.mp4", .frames = -1};
    Split all = {&gone, 1}, learn, calibrate;
    double seconds;
    assert_int_equal(cut_split(&learn, &calibrate, &all, &cut, 1), ERR_FAIL);
    assert_non_null(strstr(err_text(), "gone"));
    assert_int_equal(cut_seconds(&seconds, &all), ERR_FAIL);

    Dataset *d = open_day();
    for (int64_t n = 1;; n++) {
        mem_fail_after(n);
        int code = cut_split(&learn, &calibrate, &d->train, &cut, 1);
        mem_fail_after(0);
        if (!code)
            break;
        assert_int_equal(code, ERR_FAIL);
    }
    split_free(&learn);
    split_free(&calibrate);
    dataset_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, set_up, fixture_tear_down);
}
