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
    fixture_clip(fixture_path("good/training/frames/01"), 4, 16, 12, 0);
    fixture_clip(fixture_path("good/testing/frames/01"), 5, 16, 12, 0);
    fixture_clip(fixture_path("good/testing/frames/02"), 3, 16, 12, 0);
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
    assert_line("8 frames, 3 abnormal");
    assert_line("everything fits");
    assert_int_equal(run("check", fixture_path("good"), "--json", "--decode", NULL), 0);
    Json *j = js_parse(output, strlen(output));
    assert_non_null(j);
    assert_string_equal(js_text_of(js_get(j, "layout")), "frames");
    assert_int_equal(js_count(js_get(j, "test")), 2);
    assert_int_equal(js_count(js_get(j, "problems")), 0);
    int64_t frames = 0;
    assert_true(js_int_of(js_get(js_at(js_get(j, "test"), 1), "frames"), &frames));
    assert_int_equal(frames, 3);
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
    assert_line("problem: train/01: a single frame; a pair needs two: move the clip");
    assert_line("problem: train/02: numbers jump from 3 to 9 and 2 more; ");
    assert_line("problem: train/02: 009.bmp and 9.bmp have the same number; both are read, in this "
                "order");
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
    static const char *const names[] = {"dawn", "dusk", "night", "noon"};
    for (int i = 0; i < 4; i++)
        fixture_bmp(fixture_path("names/01/%s.bmp", names[i]), 16, 12, i);
    assert_int_equal(run("check", fixture_path("names"), NULL), 0);
    assert_line("everything fits");
    for (int i = 1; i < 4; i++) { /* of two cameras: one line, not one a picture */
        fixture_bmp(fixture_path("two/01/left%d.bmp", i), 16, 12, i);
        fixture_bmp(fixture_path("two/01/right%d.bmp", i), 16, 12, i);
    }
    assert_int_equal(run("check", fixture_path("two"), NULL), 1);
    assert_line(
        "clips/01: left1.bmp and right1.bmp have the same number and 2 more; both are read");
    assert_null(strstr(output, "left2"));
}

static void test_labels(void **state) {
    (void)state;
    const char *path = fixture_path("other.txt");
    fixture_text(path, "02 0 0\n");
    assert_int_equal(run("check", fixture_path("good"), "--labels", path, NULL), 0);
    assert_line("8 frames, 1 abnormal");
    fixture_text(path, "02 0 3\n");
    assert_int_equal(run("check", fixture_path("good"), "--labels", path, NULL), 1);
    assert_line("clip 02 ends at frame 3");
    fixture_text(fixture_path("good/second.m"), "a.gt_frame = [1:2];\na.gt_frame = [];\n");
    assert_int_equal(run("check", fixture_path("good"), NULL), 0);
    assert_line("note: the label files differ");
    assert_int_equal(run("check", fixture_path("good/testing/frames/01"), NULL), 0);
    assert_line("note: no ground truth");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),     cmocka_unit_test(test_usage),
        cmocka_unit_test(test_problems), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_labels),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
