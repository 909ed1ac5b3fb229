/* The ground everything stands on: random numbers, memory, whole files, JSON and messages. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/near_word.h"
#include "base/secret.h"
#include "base/shell_word.h"
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

/* Of the address sanitizer; absent in other builds. */
int __asan_address_is_poisoned(const volatile void *address) __attribute__((weak));

/* A reader of untrusted bytes is tested on blocks from mem_alloc: the sanitizer must see the first
 * byte behind one. */
static void test_memory_end(void **state) {
    (void)state;
    if (!__asan_address_is_poisoned)
        skip();
    for (size_t bytes = 1; bytes <= 130; bytes++) {
        char *p = mem_alloc(bytes, 1);
        assert_int_equal((uintptr_t)p % 64, 0);
        assert_false(__asan_address_is_poisoned(p + bytes - 1));
        assert_true(__asan_address_is_poisoned(p + bytes));
        mem_free(p);
    }
}

static void test_room(void **state) {
    (void)state;
    enum { COUNT = 200 };
    int64_t capacity = 0, grown = 0, *p = NULL;
    for (int64_t i = 0; i < COUNT; i++) {
        int64_t before = mem_count(), *more = mem_room(p, i, &capacity, sizeof *p);
        assert_non_null(more);
        grown += mem_count() - before;
        p = more;
        p[i] = i;
    }
    assert_int_equal(capacity, 256);
    assert_int_equal(grown, 3); /* 64, 128, 256 */
    for (int64_t i = 0; i < COUNT; i++)
        assert_int_equal(p[i], i);
    mem_fail_after(1);
    assert_null(mem_room(p, capacity, &capacity, sizeof *p));
    mem_fail_after(0);
    assert_int_equal(capacity, 256);
    mem_free(p);
}

static void test_memory_failure_hook(void **state) {
    (void)state;
    mem_fail_after(3);
    void *a = mem_alloc(1, 1), *b = mem_alloc(1, 1), *c = mem_alloc(1, 1), *d = mem_alloc(1, 1);
    assert_true(a && b && !c && d);
    assert_string_equal(err_text(), "out of memory: cannot allocate 1 B");
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
    char *text = NULL;
    size_t n;
    assert_int_equal(file_read(path, 100, &text, &n), 0);
    assert_string_equal(text, "{\n  \"a\": 1\n}\n");
    mem_free(text);
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

static void test_shell_words(void **state) {
    (void)state;
    const char *const rows[][2] = {{"run/a-1_b.c", "run/a-1_b.c"},
                                   {"", "''"},
                                   {"a b", "'a b'"},
                                   {"Bob's $run", "'Bob'\\''s $run'"},
                                   {"''", "''\\'''\\'''"}};
    for (int i = 0; i < N(rows); i++) {
        char *word = shell_word(rows[i][0]);
        assert_string_equal(word, rows[i][1]);
        mem_free(word);
    }
    mem_fail_after(1);
    assert_null(shell_word("a b"));
    mem_fail_after(0);
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

/* Also where the message is too short for the word; and what is shown may be longer. */
static void test_secrets(void **state) {
    (void)state;
    secret_add("rtsp://u:geheim@cam/live", "rtsp://***@cam/live");
    secret_add("pw", "(hidden)");
    err_set(ERR_FAIL, "no %s, %s or %s", "rtsp://u:geheim@cam/live", "pw", "pw");
    assert_string_equal(err_text(), "no rtsp://***@cam/live, (hidden) or (hidden)");
    err_context(ERR_FAIL, "rtsp://u:geheim@cam/live");
    assert_string_equal(err_text(), "rtsp://***@cam/live: no rtsp://***@cam/live, (hidden) or "
                                    "(hidden)");
    for (int n = ERR_TEXT - 40; n < ERR_TEXT; n++) {
        err_set(ERR_FAIL, "%*s%s", n, "", "rtsp://u:geheim@cam/live");
        assert_null(strstr(err_text(), "u:"));
        assert_true(strlen(err_text()) < ERR_TEXT);
    }
    char full[] = "a pw pw";
    secret_hide(full, sizeof full);
    assert_string_equal(full, "a (hidd");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_truncated_normal),
        cmocka_unit_test(test_permutation),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_overflow),
        cmocka_unit_test(test_memory_end),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_memory_failure_hook),
        cmocka_unit_test(test_memory_text),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_bad_json),
        cmocka_unit_test(test_json_file),
        cmocka_unit_test(test_near_words),
        cmocka_unit_test(test_shell_words),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_secrets),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
