/* The pickle reader: what Python's pickle module writes comes out as a tree, and programs that
 * Python would stumble over, or run, are refused or written down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/pickle.h"

/* Parses a copy, so that a sanitizer sees reads beyond it; mem_alloc rounds it up to 64 bytes. */
static int parse(Pickle *out, const void *bytes, size_t n) {
    void *copy = mem_alloc(n, 1);
    memcpy(copy, bytes, n);
    int code = pickle_parse(out, "x", copy, (int64_t)n);
    mem_free(copy); /* the tree does not need it */
    return code;
}

#define ACCEPT(p, ops)                                                                             \
    do {                                                                                           \
        if (parse(p, ops, sizeof(ops) - 1))                                                        \
            fail_msg("%s", err_text());                                                            \
        assert_int_equal((p)->used, sizeof(ops) - 1);                                              \
    } while (0)

static void expect_refused(const void *ops, size_t n, const char *what) {
    Pickle p;
    if (parse(&p, ops, n) != ERR_FAIL)
        fail_msg("accepted; expected the error: %s", what);
    assert_null(p.chunks);
    if (!strstr(err_text(), what) || !strstr(err_text(), "x: the pickle, byte "))
        fail_msg("\"%s\" does not say \"%s\"", err_text(), what);
}

#define REFUSE(ops, what) expect_refused(ops, sizeof(ops) - 1, what)

static void expect_integer(const PickleValue *v, PickleType type, int64_t integer) {
    assert_non_null(v);
    assert_int_equal(v->type, type);
    assert_true(v->integer == integer);
}

/* pickle.dumps([0, 255, 65535, -2, 2**40, -1, True, False], 2) */
static void test_integers(void **state) {
    (void)state;
    static const int64_t want[] = {0, 255, 65535, -2, (int64_t)1 << 40, INT64_MIN};
    Pickle p;
    ACCEPT(&p, "\x80\x02]q\0(K\0K\xffM\xff\xffJ\xfe\xff\xff\xff\x8a\x06\0\0\0\0\0\1"
               "\x8a\x08\0\0\0\0\0\0\0\x80\x8a\0\x8a\1\xff\x88\x89"
               "e.");
    assert_int_equal(p.root->type, PICKLE_LIST);
    assert_int_equal(p.root->count, 10);
    for (int i = 0; i < 6; i++)
        expect_integer(pickle_at(p.root, i), PICKLE_INT, want[i]);
    expect_integer(pickle_at(p.root, 6), PICKLE_INT, 0);
    expect_integer(pickle_at(p.root, 7), PICKLE_INT, -1);
    expect_integer(pickle_at(p.root, 8), PICKLE_BOOL, 1);
    expect_integer(pickle_at(p.root, 9), PICKLE_BOOL, 0);
    assert_null(pickle_at(p.root, 10));
    assert_null(pickle_at(NULL, 0));
    pickle_free(&p);
}

/* {"a": (1,), "b": "text"}, then "a" once more: the last one counts. */
static void test_containers(void **state) {
    (void)state;
    Pickle p;
    ACCEPT(&p, "\x80\x02}(X\1\0\0\0aK\1\x85U\1b\x8c\4textuX\1\0\0\0aK\2K\3\x86s.");
    assert_int_equal(p.root->type, PICKLE_DICT);
    assert_int_equal(p.root->count, 3);
    assert_string_equal(pickle_get(p.root, "b")->text, "text");
    const PickleValue *a = pickle_get(p.root, "a");
    assert_int_equal(a->type, PICKLE_TUPLE);
    assert_int_equal(a->count, 2);
    expect_integer(pickle_at(a, 1), PICKLE_INT, 3);
    assert_null(pickle_get(p.root, "c"));
    assert_null(pickle_get(NULL, "a"));
    pickle_free(&p);
}

/* A stored value is the same value, even inside itself. */
static void test_memo(void **state) {
    (void)state;
    Pickle p;
    ACCEPT(&p, "\x80\x02]q\5h\5a.");
    assert_ptr_equal(pickle_at(p.root, 0), p.root);
    pickle_free(&p);
    ACCEPT(&p, "\x80\4\x95\6\0\0\0\0\0\0\0]\x94h\0a."); /* protocol 4 */
    assert_ptr_equal(pickle_at(p.root, 0), p.root);
    pickle_free(&p);
}

/* os.system("true") with a state, and an object of a class nobody knows: nodes, not calls. */
static void test_calls(void **state) {
    (void)state;
    Pickle p;
    ACCEPT(&p, "\x80\x02"
               "cos\nsystem\nU\4true\x85R}b.");
    assert_int_equal(p.root->type, PICKLE_CALL);
    assert_string_equal(p.root->text, "os.system");
    assert_string_equal(pickle_at(p.root->args, 0)->text, "true");
    pickle_free(&p);
    ACCEPT(&p, "\x80\x04\x8c\x0byacs.config\x8c\7CfgNode\x93)\x81U\1kK\7s.");
    assert_int_equal(p.root->type, PICKLE_CALL);
    assert_string_equal(p.root->text, "yacs.config.CfgNode");
    expect_integer(pickle_get(p.root, "k"), PICKLE_INT, 7);
    pickle_free(&p);
    /* the result of a call called: no name */
    ACCEPT(&p, "\x80\x02"
               "cos\nsystem\n)R)R.");
    assert_int_equal(p.root->type, PICKLE_CALL);
    assert_string_equal(p.root->text, "");
    pickle_free(&p);
}

static void test_persistent(void **state) {
    (void)state;
    Pickle p;
    ACCEPT(&p, "\x80\x02U\1aQU\1bQ\x86.");
    assert_ptr_equal(p.persistent, pickle_at(p.root, 1));
    assert_ptr_equal(p.persistent->sister, pickle_at(p.root, 0));
    assert_null(p.persistent->sister->sister);
    assert_string_equal(p.persistent->args->text, "b");
    pickle_free(&p);
}

/* What nobody asks for is read over: floats, bytes, and long numbers and texts. */
static void test_others(void **state) {
    (void)state;
    Pickle p;
    ACCEPT(&p, "\x80\x03G?\xf0\0\0\0\0\0\0B\2\0\0\0abC\1a\x87.");
    for (int i = 0; i < 3; i++)
        assert_int_equal(pickle_at(p.root, i)->type, PICKLE_OTHER);
    pickle_free(&p);
    ACCEPT(&p, "\x80\x02\x8a\x09\0\0\0\0\0\0\0\0\1.");
    assert_int_equal(p.root->type, PICKLE_OTHER);
    pickle_free(&p);
    static uint8_t text[70006] = {'X', 0x70, 0x11, 1, 0}; /* 70000 */
    text[70005] = '.';
    assert_int_equal(parse(&p, text, sizeof text), 0);
    assert_int_equal(p.root->type, PICKLE_OTHER);
    assert_string_equal(p.root->text, "");
    pickle_free(&p);
}

static void test_refused(void **state) {
    (void)state;
    REFUSE("}r\xff\xff\xff\xff.", "a memo of 4294967296, at most 4194304");
    REFUSE("j\xff\xff\xff\xff.", "nothing was stored as 4294967295");
    REFUSE("h\0.", "nothing was stored as 0");
    REFUSE("}(.", "a value is missing");
    REFUSE("(}.", "more than one value");
    REFUSE("}t.", "a mark is missing");
    REFUSE("}u.", "a mark is missing");
    REFUSE("(NNu.", "an item for what takes none");
    REFUSE("}(Nu.", "a key without a value");
    REFUSE("}Na.", "an item for what takes none");
    REFUSE("](NN.", "more than one value");
    REFUSE("}(Ns.", "a value is missing");
    REFUSE("N\x86.", "a value is missing");
    REFUSE("(\x85.", "a value is missing");
    REFUSE("R.", "a value is missing");
    REFUSE("Q.", "a value is missing");
    REFUSE("q\0.", "a value is missing");
    REFUSE("}Nb.", "a state for what is no object");
    REFUSE(".", "a value is missing");
    REFUSE("}", "cut short");
    REFUSE("X\xff\xff\xff\xff", "cut short");
    REFUSE("\x8a\xff", "cut short");
    REFUSE("cposix\nsystem", "cut short in a name");
    REFUSE("NN\x93.", "whose name is no text");
    REFUSE("\x80\x09}.", "an unknown protocol");
    REFUSE("iposix\nsystem\n.", "instruction 0x69"); /* INST */
}

/* Limits: of the stack, and of what a small program may describe. */
static void test_limits(void **state) {
    (void)state;
    static uint8_t deep[(1 << 20) + 1], wide[7 << 20];
    memset(deep, 'N', sizeof deep);
    expect_refused(deep, sizeof deep, "a stack of 1048577, at most 1048576");
    wide[0] = ']';
    for (size_t i = 1; i + 1 < sizeof wide; i += 2) {
        wide[i] = ']';
        wide[i + 1] = 'a';
    }
    expect_refused(wide, sizeof wide, "it describes more than 256 MB");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),   cmocka_unit_test(test_containers),
        cmocka_unit_test(test_memo),       cmocka_unit_test(test_calls),
        cmocka_unit_test(test_persistent), cmocka_unit_test(test_others),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
