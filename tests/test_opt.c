/* Options: one set of rows behind the command line, YAML files and JSON, with messages that name
 * the option, the value and what was expected. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/opt.h"
#include "fixture.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

typedef struct {
    int64_t steps, seed;
    double rate;
    bool fast, keep;
    int mode;
    char *output, *name;
} Settings;

static const char *const modes[] = {"slow", "quick", NULL};
static const Opt first_rows[] = {
    OPT_INT_ROW(Settings, steps, "steps", "10", 1, 1000, "N", "how many"),
    OPT_INT_ROW(Settings, seed, "seed", "1", 0, 4294967295.0, "N", "which"),
    OPT_REAL_ROW(Settings, rate, "rate", "0.5", 0, 1, "how much"),
    OPT_FLAG_ROW(Settings, fast, "fast", "faster"),
    OPT_END,
};
static const Opt second_rows[] = {
    OPT_FLAG_ROW(Settings, keep, "keep", "whether to keep"),
    OPT_CHOICE_ROW(Settings, mode, "mode", "quick", modes, "which way"),
    OPT_TEXT_ROW(Settings, output, "output", NULL, "FILE", "where to"),
    OPT_TEXT_ROW(Settings, name, "name", "it's", "TEXT", "what it is called"),
    OPT_END,
};

static Settings s;
static const OptGroup groups[] = {
    {"First", first_rows, &s}, {"Second", second_rows, &s}, {NULL, NULL, NULL}};

static int setup(void **state) {
    (void)state;
    memset(&s, 0, sizeof s);
    return opt_defaults(groups);
}

static int teardown(void **state) {
    (void)state;
    opt_free(groups);
    opt_free(groups); /* twice is fine */
    return 0;
}

enum { MAX_POSITIONAL = 2 };

static const char *positional[MAX_POSITIONAL];

/* Parses words separated by spaces; the number of positionals, or the error. */
static int parse(const char *line) {
    static char copy[256];
    char *argv[16], *save = NULL;
    int argc = 0, n = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    int code = opt_parse(groups, argc, argv, positional, MAX_POSITIONAL, &n);
    return code ? code : n;
}

static void expect_error(const char *const parts[3]) {
    for (int i = 0; i < 3 && parts[i]; i++)
        if (!strstr(err_text(), parts[i]))
            fail_msg("\"%s\" does not say \"%s\"", err_text(), parts[i]);
}

static void test_defaults(void **state) {
    (void)state;
    assert_int_equal(s.steps, 10);
    assert_true(s.rate == 0.5);
    assert_false(s.fast || s.keep);
    assert_int_equal(s.mode, 1);
    assert_null(s.output);
    assert_string_equal(s.name, "it's");
}

static void test_command_line(void **state) {
    (void)state;
    assert_int_equal(parse("--steps 20 one --rate=0.25 --fast two --mode slow"), 2);
    assert_string_equal(positional[0], "one");
    assert_string_equal(positional[1], "two");
    assert_int_equal(s.steps, 20);
    assert_true(s.rate == 0.25);
    assert_true(s.fast);
    assert_int_equal(s.mode, 0);
    /* a flag takes no word after it, but a value with = */
    assert_int_equal(parse("--fast=no --keep no"), 1);
    assert_false(s.fast);
    assert_true(s.keep);
    assert_string_equal(positional[0], "no");
    assert_int_equal(parse("--keep=off --steps 1e2"), 0);
    assert_false(s.keep);
    assert_int_equal(s.steps, 100);
    /* the last one counts; "-" and what follows "--" are no options */
    assert_int_equal(parse("-o a.txt --output b=c --name= -"), 1);
    assert_string_equal(s.output, "b=c");
    assert_string_equal(s.name, "");
    assert_string_equal(positional[0], "-");
    assert_int_equal(parse("-- --steps"), 1);
    assert_string_equal(positional[0], "--steps");
}

static void test_bad_command_lines(void **state) {
    (void)state;
    const struct {
        const char *line, *parts[3];
    } rows[] = {
        {"--steps 0", {"--steps: 0 is out of range", "1 to 1000"}},
        {"--steps 1001", {"1001 is out of range"}},
        {"--steps -3", {"-3 is out of range"}},
        {"--steps 2.5", {"expected a whole number from 1 to 1000", "\"2.5\""}},
        {"--steps 5x", {"whole number", "\"5x\""}},
        {"--steps=", {"whole number", "\"\""}},
        {"--steps nan", {"\"nan\""}},
        {"--steps 99999999999999999999", {"out of range"}},
        {"--seed -1", {"-1 is out of range, expected 0 to 4294967295"}},
        {"--seed x", {"from 0 to 4294967295, found"}},
        {"--rate inf", {"--rate: expected a real number from 0 to 1", "\"inf\""}},
        {"--rate 1e999", {"\"1e999\""}},
        {"--rate 1.0001", {"1.0001 is out of range"}},
        {"--rate 0,5", {"\"0,5\""}},
        {"--mode medium", {"--mode: expected one of slow, quick; found \"medium\""}},
        {"--fast=maybe", {"--fast: expected yes or no", "\"maybe\""}},
        {"--steps", {"--steps: expected a value"}},
        {"--output=", {"--output: expected FILE, found an empty word"}},
        {"--stpes 3", {"--stpes: unknown option", "did you mean --steps?"}},
        {"--zzzzzzzz", {"--zzzzzzzz: unknown option", "--help"}},
        {"-x", {"-x: unknown option"}},
        {"-steps 3", {"-steps: unknown option"}},
        {"one two three", {"unexpected argument \"three\""}},
    };
    for (int i = 0; i < N(rows); i++) {
        assert_int_equal(parse(rows[i].line), ERR_USAGE);
        expect_error(rows[i].parts);
    }
    assert_int_equal(s.steps, 10); /* a bad value changes nothing */
    assert_true(s.rate == 0.5);
    char long_word[300] = "--";
    memset(long_word + 2, 'x', sizeof long_word - 3);
    char *argv[] = {long_word};
    int n;
    assert_int_equal(opt_parse(groups, 1, argv, positional, MAX_POSITIONAL, &n), ERR_USAGE);
}

static void test_peek(void **state) {
    (void)state;
    char *argv[] = {"train", "--preset", "ped2", "--size=tiny", "--size-limit", "9", "--last"};
    assert_string_equal(opt_peek(N(argv), argv, "preset"), "ped2");
    assert_string_equal(opt_peek(N(argv), argv, "size"), "tiny");
    assert_string_equal(opt_peek(N(argv), argv, "size-limit"), "9");
    assert_null(opt_peek(N(argv), argv, "pre"));
    assert_null(opt_peek(N(argv), argv, "last"));
    assert_null(opt_peek(N(argv), argv, "train"));
    char *ended[] = {"--", "--preset", "ped2"};
    assert_null(opt_peek(N(ended), ended, "preset"));
    char *twice[] = {"--preset=a", "--preset", "b"};
    assert_string_equal(opt_peek(N(twice), twice, "preset"), "b");
}

static void test_list(void **state) {
    (void)state;
    assert_int_equal(opt_set_list(groups, "preset: ", "steps=3  rate=1 fast=yes"), 0);
    assert_int_equal(s.steps, 3);
    assert_true(s.rate == 1 && s.fast);
    assert_int_equal(opt_set_list(groups, "preset: ", "steps"), ERR_USAGE);
    expect_error((const char *[3]){"preset: steps", "key=value"});
    assert_int_equal(opt_set_list(groups, "preset: ", "mode=x"), ERR_USAGE);
    expect_error((const char *[3]){"preset: mode"});
    /* Of a long list all counts: --settings may be one. */
    char list[2000] = "";
    for (int i = 0; i < 100; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "steps=%d ", 100 + i);
    assert_int_equal(opt_set_list(groups, "preset: ", list), 0);
    assert_int_equal(s.steps, 199);
    strncat(list, "rate=7", sizeof list - strlen(list) - 1);
    assert_int_equal(opt_set_list(groups, "preset: ", list), ERR_USAGE);
    expect_error((const char *[3]){"preset: rate: 7 is out of range"});
}

static void expect_command(const char *want) {
    char *line = opt_command(groups);
    assert_string_equal(line, want);
    mem_free(line);
}

static void test_command(void **state) {
    (void)state;
    expect_command("");
    assert_int_equal(opt_set_list(groups, "", "steps=10 rate=0.50 fast=no keep=no mode=quick"), 0);
    expect_command("");
    assert_int_equal(opt_set_list(groups, "", "steps=7 rate=.25 fast=on mode=slow output=a"), 0);
    assert_int_equal(opt_set(groups, "", "name", "two words"), 0);
    expect_command(" --steps=7 --rate=0.25 --fast --mode=slow --output=a --name='two words'");
    for (int64_t n = 1; n < 16; n++) {
        mem_fail_after(n);
        mem_free(opt_command(groups));
    }
    mem_fail_after(0);
}

/* A text comes back whole from wherever it is stored. */
static void test_long_text(void **state) {
    (void)state;
    static char text[6000];
    memset(text, '\'', sizeof text - 1);
    assert_int_equal(opt_set(groups, "--", "name", text), 0);
    char buf[OPT_VALUE];
    assert_string_equal(opt_value_text(&second_rows[3], &s, buf), text);
    const char *path = fixture_path("long.yaml");
    Json *json = opt_to_json(groups);
    assert_int_equal(opt_save_yaml(groups, path), 0);
    assert_int_equal(opt_set(groups, "--", "name", "short"), 0);
    assert_int_equal(opt_from_json(groups, "", json), 0);
    assert_string_equal(s.name, text);
    assert_int_equal(opt_set(groups, "--", "name", "short"), 0);
    assert_int_equal(opt_load_yaml(groups, path), 0);
    assert_string_equal(s.name, text);
    js_free(json);
}

/* The line is told however long the file's name is. */
static void test_long_yaml_path(void **state) {
    (void)state;
    char file[900];
    snprintf(file, sizeof file, "%s", fixture_path("long"));
    assert_int_equal(file_make_folder(file), 0);
    while (strlen(file) < 600)
        strncat(file, "/.", sizeof file - strlen(file) - 1);
    strncat(file, "/x.yaml", sizeof file - strlen(file) - 1);
    fixture_text(file, "steps: 5\nstep: 5\n");
    assert_int_equal(opt_load_yaml(groups, file), ERR_USAGE);
    expect_error((const char *[3]){"x.yaml, line 2: step: unknown option"});
}

/* ---- YAML. */

static void test_yaml(void **state) {
    (void)state;
    const char *path = fixture_path("good.yaml");
    fixture_text(path, "# comment\nsteps: 7\nrate: '0.125'\n\nfast: yes\nmode: slow\n"
                       "output: \"a: b\"\n");
    assert_int_equal(opt_load_yaml(groups, path), 0);
    assert_int_equal(s.steps, 7);
    assert_true(s.rate == 0.125);
    assert_true(s.fast);
    assert_int_equal(s.mode, 0);
    assert_string_equal(s.output, "a: b");
    fixture_text(path, "");
    assert_int_equal(opt_load_yaml(groups, path), 0);
    fixture_text(path, "# nothing\n");
    assert_int_equal(opt_load_yaml(groups, path), 0);
    assert_int_equal(s.steps, 7);
}

static void test_bad_yaml(void **state) {
    (void)state;
    const struct {
        const char *text, *parts[3];
    } rows[] = {
        {"rate: 1\nsteps: many\n", {"bad.yaml, line 2: steps", "\"many\""}},
        {"\n\nsteps: 5000\n", {"line 3: steps: 5000 is out of range"}},
        {"steps: 5\nstep: 5\n", {"line 2: step: unknown option", "did you mean steps?"}},
        {"steps:\n  deep: 5\n", {"line 1", "nested"}},
        {"steps: [1, 2]\n", {"line 1", "nested"}},
        {"- steps\n", {"bad.yaml", "mapping"}},
        {"steps 5\n", {"bad.yaml", "mapping"}},
        {"rate: 1\nsteps: \"5\n", {"line", "not valid YAML"}},
        {"a: b: c\n", {"line 1", "not valid YAML"}},
        {"steps:\n", {"line 1: steps", "\"\""}},
        {"[steps]: 1\n", {"line 1"}},
    };
    const char *path = fixture_path("bad.yaml");
    for (int i = 0; i < N(rows); i++) {
        fixture_text(path, rows[i].text);
        assert_int_equal(opt_load_yaml(groups, path), ERR_USAGE);
        expect_error(rows[i].parts);
    }
    assert_int_equal(opt_load_yaml(groups, fixture_path("absent.yaml")), ERR_FAIL);
    expect_error((const char *[3]){"cannot read", "absent.yaml"});
}

static void test_saved_yaml(void **state) {
    (void)state;
    const char *path = fixture_path("saved.yaml");
    assert_int_equal(opt_set(groups, "", "name", "it's: # \"odd\" "), 0);
    assert_int_equal(opt_set(groups, "", "rate", "0.1"), 0);
    assert_int_equal(opt_set(groups, "", "output", "yes"), 0);
    assert_int_equal(opt_set(groups, "", "keep", "yes"), 0);
    s.rate = nextafter(s.rate, 1); /* every bit counts */
    const double rate = s.rate;
    assert_int_equal(opt_save_yaml(groups, path), 0);
    opt_free(groups);
    memset(&s, 0, sizeof s);
    assert_int_equal(opt_load_yaml(groups, path), 0);
    assert_true(s.rate == rate);
    assert_int_equal(s.steps, 10);
    assert_int_equal(s.mode, 1);
    assert_true(s.keep && !s.fast);
    assert_string_equal(s.name, "it's: # \"odd\" ");
    assert_string_equal(s.output, "yes");
}

/* ---- JSON. */

static void test_json(void **state) {
    (void)state;
    assert_int_equal(opt_set_list(groups, "", "steps=77 mode=slow fast=yes keep=no name=x"), 0);
    s.rate = 1.0 / 3;
    Json *j = opt_to_json(groups);
    char *text = js_text(j, false);
    js_free(j);
    opt_free(groups);
    memset(&s, 0, sizeof s);
    j = js_parse(text, strlen(text));
    mem_free(text);
    assert_int_equal(opt_from_json(groups, "settings: ", j), 0);
    js_free(j);
    assert_int_equal(s.steps, 77);
    assert_true(s.rate == 1.0 / 3);
    assert_true(s.fast && !s.keep);
    assert_int_equal(s.mode, 0);
    assert_string_equal(s.name, "x");
}

static void test_bad_json(void **state) {
    (void)state;
    const struct {
        const char *text, *parts[3];
    } rows[] = {
        {"{\"steps\": 5}", {"settings: steps", "expected a text"}},
        {"{\"steps\": \"five\"}", {"settings: steps", "\"five\""}},
        {"{\"stepz\": \"5\"}", {"settings: stepz: unknown option", "did you mean steps?"}},
        {"{\"rate\": null}", {"settings: rate"}},
    };
    for (int i = 0; i < N(rows); i++) {
        Json *j = js_parse(rows[i].text, strlen(rows[i].text));
        assert_int_not_equal(opt_from_json(groups, "settings: ", j), 0);
        expect_error(rows[i].parts);
        js_free(j);
    }
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        EACH(test_defaults),       EACH(test_command_line), EACH(test_bad_command_lines),
        EACH(test_peek),           EACH(test_list),         EACH(test_yaml),
        EACH(test_bad_yaml),       EACH(test_saved_yaml),   EACH(test_json),
        EACH(test_bad_json),       EACH(test_command),      EACH(test_long_text),
        EACH(test_long_yaml_path),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
