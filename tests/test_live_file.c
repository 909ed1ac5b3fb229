/* Files that are used while they grow. */
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
#include "base/live_file.h"
#include "base/mem.h"
#include "fixture.h"

static void assert_content(const char *path, const char *content) {
    char *data;
    size_t bytes;
    assert_int_equal(file_read(path, 1000, &data, &bytes), 0);
    assert_string_equal(data, content);
    mem_free(data);
}

/* The file alone is in its folder, under its name, after this. */
static void assert_alone(const char *path, const char *folder) {
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void test_grows(void **state) {
    (void)state;
    const char *path = fixture_path("grows/a");
    LiveFile *f;
    fixture_text(path, "old");
    assert_int_equal(live_file_create(&f, path), 0);
    assert_content(path, "old");
    assert_int_equal(live_file_append(f, "one ", 4), 0);
    assert_content(path, "one ");
    assert_int_equal(live_file_append(f, "two", 3), 0);
    assert_content(path, "one two");
    assert_int_equal(live_file_close(&f), 0);
    assert_null(f);
    assert_content(path, "one two");
    assert_alone(path, fixture_path("grows"));
}

static void test_nothing(void **state) {
    (void)state;
    const char *path = fixture_path("nothing/a");
    LiveFile *f = NULL;
    live_file_free(&f);
    live_file_free(NULL);
    fixture_text(path, "old");
    assert_int_equal(live_file_create(&f, path), 0);
    live_file_free(&f);
    assert_content(path, "old");
    assert_alone(path, fixture_path("nothing"));
}

static void test_targets(void **state) {
    (void)state;
    LiveFile *f = NULL;
    const char *link = fixture_path("targets/link");
    assert_int_equal(symlink("a", link), 0);
    assert_int_equal(live_file_create(&f, link), ERR_FAIL);
    assert_non_null(strstr(err_text(), "a link"));
    assert_int_equal(live_file_create(&f, fixture_path("targets")), ERR_FAIL);
    assert_non_null(strstr(err_text(), "a folder"));
    assert_int_equal(live_file_create(&f, "/nonexistent/a"), ERR_FAIL);
    assert_non_null(strstr(err_text(), "/nonexistent/a"));
    for (int64_t n = 1; n <= 3; n++) {
        mem_fail_after(n);
        assert_int_equal(live_file_create(&f, fixture_path("targets/a")), ERR_FAIL);
    }
    mem_fail_after(0);
    assert_null(f);
    assert_alone(link, fixture_path("targets"));
}

/* A file-size limit stands in for a full disk: a piece that does not fit is taken back. */
static void test_full_disk(void **state) {
    (void)state;
    const char *path = fixture_path("full/a");
    struct rlimit old, small;
    LiveFile *f;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 10;
    assert_int_equal(live_file_create(&f, path), 0);
    setrlimit(RLIMIT_FSIZE, &small);
    int first = live_file_append(f, "12345678", 8);
    int second = live_file_append(f, "abcdefgh", 8);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(first, 0);
    assert_int_equal(second, ERR_FAIL);
    assert_non_null(strstr(err_text(), "full/a: File too large"));
    assert_content(path, "12345678");
    assert_int_equal(live_file_append(f, "abcdefgh", 8), 0); /* there is room again */
    assert_int_equal(live_file_close(&f), 0);
    assert_content(path, "12345678abcdefgh");
    assert_alone(path, fixture_path("full"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
