/* `normalcy data check`: exit codes, and a line for everything that does not fit. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "fixture.h"

static char *output; /* stdout and stderr of the last call */

static int set_up(void **state) {
    (void)state;
    fixture_begin();
    fixture_clip(fixture_path("good/training/frames/01"), 8, 16, 12, 0);
    fixture_clip(fixture_path("good/testing/frames/01"), 5, 16, 12, 0);
    fixture_clip(fixture_path("good/testing/frames/02"), 6, 16, 12, 0);
    fixture_text(fixture_path("good/labels.txt"), "01 2 4\n");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    mem_free(output);
    fixture_end();
    return 0;
}

/* Runs `normalcy data` with words up to a NULL; gives its exit code. */
static int run(const char *word, ...) {
    char *argv[10] = {getenv("NORMALCY"), "data"};
    int argc = 2, status = 0;
    size_t n;
    va_list ap;
    va_start(ap, word);
    for (const char *w = word; w; w = va_arg(ap, const char *))
        argv[argc++] = (char *)w;
    va_end(ap);
    assert_non_null(argv[0]); /* ctest sets it */
    const char *path = fixture_path("output");
    pid_t child = fork();
    if (child == 0) {
        int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(out, 1);
        dup2(out, 2);
        execv(argv[0], argv);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    mem_free(output);
    assert_int_equal(file_read(path, 1 << 20, &output, &n), 0);
    return WEXITSTATUS(status);
}

static void assert_line(const char *part) {
    if (!strstr(output, part))
        fail_msg("no line has '%s' in:\n%s", part, output);
}

static void test_good(void **state) {
    (void)state;
    assert_int_equal(run("check", fixture_path("good"), NULL), 0);
    assert_line("layout frames");
    assert_line("train: 1 clips");
    assert_line("test: 2 clips");
    assert_line("11 frames, 3 abnormal");
    assert_line("no problem found for train, score, eval; frames after the first of each clip were "
                "not read: --decode does");
    assert_null(strstr(output, "everything fits")); /* that takes decoding */
    assert_int_equal(run("check", fixture_path("good"), "--decode", NULL), 0);
    assert_line("everything fits for train, score, eval");
    assert_int_equal(run("check", fixture_path("good"), "--json", "--decode", NULL), 0);
    Json *j = js_parse(output, strlen(output));
    assert_non_null(j);
    assert_string_equal(js_text_of(js_get(j, "layout")), "frames");
    assert_int_equal(js_count(js_get(j, "test")), 2);
    assert_int_equal(js_count(js_get(j, "problems")), 0);
    int64_t frames = 0;
    assert_true(js_int_of(js_get(js_at(js_get(j, "test"), 1), "frames"), &frames));
    assert_int_equal(frames, 6);
    js_free(j);
}

static void test_usage(void **state) {
    (void)state;
    assert_int_equal(run(NULL), 2);
    assert_int_equal(run("check", NULL), 2);
    assert_int_equal(run("look", fixture_path("good"), NULL), 2);
    assert_int_equal(run("check", fixture_path("good"), "--nonsense", NULL), 2);
    assert_line("nonsense");
    assert_int_equal(run("--help", NULL), 0);
    assert_line("--decode");
    assert_int_equal(run("check", fixture_path("absent"), NULL), 1);
    assert_line("absent");
}

static void test_problems(void **state) {
    (void)state;
    fixture_clip(fixture_path("bad/training/frames/01"), 1, 16, 12, 0);
    fixture_clip(fixture_path("bad/training/frames/02"), 4, 16, 12, 0);
    fixture_bmp(fixture_path("bad/training/frames/02/009.bmp"), 16, 12, 0);
    fixture_bmp(fixture_path("bad/training/frames/02/9.bmp"), 16, 12, 0);
    fixture_bmp(fixture_path("bad/training/frames/02/020.bmp"), 16, 12, 0);
    fixture_bmp(fixture_path("bad/training/frames/02/030.bmp"), 16, 12, 0);
    fixture_path("bad/training/frames/03/x");
    fixture_clip(fixture_path("bad/testing/frames/01"), 4, 16, 12, 0);
    fixture_bmp(fixture_path("bad/testing/frames/01/003.bmp"), 16, 13, 0);
    fixture_text(fixture_path("bad/labels.txt"), "01 0 4\n");
    for (int t = 0; t < 4; t++)
        fixture_mask(fixture_path("bad/testing/masks/01/%d.bmp", t), 8, 6, t);
    assert_int_equal(run("check", fixture_path("bad"), "--decode", NULL), 1);
    assert_line("problem: train/01: 1 frame; a pair needs 5 (2 with --preset ped2): add frames");
    assert_line("problem: train/02: numbers jump from 3 to 9 and 2 more; ");
    assert_line("problem: train/02: 9.bmp is read as frame 5, after 009.bmp, by its name: ");
    assert_line("problem: train/03: ");
    assert_line("frame 3 is 16 x 13");
    assert_line("problem: labels: ");
    assert_line("problem: test/01: masks are 8 x 6, frames 16 x 12");
    assert_null(strstr(output, "everything fits"));
    assert_null(strstr(output, "remove")); /* footage is nothing to delete */
    assert_null(strstr(output, "delete"));
}

/* Pictures without numbers are in the order of their names: nothing is wrong with them. */
static void test_numbers(void **state) {
    (void)state;
    static const char *const names[] = {"dawn",  "dusk", "evening", "morning",
                                        "night", "noon", "sunrise", "sunset"};
    for (int i = 0; i < 8; i++) {
        fixture_bmp(fixture_path("names/01/%s.bmp", names[i]), 16, 12, i);
        fixture_bmp(fixture_path("epochs/01/1709633758.%d00000.bmp", i), 16, 12, i);
        fixture_bmp(fixture_path("times/01/20240305_1022%d.bmp", 56 + i + 40 * (i > 3)), 16, 12, i);
    }
    assert_int_equal(run("check", fixture_path("names"), "--decode", NULL), 0);
    assert_line("everything fits for train, score");
    assert_int_equal(run("check", fixture_path("epochs"), "--decode", NULL), 0);
    assert_int_equal(run("check", fixture_path("times"), "--decode", NULL), 0);
    for (int i = 1; i < 5; i++) { /* of two cameras: one line, not one a picture */
        fixture_bmp(fixture_path("two/01/left%d.bmp", i), 16, 12, i);
        fixture_bmp(fixture_path("two/01/right%d.bmp", i), 16, 12, i);
    }
    assert_int_equal(run("check", fixture_path("two"), NULL), 1);
    assert_line("clips/01: right1.bmp is read as frame 4, after left4.bmp (and 3 more such");
    assert_null(strstr(output, "right2"));
}

static void refused(const char *path, const char *problem) {
    assert_int_equal(run("check", fixture_path("%s", path), "--decode", NULL), 1);
    assert_line(problem);
    assert_null(strstr(output, "everything fits"));
}

/* What stops training is told before. */
static void test_too_little(void **state) {
    (void)state;
    fixture_clip(fixture_path("short/01"), 20, 16, 12, 0);
    fixture_clip(fixture_path("short/02"), 4, 16, 12, 0);
    refused("short", "problem: clips/02: 4 frames; a pair needs 5");
    fixture_clip(fixture_path("few/01"), 7, 16, 12, 0);
    refused("few", "problem: the clips to train on have 3 pairs, fewer than one batch of 4");
    fixture_clip(fixture_path("sizes/01"), 9, 16, 12, 0);
    fixture_bmp(fixture_path("sizes/01/004.bmp"), 18, 12, 4);
    refused("sizes", "frame 4 is 18 x 12");
    fixture_clip(fixture_path("half/testing/frames/01"), 9, 16, 12, 0);
    assert_int_equal(run("check", fixture_path("half"), "--decode", NULL), 0);
    assert_line("there are no training clips");
    assert_line("everything fits for score\n");
}

/* What a folder holds besides. */
static void test_passed_over(void **state) {
    (void)state;
    fixture_video(fixture_path("mixed/a.mkv"), "mjpeg", 32, 32, 9, 0);
    fixture_text(fixture_path("mixed/notes.txt"), "normal days\n");
    fixture_text(fixture_path("mixed/Thumbs.db"), "x");
    assert_int_equal(run("check", fixture_path("mixed"), NULL), 0);
    assert_line("passed over, as neither videos nor folders of pictures: notes.txt\n");
    assert_line("note: 1 clip without a known length: --decode counts frames");
    assert_line("1 clip of unknown length");
    assert_int_equal(run("check", fixture_path("mixed"), "--decode", NULL), 0);
    assert_line("everything fits for train, score");
    fixture_text(fixture_path("mixed/b.mp4"), "no video\n");
    refused("mixed", "problem: b.mp4: passed over, because FFmpeg finds no video in it");
}

static void test_labels(void **state) {
    (void)state;
    const char *path = fixture_path("other.txt");
    fixture_text(path, "02 0 0\n");
    assert_int_equal(run("check", fixture_path("good"), "--labels", path, NULL), 0);
    assert_line("11 frames, 1 abnormal");
    fixture_text(path, "02 0 6\n");
    assert_int_equal(run("check", fixture_path("good"), "--labels", path, NULL), 1);
    assert_line("clip 02 ends at frame 6");
    fixture_text(fixture_path("good/second.m"), "a.gt_frame = [1:2];\na.gt_frame = [];\n");
    assert_int_equal(run("check", fixture_path("good"), NULL), 0);
    assert_line("note: the label files differ");
    assert_int_equal(run("check", fixture_path("good/training/frames/01"), NULL), 0);
    assert_line("note: no ground truth");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_problems),    cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_labels),      cmocka_unit_test(test_too_little),
        cmocka_unit_test(test_passed_over),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
