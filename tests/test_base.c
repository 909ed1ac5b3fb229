/* The ground everything stands on: random numbers, memory, whole files, JSON and messages. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/near_word.h"
#include "fixture.h"
#include "random.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

/* ---- random numbers. */

/* Known answers of Philox4x32-10 (Salmon et al., Random123's kat_vectors). The counter's words are
 * index, purpose, a, b; the key's words are the seed's halves. */
static void test_philox(void **state) {
    (void)state;
    const struct {
        Rng r;
        uint32_t index, want[4];
    } rows[] = {
        {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
         UINT32_MAX,
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x299f31d0a4093822, 0x85a308d3, 0x13198a2e, 0x03707344},
         0x243f6a88,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < N(rows); i++) {
        uint32_t out[4];
        rng_block(&rows[i].r, rows[i].index, out);
        assert_memory_equal(out, rows[i].want, sizeof out);
    }
}

/* Chi-squared of `bins` counts: mean bins - 1, deviation sqrt(2 (bins - 1)); five of those. */
static void expect_uniform(const int *count, int bins, double expected) {
    double chi = 0;
    for (int i = 0; i < bins; i++)
        chi += (count[i] - expected) * (count[i] - expected) / expected;
    assert_float_equal(chi, bins - 1, 5 * sqrt(2.0 * (bins - 1)));
}

static void test_uniform(void **state) {
    (void)state;
    enum { DRAWS = 100000, BINS = 100 };
    int one[BINS] = {0}, pairs[BINS] = {0};
    Rng r = rng_stream(12345, RNG_TEST, 1, 2);
    for (uint64_t i = 0; i < DRAWS; i++) {
        double u = rng_uniform(&r, i), v = rng_uniform(&r, i + 1);
        assert_true(u >= 0 && u < 1);
        one[(int)(u * BINS)]++;
        pairs[(int)(u * 10) * 10 + (int)(v * 10)]++;
    }
    expect_uniform(one, BINS, (double)DRAWS / BINS);
    expect_uniform(pairs, BINS, (double)DRAWS / BINS);
    /* An element is a function of its place: seed, purpose, a, b and index all matter. */
    const Rng others[] = {{12346, RNG_TEST, 1, 2},
                          {12345, RNG_MASK, 1, 2},
                          {12345, RNG_TEST, 0, 2},
                          {12345, RNG_TEST, 1, 3},
                          {12345ull << 32, RNG_TEST, 1, 2}};
    for (int i = 0; i < N(others); i++)
        assert_true(rng_uniform(&others[i], 7) != rng_uniform(&r, 7));
    assert_true(rng_uniform(&r, 7) == rng_uniform(&r, 7));
}

static void test_truncated_normal(void **state) {
    (void)state;
    enum { DRAWS = 100000, BINS = 20 };
    int bins[BINS] = {0};
    Rng r = rng_stream(1, RNG_INIT, 0, 0);
    double squares = 0, most = 0, inside = erf(M_SQRT1_2);
    for (uint64_t i = 0; i < DRAWS; i++) {
        double x = rng_truncated_normal(&r, i, 0.02);
        most = fmax(most, fabs(x));
        squares += x * x;
        /* its distribution function is uniform */
        double u = (erf(x / 0.02 * M_SQRT1_2) / inside + 1) / 2;
        bins[(int)fmin(u * BINS, BINS - 1)]++;
    }
    assert_true(most <= 0.02 && most > 0.0199);
    /* variance 1 - 2 phi(1) / (2 Phi(1) - 1) = 0.29112 */
    double variance = 1 - 2 * exp(-0.5) / sqrt(2 * M_PI) / inside;
    assert_float_equal(variance, 0.29112, 1e-5);
    assert_float_equal(squares / DRAWS / 4e-4, variance, 5 * 0.3 / sqrt(DRAWS));
    expect_uniform(bins, BINS, (double)DRAWS / BINS);
}

static void test_permutation(void **state) {
    (void)state;
    enum { SIZE = 2534, SMALL = 4, TRIALS = 24000 };
    static int64_t a[SIZE], b[SIZE];
    static bool seen[SIZE];
    Rng epoch0 = rng_stream(2022, RNG_SHUFFLE, 0, 0), epoch1 = rng_stream(2022, RNG_SHUFFLE, 1, 0);
    rng_permutation(&epoch0, a, SIZE);
    for (int i = 0; i < SIZE; i++) {
        assert_true(a[i] >= 0 && a[i] < SIZE && !seen[a[i]]);
        seen[a[i]] = true;
    }
    rng_permutation(&epoch0, b, SIZE);
    assert_memory_equal(a, b, sizeof a);
    rng_permutation(&epoch1, b, SIZE);
    int fixed = 0; /* places that two permutations share: Poisson of mean 1 */
    for (int i = 0; i < SIZE; i++)
        fixed += a[i] == b[i];
    assert_true(fixed < 10);
    /* All 24 orders of four, equally often. */
    int count[256] = {0}, orders[24], n = 0;
    for (uint32_t t = 0; t < TRIALS; t++) {
        Rng r = rng_stream(1, RNG_TEST, 4, t);
        rng_permutation(&r, a, SMALL);
        count[a[0] * 64 + a[1] * 16 + a[2] * 4 + a[3]]++;
    }
    for (int i = 0; i < 256; i++)
        if (count[i])
            orders[n++ % 24] = count[i];
    assert_int_equal(n, 24);
    expect_uniform(orders, 24, TRIALS / 24.0);
    rng_permutation(&epoch0, a, 1);
    assert_int_equal(a[0], 0);
    rng_permutation(&epoch0, a, 0);
}

/* ---- memory. */

static void test_memory(void **state) {
    (void)state;
    int64_t before = mem_count();
    uint8_t *p = mem_alloc(1000, 3);
    assert_int_equal((uintptr_t)p % 64, 0);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(p[i], 0);
    memset(p, 7, 3000);
    p = mem_grow(p, 1000, 2000, 3);
    for (int i = 0; i < 6000; i++)
        assert_int_equal(p[i], i < 3000 ? 7 : 0);
    mem_free(p);
    p = mem_alloc(0, 8); /* nothing, but no failure */
    assert_non_null(p);
    mem_free(p);
    p = mem_grow(NULL, 0, 4, 4);
    assert_non_null(p);
    mem_free(p);
    mem_free(NULL);
    assert_int_equal(mem_count() - before, 4);
}

static void test_memory_overflow(void **state) {
    (void)state;
    const size_t sizes[][2] = {{SIZE_MAX, 2},
                               {SIZE_MAX / 2 + 1, 2},
                               {(size_t)1 << 32, (size_t)1 << 32},
                               {SIZE_MAX - 10, 1},
                               {1, SIZE_MAX}};
    for (int i = 0; i < N(sizes); i++) {
        assert_null(mem_alloc(sizes[i][0], sizes[i][1]));
        assert_non_null(strstr(err_text(), "out of memory"));
    }
    char *p = mem_alloc(8, 1);
    memcpy(p, "as ever", 8);
    assert_null(mem_grow(p, 8, SIZE_MAX, 2));
    assert_string_equal(p, "as ever"); /* the old block stays */
    mem_free(p);
}

static void test_memory_failure_hook(void **state) {
    (void)state;
    mem_fail_after(3);
    void *a = mem_alloc(1, 1), *b = mem_alloc(1, 1), *c = mem_alloc(1, 1), *d = mem_alloc(1, 1);
    assert_true(a && b && !c && d);
    assert_string_equal(err_text(), "out of memory: cannot allocate 64 B");
    mem_fail_after(1);
    assert_null(mem_printf("%d", 1));
    mem_fail_after(1);
    mem_fail_after(0);
    char *text = mem_printf("%s-%d", "text", 5);
    assert_string_equal(text, "text-5");
    mem_free(a);
    mem_free(b);
    mem_free(d);
    mem_free(text);
}

static void test_memory_text(void **state) {
    (void)state;
    const struct {
        double bytes;
        const char *text;
    } rows[] = {{0, "0 B"},        {999, "999 B"},     {1000, "1.0 KB"}, {12345, "12.3 KB"},
                {340e6, "340 MB"}, {1.23e9, "1.2 GB"}, {5e12, "5.0 TB"}, {7e15, "7000 TB"}};
    char buf[16];
    for (int i = 0; i < N(rows); i++)
        assert_string_equal(mem_text(buf, sizeof buf, rows[i].bytes), rows[i].text);
}

/* ---- files. */

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

/* ---- JSON. */

static int collect(void *ctx, const char *key, const Json *value) {
    char *to = ctx;
    (void)value;
    snprintf(to + strlen(to), 32, "%s ", key);
    return strcmp(key, "stop") == 0 ? 42 : 0;
}

static void test_json(void **state) {
    (void)state;
    Json *j = js_object(), *list = js_array();
    js_append_int(list, INT64_MIN);
    js_append_text(list, "a \"b\"\n\xc3\xa9");
    js_append(list, NULL);
    js_set(j, "list", list);
    js_set_number(j, "third", 1.0 / 3);
    js_set_number(j, "huge", -INFINITY);
    js_set_int(j, "int", INT64_MAX);
    js_set_text(j, "stop", "");
    js_set_text(j, "after", "x");
    char *text = js_text(j, false);
    assert_null(strchr(text, '\n'));
    assert_true(strtod(strstr(text, "\"third\":") + 8, NULL) == 1.0 / 3);
    assert_non_null(strstr(text, "\"huge\":null"));
    js_free(j);
    j = js_parse(text, strlen(text));
    mem_free(text);
    assert_non_null(j);
    const Json *l = js_get(j, "list");
    int64_t n = 0;
    assert_true(js_is_array(l) && js_is_object(j));
    assert_int_equal(js_count(l), 3);
    assert_int_equal(js_count(j), 6);
    assert_true(js_int_of(js_at(l, 0), &n) && n == INT64_MIN);
    assert_string_equal(js_text_of(js_at(l, 1)), "a \"b\"\n\xc3\xa9");
    assert_false(js_int_of(js_at(l, 2), &n)); /* null */
    assert_null(js_at(l, 3));
    assert_true(js_int_of(js_get(j, "int"), &n) && n == INT64_MAX);
    assert_false(js_int_of(js_get(j, "third"), &n));
    assert_null(js_text_of(js_get(j, "int")));
    assert_null(js_get(j, "absent"));
    assert_null(js_text_of(js_get(js_get(j, "absent"), "below")));
    char keys[200] = "";
    assert_int_equal(js_each(j, collect, keys), 42);
    assert_string_equal(keys, "list third huge int stop ");
    js_free(j);
    js_free(NULL);
}

static void test_bad_json(void **state) {
    (void)state;
    const char *const texts[] = {"",      "{",           "{\"a\":1,}", "nul", "[1] 2",
                                 "{1:2}", "\"\\ud800\"", "01",         "'a'", "{\"a\":1,\"a\":2}"};
    for (int i = 0; i < N(texts); i++) {
        assert_null(js_parse(texts[i], strlen(texts[i])));
        assert_non_null(strstr(err_text(), "not valid JSON"));
        assert_non_null(strstr(err_text(), "line 1"));
    }
}

static void test_json_file(void **state) {
    (void)state;
    const char *path = fixture_path("a.json"), *folder = fixture_path("no-file");
    Json *j = js_object(), *again = NULL;
    js_set_int(j, "a", 1);
    assert_int_equal(js_write_file(j, path), 0);
    expect_content(path, "{\n  \"a\": 1\n}\n");
    assert_int_equal(js_read_file(&again, path, 13), 0);
    assert_int_equal(js_count(again), 1);
    js_free(again);
    again = NULL;
    assert_int_equal(js_read_file(&again, path, 12), ERR_FAIL); /* longer than the limit */
    fixture_text(path, "{\"a\":\n?}");
    assert_int_equal(js_read_file(&again, path, 13), ERR_FAIL);
    assert_non_null(strstr(err_text(), path));
    assert_non_null(strstr(err_text(), "line 2"));
    assert_null(again);
    assert_int_equal(file_make_folder(folder), 0);
    assert_int_equal(js_write_file(j, folder), ERR_FAIL);
    assert_non_null(strstr(err_text(), folder));
    js_free(j);
}

/* ---- words. */

static void test_near_words(void **state) {
    (void)state;
    static const char *const known[] = {"train", "pretrain", "eval", "score", "data", NULL};
    char longest[60] = "train";
    memset(longest + 5, 'x', sizeof longest - 6);
    const struct {
        const char *word, *nearest;
    } rows[] = {{"train", "train"}, {"trian", "train"},   {"pertrain", "pretrain"},
                {"evil", "eval"},   {"scoring", "score"}, {"date", "data"},
                {"vale", "eval"},   {"d", NULL},          {"quantum", NULL},
                {"", NULL},         {longest, NULL}};
    for (int i = 0; i < N(rows); i++) {
        NearWord n = {.word = rows[i].word};
        for (int k = 0; known[k]; k++)
            near_word(&n, known[k]);
        if (rows[i].nearest)
            assert_string_equal(n.nearest, rows[i].nearest);
        else
            assert_null(n.nearest);
    }
}

/* ---- messages. */

static void test_messages(void **state) {
    (void)state;
    assert_int_equal(err_set(ERR_USAGE, "%s %d", "a", 1), ERR_USAGE);
    assert_string_equal(err_text(), "a 1");
    err_set(ERR_FAIL, "again: %s", err_text()); /* the old message may be an argument */
    assert_string_equal(err_text(), "again: a 1");
    err_set(ERR_FAIL, "tensor %s", "a\033[2Jb\n\177\303\244\302\233"); /* names may be anything */
    assert_string_equal(err_text(), "tensor a?[2Jb??\303\244??");
    err_set(ERR_FAIL, "again: a 1");
    assert_int_equal(err_context(ERR_FAIL, "in %s", "x"), ERR_FAIL);
    assert_string_equal(err_text(), "in x: again: a 1");
    errno = ENOENT;
    err_sys(ERR_FAIL, "cannot read %s", "y");
    assert_string_equal(err_text(), "cannot read y: No such file or directory");
    char large[3000]; /* what is too long is cut, and the reason is kept */
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    err_set(ERR_FAIL, "%s", large);
    assert_true(strlen(err_text()) > 900);
    err_context(ERR_FAIL, "%s", large);
    errno = EACCES;
    err_sys(ERR_FAIL, "%s", large);
    assert_non_null(strstr(err_text(), ": Permission denied"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_truncated_normal),
        cmocka_unit_test(test_permutation),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_overflow),
        cmocka_unit_test(test_memory_failure_hook),
        cmocka_unit_test(test_memory_text),
        cmocka_unit_test(test_file_is_whole_or_not_there),
        cmocka_unit_test(test_file_fails_to_write),
        cmocka_unit_test(test_file_cannot_be_made),
        cmocka_unit_test(test_file_replaces_files_alone),
        cmocka_unit_test(test_file_read),
        cmocka_unit_test(test_file_names),
        cmocka_unit_test(test_folder_is_removed),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_bad_json),
        cmocka_unit_test(test_json_file),
        cmocka_unit_test(test_near_words),
        cmocka_unit_test(test_messages),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
