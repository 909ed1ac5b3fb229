/* Lists of options, of names and of lines, word by word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/words.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

/* Each word in brackets, "[a][b]"; part: what ends one, 0 for words between blanks. */
static const char *seen(const char *list, char part) {
    static char text[256];
    size_t n = 0;
    for (Words w = words_of(list); part ? words_next_part(&w, part) : words_next(&w);) {
        text[n++] = '[';
        memcpy(text + n, w.text, (size_t)w.length);
        n += (size_t)w.length;
        text[n++] = ']';
    }
    text[n] = '\0';
    return text;
}

static void words_are_between_any_number_of_blanks(void **state) {
    (void)state;
    static const char *const lists[][2] = {
        {"", ""},
        {" \n ", ""},
        {"one", "[one]"},
        {"a=b c=d", "[a=b][c=d]"},
        {"  a=b \n\n  c,d ", "[a=b][c,d]"},
    };
    for (int i = 0; i < N(lists); i++)
        assert_string_equal(seen(lists[i][0], 0), lists[i][1]);
}

static void parts_may_be_empty(void **state) {
    (void)state;
    static const char *const lists[][2] = {
        {"", ""},         {"one", "[one]"},         {"a,b c,d", "[a][b c][d]"},
        {",", "[]"},      {",a,,b", "[][a][][b]"},  {"a,", "[a]"},
        {"a,,", "[a][]"}, {"a\nb, c", "[a\nb][ c]"}};
    for (int i = 0; i < N(lists); i++)
        assert_string_equal(seen(lists[i][0], ','), lists[i][1]);
    assert_string_equal(seen("{1}\n\n{2, 3}\n", '\n'), "[{1}][][{2, 3}]");
}

static void a_word_is_the_whole_word(void **state) {
    (void)state;
    Words w = words_of("threads=8 seed");
    assert_true(words_next(&w));
    assert_true(words_is(&w, "threads=8"));
    assert_false(words_is(&w, "threads"));
    assert_false(words_is(&w, "threads=8 seed"));
    assert_true(words_next(&w));
    assert_true(words_is(&w, "seed"));
    assert_false(words_is(&w, ""));
    assert_false(words_next(&w));
}

static void a_value_stands_behind_its_key(void **state) {
    (void)state;
    const char *list = "threads=8 lr= seed key=a=b";
    Words w = words_of(list);
    words_next(&w);
    assert_ptr_equal(words_value(&w, "threads"), list + strlen("threads="));
    assert_null(words_value(&w, "thread"));
    assert_null(words_value(&w, "hreads"));
    assert_null(words_value(&w, "threads=8 lr"));
    words_next(&w);
    assert_ptr_equal(words_value(&w, "lr"), list + strlen("threads=8 lr="));
    words_next(&w);
    assert_null(words_value(&w, "seed")); /* what stands behind it is the next word */
    words_next(&w);
    assert_string_equal(words_value(&w, "key"), "a=b");
}

static void a_copy_is_whole_or_none(void **state) {
    (void)state;
    char buf[4] = "was";
    Words w = words_of("four abc ,");
    words_next(&w);
    assert_false(words_copy(&w, buf, sizeof buf));
    assert_string_equal(buf, "was");
    words_next(&w);
    assert_true(words_copy(&w, buf, sizeof buf));
    assert_string_equal(buf, "abc");
    w = words_of(",");
    words_next_part(&w, ',');
    assert_true(words_copy(&w, buf, 1));
    assert_string_equal(buf, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_between_any_number_of_blanks),
        cmocka_unit_test(parts_may_be_empty),
        cmocka_unit_test(a_word_is_the_whole_word),
        cmocka_unit_test(a_value_stands_behind_its_key),
        cmocka_unit_test(a_copy_is_whole_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
