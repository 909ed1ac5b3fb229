/* The safetensors reader and writer: values, what the format allows, and headers that lie. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "fixture.h"
#include "model/safetensors.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

/* A file in memory: header length, header, and `bytes` of data counting up from 0. */
typedef struct {
    uint8_t bytes[4096];
    int64_t n;
} File;

static File file_of(const char *header, int bytes) {
    File f = {.n = 8 + (int64_t)strlen(header) + bytes};
    assert_true(f.n <= N(f.bytes));
    f.bytes[0] = (uint8_t)strlen(header);
    f.bytes[1] = (uint8_t)(strlen(header) >> 8);
    memcpy(f.bytes + 8, header, strlen(header));
    for (int i = 0; i < bytes; i++)
        f.bytes[8 + strlen(header) + (size_t)i] = (uint8_t)i;
    return f;
}

/* Parses a copy, so that a sanitizer sees reads beyond it; mem_alloc rounds it up to 64 bytes. */
static int parse(Safetensors **out, const File *f) {
    static uint8_t *copy;
    mem_free(copy);
    copy = NULL;
    copy = mem_alloc((size_t)f->n, 1);
    memcpy(copy, f->bytes, (size_t)f->n);
    return safetensors_parse(out, "x.safetensors", copy, f->n);
}

static Safetensors *accept(const char *header, int bytes) {
    Safetensors *s = NULL;
    File f = file_of(header, bytes);
    if (parse(&s, &f))
        fail_msg("%s", err_text());
    return s;
}

static void expect_refused(const File *f, const char *what) {
    Safetensors *s = NULL;
    assert_int_equal(parse(&s, f), ERR_FAIL);
    assert_null(s);
    if (!strstr(err_text(), what) || !strstr(err_text(), "x.safetensors"))
        fail_msg("\"%s\" does not say \"%s\" of x.safetensors", err_text(), what);
}

/* ---- what the format allows. */

static void test_tensors(void **state) {
    (void)state;
    Safetensors *s = accept("{\"__metadata__\":{\"made by\":\"a test\"},"
                            "\"b\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[8,32]},"
                            "\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}   ",
                            32);
    assert_int_equal(safetensors_count(s), 2);
    assert_string_equal(safetensors_metadata(s, "made by"), "a test");
    assert_null(safetensors_metadata(s, "b"));
    assert_null(safetensors_find(s, "__metadata__"));
    assert_null(safetensors_find(s, "c"));
    const SafeTensor *t = safetensors_find(s, "b");
    assert_int_equal(t->type, SAFE_F32);
    assert_int_equal(t->rank, 2);
    assert_int_equal(t->shape[0], 2);
    assert_int_equal(t->shape[1], 3);
    assert_int_equal(t->count, 6);
    assert_int_equal(t->bytes, 24);
    assert_int_equal(*(const uint8_t *)t->data, 8);
    assert_ptr_equal(safetensors_at(s, 0), safetensors_find(s, "a")); /* in the file's order */
    float none;
    assert_int_equal(safetensors_to_f32(safetensors_find(s, "a"), &none), ERR_FAIL);
    assert_non_null(strstr(err_text(), "tensor a is no floating-point tensor"));
    safetensors_free(&s);
    assert_null(s);
    safetensors_free(&s);
}

static void test_rank_0_and_empty(void **state) {
    (void)state;
    Safetensors *s = accept("{\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                            "\"none\":{\"dtype\":\"F16\",\"shape\":[4,0,7],\"data_offsets\":[4,4]},"
                            "\"before\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}",
                            4);
    const SafeTensor *t = safetensors_find(s, "scalar");
    assert_int_equal(t->rank, 0);
    assert_int_equal(t->count, 1);
    assert_int_equal(safetensors_find(s, "none")->count, 0);
    assert_int_equal(safetensors_find(s, "none")->rank, 3);
    float value = 0;
    assert_int_equal(safetensors_to_f32(t, &value), 0);
    assert_true(value != 0);
    assert_int_equal(safetensors_to_f32(safetensors_find(s, "none"), NULL), 0);
    safetensors_free(&s);
    s = accept("{}", 0);
    assert_int_equal(safetensors_count(s), 0);
    assert_null(safetensors_metadata(s, "format"));
    safetensors_free(&s);
    s = accept("{\"w\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[0,3]}}", 3);
    assert_int_equal(safetensors_find(s, "w")->type, SAFE_OTHER);
    safetensors_free(&s);
}

/* ---- values. */

static float convert(SafeType type, const void *bits) {
    const SafeTensor t = {.name = "t", .type = type, .count = 1, .data = bits, .bytes = 4};
    float out = -1;
    assert_int_equal(safetensors_to_f32(&t, &out), 0);
    return out;
}

static void test_half(void **state) {
    (void)state;
    const struct {
        uint16_t bits;
        float value;
    } rows[] = {{0x3c00, 1},           {0xc000, -2},       {0x7bff, 65504},
                {0x0400, 0x1p-14f},    {0x0001, 0x1p-24f}, {0x83ff, -1023 * 0x1p-24f},
                {0x3555, 0x1.554p-2f}, {0x7c00, INFINITY}, {0xfc00, -INFINITY}};
    for (int i = 0; i < N(rows); i++)
        assert_true(convert(SAFE_F16, &rows[i].bits) == rows[i].value);
    float negative_zero = convert(SAFE_F16, &(uint16_t){0x8000});
    assert_true(negative_zero == 0 && signbit(negative_zero));
    assert_true(isnan(convert(SAFE_F16, &(uint16_t){0x7e00})));
    assert_true(isnan(convert(SAFE_F16, &(uint16_t){0x7c01})));
    /* All finite halves: each is larger than the one before. */
    for (uint16_t h = 1; h < 0x7c00; h++)
        assert_true(convert(SAFE_F16, &h) > convert(SAFE_F16, &(uint16_t){(uint16_t)(h - 1)}));
}

static void test_bfloat_and_double(void **state) {
    (void)state;
    assert_true(convert(SAFE_BF16, &(uint16_t){0x3f80}) == 1);
    assert_true(convert(SAFE_BF16, &(uint16_t){0xc049}) == -3.140625f);
    assert_true(convert(SAFE_BF16, &(uint16_t){0x0080}) == 0x1p-126f);
    assert_true(convert(SAFE_BF16, &(uint16_t){0x7f80}) == INFINITY);
    assert_true(isnan(convert(SAFE_BF16, &(uint16_t){0x7fc0})));
    assert_true(convert(SAFE_F64, &(double){0.1}) == 0.1f);
    assert_true(convert(SAFE_F64, &(double){-1e300}) == -INFINITY);
    assert_true(convert(SAFE_F64, &(double){1e-300}) == 0);
    assert_true(convert(SAFE_F32, &(float){-0.25f}) == -0.25f);
}

/* Tensors in a file are not aligned. */
static void test_shapes(void **state) {
    (void)state;
    const SafeTensor t = {.rank = 3, .shape = {48, 16, 2, 7}};
    char text[64], little[8];
    assert_string_equal(safetensors_shape_text(text, sizeof text, t.rank, t.shape), "(48, 16, 2)");
    assert_string_equal(safetensors_shape_text(text, sizeof text, 0, t.shape), "()");
    assert_string_equal(safetensors_shape_text(little, sizeof little, t.rank, t.shape), "(48, 16");
    assert_true(safetensors_has_shape(&t, 3, (const int64_t[]){48, 16, 2}));
    assert_false(safetensors_has_shape(&t, 3, (const int64_t[]){48, 16, 3}));
    assert_false(safetensors_has_shape(&t, 2, (const int64_t[]){48, 16}));
    assert_false(safetensors_has_shape(&t, 4, (const int64_t[]){48, 16, 2, 7}));
}

static void test_not_finite(void **state) {
    (void)state;
    enum { COUNT = 10000 };
    static float values[COUNT];
    const SafeTensor t = {.name = "a.weight", .count = COUNT};
    assert_int_equal(safetensors_check_finite(&t, values, "x.safetensors"), 0);
    values[9999] = INFINITY;
    assert_int_equal(safetensors_check_finite(&t, values, "x.safetensors"), ERR_FAIL);
    assert_string_equal(err_text(), "x.safetensors: tensor a.weight holds a value that is not "
                                    "finite at 9999");
    values[4095] = NAN;
    assert_int_equal(safetensors_check_finite(&t, values, "x.safetensors"), ERR_FAIL);
    assert_non_null(strstr(err_text(), "at 4095"));
}

static void test_unaligned(void **state) {
    (void)state;
    const char *header = "{\"p\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                         "\"f\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[1,17]}}";
    File f = file_of(header, 17);
    const double values[] = {1.5, -3};
    memcpy(f.bytes + 8 + strlen(header) + 1, values, sizeof values);
    Safetensors *s = NULL;
    assert_int_equal(parse(&s, &f), 0);
    float out[2];
    assert_int_equal(safetensors_to_f32(safetensors_find(s, "f"), out), 0);
    assert_true(out[0] == 1.5f && out[1] == -3);
    safetensors_free(&s);
}

/* ---- writing. */

static void test_round_trip(void **state) {
    (void)state;
    enum { MANY = 150 }; /* the writer's list grows */
    static float values[MANY + 12];
    for (int i = 0; i < N(values); i++)
        values[i] = (float)i / 7;
    values[5] = NAN;
    SafeWriter *w = NULL;
    assert_int_equal(safe_writer_open(&w), 0);
    const char *path = fixture_path("round.safetensors");
    const int64_t matrix[] = {3, 4}, one[] = {1}, none[] = {2, 0};
    safe_writer_add(w, "matrix \"\xc3\xa9\"", 2, matrix, values);
    safe_writer_add(w, "none", 2, none, values);
    safe_writer_add(w, "scalar", 0, NULL, values + 3);
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        safe_writer_add(w, name, 1, one, values + 12 + i);
    }
    safe_writer_metadata(w, "text", "two\nlines");
    assert_int_equal(safe_writer_save(&w, path), 0);
    assert_null(w);

    Safetensors *s = NULL;
    assert_int_equal(safetensors_open(&s, path), 0);
    assert_int_equal(safetensors_count(s), MANY + 3);
    assert_string_equal(safetensors_metadata(s, "text"), "two\nlines");
    const SafeTensor *t = safetensors_find(s, "matrix \"\xc3\xa9\"");
    assert_int_equal(t->rank, 2);
    assert_memory_equal(t->shape, matrix, sizeof matrix);
    assert_memory_equal(t->data, values, 12 * sizeof(float)); /* a NaN keeps its bits */
    assert_int_equal((uintptr_t)t->data % 8, 0);
    assert_int_equal(safetensors_find(s, "none")->count, 0);
    assert_int_equal(safetensors_find(s, "scalar")->rank, 0);
    float last;
    assert_int_equal(safetensors_to_f32(safetensors_find(s, "t149"), &last), 0);
    assert_true(last == values[12 + 149]);
    safetensors_free(&s);
    safe_writer_free(&w);
}

static void test_writer_out_of_memory(void **state) {
    (void)state;
    int failures = 0, code = ERR_FAIL;
    for (int64_t n = 1; code; n++) {
        SafeWriter *w = NULL;
        mem_fail_after(n);
        code = safe_writer_open(&w);
        if (!code) {
            safe_writer_add(w, "x", 0, NULL, &(float){1});
            code = safe_writer_save(&w, fixture_path("oom.safetensors"));
        }
        mem_fail_after(0);
        assert_null(w);
        assert_true(file_exists(fixture_path("oom.safetensors")) == !code);
        failures += code != 0;
    }
    assert_true(failures >= 4);
}

/* ---- headers that lie. */

#define ONE(dtype, shape, offsets)                                                                 \
    "{\"t\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define TWO(first, second)                                                                         \
    "{\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" first "},"                          \
    "\"u\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" second "}}"

static const struct {
    const char *header;
    int bytes;
    const char *what;
} lies[] = {
    {"not json", 0, "not a safetensors file"},
    {"[]", 0, "not a safetensors file"},
    {"{", 1, "not valid JSON"},
    {"{}x", 0, "not valid JSON"},
    {"{\"t\":1}", 0, "unknown dtype"},
    {"{\"__metadata__\":[]}", 0, "__metadata__"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "duplicate"},
    {"{\"t\\u0000\":1}", 0, "not valid JSON"},
    {"{\"t\xff\":1}", 0, "not valid JSON"},
    {"{\"t\\u001b[2J\":1}", 0, "control character at byte 1"},
    {"{\"ab\\u007f\":1}", 0, "control character at byte 2"},
    {"{\"\\u009b2J\":1}", 0, "control character at byte 0"},
    {"{\"\\u00a0\\u00e9\":1}", 0, "unknown dtype"},
    {ONE("\"F33\"", "[1]", "[0,4]"), 4, "unknown dtype \"F33\""},
    {ONE("4", "[1]", "[0,4]"), 4, "unknown dtype"},
    {ONE("\"F32\"", "1", "[0,4]"), 4, "shape"},
    {ONE("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "at most 8"},
    {ONE("\"F32\"", "[-1]", "[0,4]"), 4, "impossible shape"},
    {ONE("\"F32\"", "[1.5]", "[0,4]"), 4, "impossible shape"},
    {ONE("\"F32\"", "[\"1\"]", "[0,4]"), 4, "impossible shape"},
    {ONE("\"F32\"", "[4294967296,4294967296]", "[0,4]"), 4, "impossible shape"},
    {ONE("\"F32\"", "[9223372036854775807]", "[0,4]"), 4, "impossible shape"},
    {ONE("\"F32\"", "[99999999999999999999]", "[0,4]"), 4, "not valid JSON"},
    {ONE("\"U8\"", "[4294967296,4294967297]", "[0,0]"), 0, "impossible shape"},
    {ONE("\"F32\"", "[1]", "[0]"), 4, "no data_offsets"},
    {ONE("\"F32\"", "[1]", "[0,4,8]"), 4, "no data_offsets"},
    {ONE("\"F32\"", "[1]", "[0,4.0]"), 4, "no data_offsets"},
    {ONE("\"F32\"", "[1]", "null"), 4, "no data_offsets"},
    {ONE("\"F32\"", "[1]", "[-4,0]"), 4, "out of range"},
    {ONE("\"F32\"", "[1]", "[4,0]"), 4, "out of range"},
    {ONE("\"F32\"", "[2]", "[0,8]"), 4, "out of range"},
    {ONE("\"F32\"", "[1]", "[0,9223372036854775807]"), 4, "out of range"},
    {ONE("\"F32\"", "[1]", "[0,5]"), 5, "has 5 bytes, its shape and dtype need 4"},
    {ONE("\"F32\"", "[0]", "[0,4]"), 4, "has 4 bytes, its shape and dtype need 0"},
    {ONE("\"F32\"", "[1]", "[4,8]"), 8, "hole"},
    {ONE("\"F32\"", "[1]", "[0,4]"), 5, "longer than its header says"},
    {"{}", 1, "longer than its header says"},
    {TWO("[0,4]", "[2,6]"), 6, "overlap"},
    {TWO("[0,4]", "[0,4]"), 4, "overlap"},
    {TWO("[0,4]", "[5,9]"), 9, "hole"},
    {"{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
     "\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
     2, "duplicate"},
};

static void test_lies(void **state) {
    (void)state;
    for (int i = 0; i < N(lies); i++) {
        File f = file_of(lies[i].header, lies[i].bytes);
        expect_refused(&f, lies[i].what);
    }
}

static void test_lengths(void **state) {
    (void)state;
    const File good = file_of("{}", 0);
    const uint64_t lengths[] = {3, 100000001, UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 63};
    for (int i = 0; i < N(lengths); i++) {
        File f = good;
        for (int k = 0; k < 8; k++)
            f.bytes[k] = (uint8_t)(lengths[i] >> 8 * k);
        expect_refused(&f, "truncated");
    }
    for (int64_t n = 0; n < good.n; n++) {
        File f = good;
        f.n = n;
        expect_refused(&f, "truncated");
    }
    /* Every way to cut a file with tensors short. */
    const File whole = file_of(TWO("[0,4]", "[4,8]"), 8);
    for (int64_t n = 0; n < whole.n; n++) {
        File f = whole;
        f.n = n;
        expect_refused(&f, n < whole.n - 8 ? "truncated" : "out of range");
    }
}

/* Deep nesting ends in a message, not in a stack overflow. */
static void test_nesting(void **state) {
    (void)state;
    File f = file_of("{\"t\":", 4000);
    memset(f.bytes + 8 + 5, '[', 4000);
    f.bytes[0] = (uint8_t)4005;
    f.bytes[1] = 4005 >> 8;
    expect_refused(&f, "not valid JSON");
}

static void test_files(void **state) {
    (void)state;
    Safetensors *s = NULL;
    assert_int_equal(safetensors_open(&s, fixture_path("absent")), ERR_FAIL);
    assert_non_null(strstr(err_text(), "cannot read"));
    assert_int_equal(safetensors_open(&s, fixture_path("folder/")), ERR_FAIL);
    assert_non_null(strstr(err_text(), "a folder"));
    fixture_text(fixture_path("empty"), "");
    assert_int_equal(safetensors_open(&s, fixture_path("empty")), ERR_FAIL);
    assert_non_null(strstr(err_text(), "empty"));
    assert_null(s);
}

/* A file that the system cannot map is told as that, not as an empty one. */
static void test_no_memory(void **state) {
    (void)state;
    const char *path = fixture_path("large.safetensors");
    fixture_text(path, "any bytes");
    struct rlimit old, none;
    assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
    none = (struct rlimit){1, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
    Safetensors *s = NULL;
    int code = safetensors_open(&s, path);
    assert_int_equal(setrlimit(RLIMIT_AS, &old), 0);
    assert_int_equal(code, ERR_FAIL);
    assert_non_null(strstr(err_text(), path));
    assert_non_null(strstr(err_text(), strerror(ENOMEM)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tensors),
        cmocka_unit_test(test_rank_0_and_empty),
        cmocka_unit_test(test_half),
        cmocka_unit_test(test_bfloat_and_double),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_unaligned),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_writer_out_of_memory),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
