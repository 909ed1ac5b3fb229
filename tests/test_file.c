/* Files that are either whole or not there, and folders. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "fixture.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

/* ---- whole or not there. */

static void expect_content(const char *path, const char *want) {
    char *text;
    size_t n;
    assert_int_equal(file_read(path, 1 << 20, &text, &n), 0);
    assert_int_equal(n, strlen(want));
    assert_string_equal(text, want);
    mem_free(text);
}

static int files_in(const char *folder) {
    int n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void test_file_is_whole_or_not_there(void **state) {
    (void)state;
    const char *path = fixture_path("atomic/file");
    FileOut *f = NULL;
    assert_int_equal(file_create(&f, path), 0);
    file_write(f, "one\n", 4);
    file_printf(f, "%d\n", 2);
    assert_false(file_exists(path)); /* not before it is complete */
    assert_int_equal(file_commit(&f), 0);
    assert_null(f);
    expect_content(path, "one\n2\n");

    assert_int_equal(file_create(&f, path), 0);
    file_write(f, "half", 4);
    file_discard(&f);
    assert_null(f);
    file_discard(&f);
    expect_content(path, "one\n2\n");

    assert_int_equal(file_create(&f, path), 0);
    file_write(f, "quick", 5);
    assert_int_equal(file_publish(&f), 0);
    assert_null(f);
    expect_content(path, "quick");

    assert_int_equal(file_create(&f, path), 0);
    assert_int_equal(file_commit(&f), 0);
    expect_content(path, "");
    assert_int_equal(files_in(fixture_path("atomic")), 1); /* no temporary file is left */
}

/* A disk that is full, as a limit on the size of files: the old file stays, the message says why.
 */
static void fails_to_write(int (*end)(FileOut **)) {
    const char *path = fixture_path("full/file");
    fixture_text(path, "of before");
    struct rlimit old, small = {1000, RLIM_INFINITY};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    static char bytes[100000];
    FileOut *f = NULL;
    assert_int_equal(file_create(&f, path), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 3; i++) /* the first failure is kept until the end */
        file_write(f, bytes, sizeof bytes);
    int code = end(&f);
    char message[1024];
    snprintf(message, sizeof message, "%s", err_text());
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(code, ERR_FAIL);
    assert_null(f);
    assert_non_null(strstr(message, path));
    assert_non_null(strstr(message, strerror(EFBIG)));
    expect_content(path, "of before");
    assert_int_equal(files_in(fixture_path("full")), 1);
}

static void test_file_fails_to_write(void **state) {
    (void)state;
    fails_to_write(file_commit);
    fails_to_write(file_publish);
}

static void test_file_cannot_be_made(void **state) {
    (void)state;
    FileOut *f = NULL;
    const char *path = fixture_path("plain");
    fixture_text(path, "a file");
    const char *const bad[] = {"/nowhere/at/all", fixture_path("plain/below"), "/proc/none/x"};
    for (int i = 0; i < N(bad); i++) {
        assert_int_equal(file_create(&f, bad[i]), ERR_FAIL);
        assert_null(f);
        assert_non_null(strstr(err_text(), bad[i]));
        assert_non_null(strstr(err_text(), "cannot write"));
    }
    /* A folder that comes to stand where the file should is seen at the rename. */
    const char *folder = fixture_path("taken/x");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(file_create(&f, folder), 0);
        assert_int_equal(file_make_folder(folder), 0);
        assert_int_equal(i ? file_publish(&f) : file_commit(&f), ERR_FAIL);
        assert_non_null(strstr(err_text(), folder));
        assert_true(file_is_folder(folder));
        assert_int_equal(files_in(fixture_path("taken")), 1);
        assert_int_equal(rmdir(folder), 0);
    }
}

/* Only a regular file is replaced; nothing is left where that is refused. */
static void test_file_replaces_files_alone(void **state) {
    (void)state;
    FileOut *f = NULL;
    const char *folder = fixture_path("kinds/folder"), *pipe = fixture_path("kinds/pipe"),
               *link = fixture_path("kinds/link"), *file = fixture_path("kinds/file");
    fixture_text(file, "a file");
    assert_int_equal(file_make_folder(folder), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(symlink(file, link), 0);
    const char *const refused[][2] = {{folder, "a folder"},
                                      {link, "a link"},
                                      {pipe, "no regular file"},
                                      {"/dev/null", "no regular"}};
    for (int i = 0; i < N(refused); i++) {
        assert_int_equal(file_create(&f, refused[i][0]), ERR_FAIL);
        assert_null(f);
        assert_non_null(strstr(err_text(), refused[i][0]));
        assert_non_null(strstr(err_text(), refused[i][1]));
        assert_int_equal(file_probe(refused[i][0]), ERR_FAIL);
    }
    assert_int_equal(file_probe(file), 0);
    expect_content(file, "a file");
    assert_int_equal(file_probe(fixture_path("kinds/none")), 0);
    assert_int_equal(files_in(fixture_path("kinds")), 4);
}

static void test_file_read(void **state) {
    (void)state;
    char *text = NULL;
    size_t n = 0;
    const char *path = fixture_path("text");
    fixture_write(path, "a\0b", 3);
    assert_int_equal(file_read(path, 3, &text, &n), 0);
    assert_int_equal(n, 3);
    assert_memory_equal(text, "a\0b\0", 4);
    mem_free(text);
    text = NULL;
    assert_int_equal(file_read(path, 2, &text, &n), ERR_FAIL);
    assert_non_null(strstr(err_text(), "3 bytes, at most 2"));
    assert_int_equal(file_read(fixture_path("absent"), 9, &text, &n), ERR_FAIL);
    assert_non_null(strstr(err_text(), "No such file"));
    assert_int_equal(file_read("/dev/zero", 9, &text, &n), ERR_FAIL);
    assert_non_null(strstr(err_text(), "not a regular file"));
    assert_null(text);
}

static void test_file_read_text(void **state) {
    (void)state;
    static const char *const texts[][2] = {{"a\r\nb\rc\n\r", "a\nb\nc\n\n"},
                                           {"\xef\xbb\xbf"
                                            "\r",
                                            "\n"},
                                           {"\xef\xbb\xbf", ""},
                                           {"\xef\xbb", "\xef\xbb"},
                                           {"\n\n", "\n\n"}};
    const char *path = fixture_path("lines");
    for (int i = 0; i < 5; i++) {
        char *text = NULL;
        size_t n = 0;
        fixture_text(path, texts[i][0]);
        assert_int_equal(file_read_text(path, 100, &text, &n), 0);
        assert_string_equal(text, texts[i][1]);
        assert_int_equal(n, strlen(text));
        mem_free(text);
    }
    char *text = NULL;
    size_t n = 0;
    fixture_write(path, "\xfe\xff\0a", 4);
    assert_int_equal(file_read_text(path, 100, &text, &n), ERR_FAIL);
    assert_non_null(strstr(err_text(), "lines: text in UTF-16; save it as UTF-8"));
    assert_null(text);
}

static void test_file_names(void **state) {
    (void)state;
    assert_string_equal(file_name("a/b/c.txt"), "c.txt");
    assert_string_equal(file_name("c.txt"), "c.txt");
    assert_string_equal(file_name("a/"), "");
    assert_true(file_has_extension("a.b/clip.MP4", "mp4"));
    assert_false(file_has_extension("a.mp4/clip", "mp4"));
    assert_false(file_has_extension("clip.mp4v", "mp4"));
    assert_false(file_has_extension("mp4", "mp4"));
    const char *deep = fixture_path("deep");
    char path[600];
    snprintf(path, sizeof path, "%s/er/and/deeper", deep);
    assert_int_equal(file_make_folder(path), 0);
    assert_int_equal(file_make_folder(path), 0);
    assert_true(file_is_folder(path));
    assert_false(file_is_folder(fixture_path("absent")));
    snprintf(path, sizeof path, "%s/below", fixture_path("plain"));
    assert_int_equal(file_make_folder(path), ERR_FAIL);
    assert_int_equal(file_make_folder(fixture_path("plain")), ERR_FAIL);
    assert_non_null(strstr(err_text(), "a file of that name"));
}

/* A link goes, and what it leads to stays. */
static void test_folder_is_removed(void **state) {
    (void)state;
    const char *folder = fixture_path("removed");
    char inner[600], kept[600];
    snprintf(kept, sizeof kept, "%s", fixture_path("kept/file"));
    snprintf(inner, sizeof inner, "%s/a/link", folder);
    fixture_text(kept, "text");
    fixture_text(fixture_path("removed/a/file"), "text");
    assert_int_equal(symlink(fixture_path("kept"), inner), 0);
    assert_int_equal(file_make_new_folder(folder), ERR_FAIL);
    assert_true(file_remove_folder(folder));
    assert_false(file_exists(folder));
    assert_true(file_exists(kept));
    assert_true(file_remove_folder(folder));
    assert_true(file_remove_folder(fixture_path("kept/file/below")));
    assert_int_equal(file_make_new_folder(folder), 0);
}

/* ---- temporary files. */

/* A link planted where a temporary file would be, or at the target after the check: what it leads
 * to stays as it is. */
static void test_file_follows_no_link(void **state) {
    (void)state;
    const char *victim = fixture_path("links/victim"), *path = fixture_path("links/file");
    fixture_text(victim, "of another");
    assert_int_equal(symlink(victim, fixture_path("links/file.tmp")), 0);
    assert_int_equal(symlink(victim, fixture_path("links/file.tmp-0")), 0);
    assert_int_equal(mkfifo(fixture_path("links/file.tmp-1"), 0600), 0);
    FileOut *f = NULL;
    assert_int_equal(file_create(&f, path), 0);
    file_write(f, "mine", 4);
    assert_int_equal(symlink(victim, path), 0);
    assert_int_equal(file_commit(&f), 0);
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    expect_content(path, "mine");
    expect_content(victim, "of another");
    assert_int_equal(files_in(fixture_path("links")), 5);
}

static void test_file_keeps_the_umask(void **state) {
    (void)state;
    const char *path = fixture_path("rights/file");
    FileOut *f = NULL;
    struct stat st;
    mode_t old = umask(027);
    assert_int_equal(file_create(&f, path), 0);
    assert_int_equal(file_commit(&f), 0);
    umask(old);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

/* Each has a file of its own; the one that ends last is what stays. */
static void test_file_has_two_writers(void **state) {
    (void)state;
    const char *path = fixture_path("two/file");
    FileOut *a = NULL, *b = NULL, *c = NULL;
    assert_int_equal(file_create(&a, path), 0);
    assert_int_equal(file_create(&b, path), 0);
    assert_int_equal(file_create(&c, path), 0);
    assert_string_not_equal(file_temp_name(a), file_temp_name(b));
    file_write(a, "first", 5);
    file_write(b, "second", 6);
    file_write(a, " writer", 7);
    file_discard(&c);
    assert_int_equal(file_commit(&b), 0);
    expect_content(path, "second");
    assert_int_equal(file_commit(&a), 0);
    expect_content(path, "first writer");
    assert_int_equal(files_in(fixture_path("two")), 1);
}

enum { WRITERS = 6, TIMES = 60, LENGTH = 3000 };

typedef struct {
    const char *path;
    char letter;
} Writer;

static void *write_often(void *arg) {
    const Writer *w = arg;
    char text[LENGTH];
    memset(text, w->letter, sizeof text);
    intptr_t failed = 0;
    for (int i = 0; i < TIMES; i++) {
        FileOut *f = NULL;
        if (file_create(&f, w->path)) {
            failed++;
            continue;
        }
        file_write(f, text, sizeof text);
        if (i % 3 == 0)
            file_discard(&f);
        else
            failed += file_publish(&f) != 0;
    }
    return (void *)failed;
}

static void expect_one_letter(const char *path) {
    char *text;
    size_t n;
    assert_int_equal(file_read(path, LENGTH, &text, &n), 0);
    assert_int_equal(n, LENGTH);
    for (size_t i = 1; i < n; i++)
        assert_int_equal(text[i], text[0]);
    mem_free(text);
}

static void test_file_has_many_writers(void **state) {
    (void)state;
    const char *path = fixture_path("many/file");
    pthread_t thread[WRITERS];
    Writer writer[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writer[i] = (Writer){path, (char)('a' + i)};
        assert_int_equal(pthread_create(&thread[i], NULL, write_often, &writer[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        void *failed;
        assert_int_equal(pthread_join(thread[i], &failed), 0);
        assert_null(failed);
    }
    expect_one_letter(path);
    assert_int_equal(files_in(fixture_path("many")), 1);
}

/* Begins to write and says so; then it is killed, or waits for a byte and commits. */
static pid_t write_aside(const char *path, int ready, int go) {
    pid_t child = fork();
    if (child)
        return child;
    FileOut *f = NULL;
    char byte = 0;
    int code = file_create(&f, path);
    if (!code)
        file_write(f, "aside", 5);
    if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
        code = -1;
    _exit(code || file_commit(&f) ? 1 : 0);
}

static void test_file_of_a_killed_writer(void **state) {
    (void)state;
    const char *path = fixture_path("killed/file"), *folder = fixture_path("killed");
    int ready[2], go[2], status;
    char byte = 0;
    FileOut *f = NULL;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    for (int i = 0; i < 3; i++) { /* they do not add up */
        pid_t child = write_aside(path, ready[1], go[0]);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(files_in(folder), 1);
    }
    pid_t child = write_aside(path, ready[1], go[0]); /* a live one is left alone */
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(file_create(&f, path), 0);
    assert_int_equal(files_in(folder), 2);
    file_write(f, "here", 4);
    assert_int_equal(file_commit(&f), 0);
    expect_content(path, "here");
    assert_int_equal(write(go[1], &byte, 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    expect_content(path, "aside");
    assert_int_equal(files_in(folder), 1);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_is_whole_or_not_there),
        cmocka_unit_test(test_file_fails_to_write),
        cmocka_unit_test(test_file_cannot_be_made),
        cmocka_unit_test(test_file_replaces_files_alone),
        cmocka_unit_test(test_file_read),
        cmocka_unit_test(test_file_read_text),
        cmocka_unit_test(test_file_names),
        cmocka_unit_test(test_folder_is_removed),
        cmocka_unit_test(test_file_follows_no_link),
        cmocka_unit_test(test_file_keeps_the_umask),
        cmocka_unit_test(test_file_has_two_writers),
        cmocka_unit_test(test_file_has_many_writers),
        cmocka_unit_test(test_file_of_a_killed_writer),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
