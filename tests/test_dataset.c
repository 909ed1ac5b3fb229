/* Layouts become clips: small made-up trees of every one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "fixture.h"

static Dataset *open_ok(const char *path) {
    Dataset *d = NULL;
    if (dataset_open(&d, path))
        fail_msg("%s", err_text());
    return d;
}

static void refuse(const char *path, const char *word) {
    Dataset *d = (Dataset *)&d;
    assert_int_equal(dataset_open(&d, path), ERR_FAIL);
    assert_ptr_equal(d, &d);
    if (!strstr(err_text(), word))
        fail_msg("'%s' lacks '%s'", err_text(), word);
}

/* "01:3 02:2": names and frames, in order. */
static void assert_clips(const Split *s, const char *want) {
    char got[256] = "";
    for (int i = 0; i < s->count; i++) {
        size_t n = strlen(got);
        snprintf(got + n, sizeof got - n, "%s%s:%lld", i ? " " : "", s->clips[i].name,
                 (long long)s->clips[i].frames);
    }
    assert_string_equal(got, want);
}

static void clip(const char *path, int frames) {
    fixture_clip(fixture_path("%s", path), frames, 16, 12, 0);
}

static void video(const char *path, int frames) {
    fixture_video(fixture_path("%s", path), "mjpeg", 32, 32, frames, 0);
}

static void test_frames(void **state) {
    (void)state;
    clip("ped/training/frames/02", 2);
    clip("ped/training/frames/01", 3);
    clip("ped/training/frames/10", 4);
    clip("ped/testing/frames/01", 5);
    fixture_path("ped/testing/frames/02/x"); /* an empty clip is told later, by its name */
    fixture_text(fixture_path("ped/training/frames/.DS_Store"), "");
    Dataset *d = open_ok(fixture_path("ped/"));
    assert_int_equal(d->layout, LAYOUT_FRAMES);
    assert_clips(&d->train, "01:3 02:2 10:4");
    assert_clips(&d->test, "01:5 02:0");
    assert_null(strstr(d->test.clips[0].url, "//"));
    dataset_free(&d);
    assert_null(d);
    clip("half/testing/frames/01", 2);
    d = open_ok(fixture_path("half"));
    assert_clips(&d->train, "");
    assert_clips(&d->test, "01:2");
    dataset_free(&d);
    refuse(fixture_path("."), "looks like one");
}

static void test_ucsd(void **state) {
    (void)state;
    clip("UCSDped2/Train/Train001", 3);
    clip("UCSDped2/Train/Train002", 2);
    clip("UCSDped2/Test/Test001", 2);
    clip("UCSDped2/Test/Test001_gt", 2);
    clip("UCSDped2/Test/Test002", 3);
    Dataset *d = open_ok(fixture_path("UCSDped2"));
    assert_int_equal(d->layout, LAYOUT_UCSD);
    assert_clips(&d->train, "Train001:3 Train002:2");
    assert_clips(&d->test, "Test001:2 Test002:3"); /* masks are no clips */
    dataset_free(&d);
}

static void test_videos(void **state) {
    (void)state;
    video("Avenue/training_videos/01.avi", 4);
    video("Avenue/training_videos/02.avi", 6);
    video("Avenue/testing_videos/01.avi", 5);
    Dataset *d = open_ok(fixture_path("Avenue"));
    assert_int_equal(d->layout, LAYOUT_AVENUE);
    assert_clips(&d->train, "01:4 02:6");
    assert_clips(&d->test, "01:5");
    dataset_free(&d);
    video("sht/training/videos/01_002.avi", 4);
    video("sht/training/videos/01_001.avi", 3);
    clip("sht/testing/frames/01_0014", 3);
    clip("sht/testing/frames/01_0015", 4);
    d = open_ok(fixture_path("sht"));
    assert_int_equal(d->layout, LAYOUT_SHANGHAITECH);
    assert_clips(&d->train, "01_001:3 01_002:4");
    assert_clips(&d->test, "01_0014:3 01_0015:4");
    dataset_free(&d);
    clip("sht/training/frames/01_001", 7); /* extracted frames go before the videos */
    d = open_ok(fixture_path("sht"));
    assert_int_equal(d->layout, LAYOUT_FRAMES);
    assert_clips(&d->train, "01_001:7");
    dataset_free(&d);
}

static void test_own_footage(void **state) {
    (void)state;
    clip("own/monday", 3);
    video("own/cam10.avi", 5);
    video("own/cam9.avi", 4);
    fixture_path("own/notes/x");
    Dataset *d = open_ok(fixture_path("own"));
    assert_int_equal(d->layout, LAYOUT_CLIPS);
    assert_clips(&d->train, "cam9:4 cam10:5 monday:3");
    assert_clips(&d->test, "cam9:4 cam10:5 monday:3"); /* no split: good for both */
    dataset_free(&d);
    d = open_ok(fixture_path("own/monday"));
    assert_int_equal(d->layout, LAYOUT_SINGLE);
    assert_clips(&d->train, "monday:3");
    assert_clips(&d->test, "monday:3");
    dataset_free(&d);
    d = open_ok(fixture_path("own/cam9.avi"));
    assert_int_equal(d->layout, LAYOUT_SINGLE);
    assert_clips(&d->test, "cam9:4");
    dataset_free(&d);
    char url[600];
    snprintf(url, sizeof url, "file://%s", fixture_path("own/cam9.avi"));
    d = open_ok(url);
    assert_clips(&d->test, "cam9:4");
    dataset_free(&d);
    d = open_ok("rtsp://127.0.0.1:9/live"); /* nothing is connected yet */
    assert_clips(&d->train, "live:-1");
    int64_t frames;
    assert_true(clip_count(&d->train.clips[0], &frames) < 0);
    dataset_free(&d);
    fixture_video(fixture_path("own/unknown.mkv"), "mjpeg", 32, 32, 6, 0);
    d = open_ok(fixture_path("own/unknown.mkv"));
    assert_clips(&d->train, "unknown:-1"); /* Matroska does not say */
    assert_int_equal(clip_count(&d->train.clips[0], &frames), 0);
    assert_int_equal(frames, 6);
    dataset_free(&d);
    clip("own/cam9", 3);
    refuse(fixture_path("own"), "two clips are called cam9");
}

static void assert_passed_over(const Dataset *d, const char *want) {
    char got[512];
    assert_string_equal(remarks_passed_over(got, sizeof got, &d->remarks), want);
}

/* The first name's video under the second one. */
static void video_as(const char *from, const char *to, int frames) {
    char *data;
    size_t n;
    video(from, frames);
    assert_int_equal(file_read(fixture_path("%s", from), 1 << 24, &data, &n), 0);
    fixture_write(fixture_path("%s", to), data, n);
    mem_free(data);
}

/* Videos by their content, whatever their names; the rest is named, but for what systems leave. */
static void test_contents(void **state) {
    (void)state;
    video_as("made/a.avi", "odd/no_extension", 5);
    video_as("made/b.mov", "odd/phone.3gp", 4);
    video_as("made/c.mkv", "odd/00001.MTS", 6);
    clip("odd/night", 3);
    clip("odd/@eaDir", 3);
    clip("odd/__MACOSX/night", 3);
    fixture_path("odd/run/x");
    fixture_text(fixture_path("odd/Thumbs.db"), "x");
    fixture_text(fixture_path("odd/labels.txt"), "night 0 1\n");
    fixture_text(fixture_path("odd/page.ts"), "export const x = 1;\n");
    fixture_text(fixture_path("odd/notes.txt"), "normal days\n");
    fixture_text(fixture_path("odd/night/marks.txt"), "x");
    Dataset *d = open_ok(fixture_path("odd"));
    assert_clips(&d->train, "00001:-1 night:3 no_extension:5 phone:4");
    assert_passed_over(d, "night/marks.txt, notes.txt, page.ts and 1 more");
    assert_string_equal(d->remarks.broken, "page.ts");
    assert_int_equal(d->remarks.broken_count, 1);
    assert_null(d->remarks.stray);
    dataset_free(&d);
    video("double/a.avi", 4);
    video("double/a.mov", 5);
    video_as("double/a.avi", "double/a.LRF", 4); /* a preview */
    d = open_ok(fixture_path("double"));
    assert_clips(&d->train, "a.avi:4 a.mov:5");
    assert_passed_over(d, "a.LRF");
    dataset_free(&d);
}

/* Pictures beside videos are their covers, videos beside more pictures are previews of them. */
static void test_covers(void **state) {
    (void)state;
    video("covers/a.avi", 4);
    video("covers/b.avi", 4);
    fixture_bmp(fixture_path("covers/a.bmp"), 32, 32, 0);
    fixture_bmp(fixture_path("covers/b.bmp"), 32, 32, 0);
    Dataset *d = open_ok(fixture_path("covers"));
    assert_int_equal(d->layout, LAYOUT_CLIPS);
    assert_clips(&d->train, "a:4 b:4");
    assert_passed_over(d, "a.bmp, b.bmp");
    dataset_free(&d);
    clip("preview", 4);
    video("preview/all.avi", 4);
    clip("preview/small", 4);
    fixture_bmp(fixture_path("preview/cover.bmp"), 16, 12, 0);
    d = open_ok(fixture_path("preview"));
    assert_int_equal(d->layout, LAYOUT_SINGLE);
    assert_clips(&d->train, "preview:5");
    assert_passed_over(d, "all.avi, small");
    assert_string_equal(d->remarks.stray, "preview: cover.bmp is read as frame 4, after 003.bmp");
    dataset_free(&d);
    video("days/monday/1.avi", 4);
    fixture_bmp(fixture_path("days/monday/1.bmp"), 32, 32, 0);
    refuse(fixture_path("days"), "monday looks like one; give that folder");
}

static void test_bad(void **state) {
    (void)state;
    refuse(fixture_path("absent"), "absent");
    fixture_path("hollow/x");
    refuse(fixture_path("hollow"), "holds no footage");
    fixture_path("bare/training/frames/x");
    fixture_path("bare/testing/frames/x");
    refuse(fixture_path("bare"), "hold no clips");
    fixture_text(fixture_path("texts/a.txt"), "This is a text file.\n");
    refuse(fixture_path("texts"), "holds no footage, but a.txt; expected");
    video("Bad/training_videos/01.avi", 4); /* a published data set is whole or refused */
    fixture_text(fixture_path("Bad/training_videos/02.avi"), "This is a text file.\n");
    refuse(fixture_path("Bad"), "02.avi: not a video");
    fixture_text(fixture_path("text.mp4"), "This is a text file.\n");
    refuse(fixture_path("text.mp4"), "not a video");
}

/* Memory may end at any allocation: an error, no crash, nothing left (under a leak checker). */
static void test_memory(void **state) {
    (void)state;
    clip("mem/training/frames/01", 2);
    clip("mem/testing/frames/01", 2);
    const char *path = fixture_path("mem");
    int code = -1;
    for (int n = 1; code && n < 200; n++) {
        Dataset *d = NULL;
        mem_fail_after(n);
        code = dataset_open(&d, path);
        mem_fail_after(0);
        assert_true(!code == (d != NULL));
        dataset_free(&d);
    }
    assert_int_equal(code, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),   cmocka_unit_test(test_ucsd),
        cmocka_unit_test(test_videos),   cmocka_unit_test(test_own_footage),
        cmocka_unit_test(test_contents), cmocka_unit_test(test_covers),
        cmocka_unit_test(test_bad),      cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
