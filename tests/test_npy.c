/* The .npy reader: every type and version as NumPy writes them, and refusal of what lies. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/npy.h"
#include "fixture.h"

/* A file of version `version` with this dictionary and these bytes behind it. */
static int parse(Npy *a, int version, const char *dict, const void *data, size_t bytes) {
    char file[1024] = "\x93NUMPY";
    size_t n = strlen(dict), at = version == 1 ? 10 : 12;
    file[6] = (char)version;
    file[8] = (char)n;
    file[9] = (char)(n >> 8);
    memcpy(file + at, dict, n);
    memcpy(file + at + n, data, bytes);
    return npy_parse(a, "test.npy", file, (int64_t)(at + n + bytes));
}

static void refuse(const char *dict, size_t bytes, const char *word) {
    static const char zeros[256];
    Npy a;
    memset(&a, 0x55, sizeof a);
    Npy before = a;
    assert_int_equal(parse(&a, 1, dict, zeros, bytes), ERR_FAIL);
    assert_memory_equal(&a, &before, sizeof a);
    if (!strstr(err_text(), word) || !strstr(err_text(), "test.npy"))
        fail_msg("'%s' lacks '%s'", err_text(), word);
}

static void test_types(void **state) {
    (void)state;
    static const struct {
        const char *descr;
        size_t size;
        unsigned char bytes[8];
        int64_t value;
    } rows[] = {
        {"|b1", 1, {1}, 1},
        {"|u1", 1, {200}, 200},
        {"|i1", 1, {0xfe}, -2},
        {"<i2", 2, {0xfe, 0xff}, -2},
        {"<u2", 2, {0xfe, 0xff}, 65534},
        {"<i4", 4, {0xfe, 0xff, 0xff, 0xff}, -2},
        {"<u4", 4, {0xfe, 0xff, 0xff, 0xff}, 4294967294},
        {"<i8", 8, {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, -2},
        {"<u8", 8, {0xfe, 0xff}, 65534},
        {"<f2", 2, {0, 0xc1}, -2},
        {"<f4", 4, {0, 0, 0x20, 0xc0}, -2},
        {"<f8", 8, {0, 0, 0, 0, 0, 0, 4, 0xc0}, -2},
        {"=i2", 2, {0xfe, 0xff}, -2},
        {">i1", 1, {0xfe}, -2},
        {">i2", 2, {0xff, 0xfe}, -2},
        {">u2", 2, {0xff, 0xfe}, 65534},
        {">i4", 4, {0xff, 0xff, 0xff, 0xfe}, -2},
        {">u4", 4, {0xff, 0xff, 0xff, 0xfe}, 4294967294},
        {">i8", 8, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}, -2},
        {">u8", 8, {0, 0, 0, 0, 0, 0, 0xff, 0xfe}, 65534},
        {">f2", 2, {0xc1, 0}, -2},
        {">f4", 4, {0xc0, 0x20, 0, 0}, -2},
        {">f8", 8, {0xc0, 4, 0, 0, 0, 0, 0, 0}, -2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char dict[128];
        snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': (1,), }\n",
                 rows[i].descr);
        for (int version = 1; version <= 3; version++) {
            Npy a;
            assert_int_equal(parse(&a, version, dict, rows[i].bytes, rows[i].size), 0);
            assert_int_equal(a.rank, 1);
            assert_int_equal(a.item_size, (int)rows[i].size);
            assert_int_equal(npy_int(&a, 0), rows[i].value);
            if (rows[i].descr[1] != 'f')
                assert_true(npy_real(&a, 0) == (double)rows[i].value);
            npy_free(&a);
        }
    }
    Npy a;
    assert_int_equal(
        parse(&a, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': ()}", (float[]){-2.5f}, 4),
        0);
    assert_int_equal(a.rank, 0);
    assert_true(npy_real(&a, 0) == -2.5);
    npy_free(&a);
}

/* Values of binary16 as IEEE 754 has them, in both byte orders. */
static void test_float16(void **state) {
    (void)state;
    static const struct {
        unsigned bits;
        double value;
    } rows[] = {
        {0x0000, 0},
        {0x8000, -0.0},
        {0x0001, 0x1p-24},
        {0x03ff, 1023 * 0x1p-24},
        {0x83ff, -0x1.ff8p-15},
        {0x0400, 0x1p-14},
        {0x3555, 0x1.554p-2},
        {0x3c00, 1},
        {0x3c01, 1.0009765625},
        {0xc000, -2},
        {0x7bff, 65504},
        {0x7c00, INFINITY},
        {0xfc00, -INFINITY},
    };
    enum { COUNT = sizeof rows / sizeof *rows };
    for (int big = 0; big <= 1; big++) {
        unsigned char bytes[2 * COUNT + 4];
        for (int i = 0; i < COUNT; i++) {
            bytes[2 * i + !big] = (unsigned char)(rows[i].bits >> 8);
            bytes[2 * i + big] = (unsigned char)rows[i].bits;
        }
        memcpy(bytes + 2 * COUNT, big ? "\x7e\0\xfc\1" : "\0\x7e\1\xfc", 4); /* two NaNs */
        char dict[128];
        snprintf(dict, sizeof dict, "{'descr': '%cf2', 'fortran_order': False, 'shape': (%d,)}",
                 big ? '>' : '<', COUNT + 2);
        Npy a;
        assert_int_equal(parse(&a, 1, dict, bytes, sizeof bytes), 0);
        for (int i = 0; i < COUNT; i++) {
            double value = npy_real(&a, i);
            assert_true(value == rows[i].value && signbit(value) == signbit(rows[i].value));
        }
        assert_true(isnan(npy_real(&a, COUNT)) && isnan(npy_real(&a, COUNT + 1)));
        npy_free(&a);
    }
}

static void test_order(void **state) {
    (void)state;
    const unsigned char columns[6] = {0, 3, 1, 4, 2, 5}; /* [[0 1 2] [3 4 5]] by columns */
    Npy a;
    assert_int_equal(
        parse(&a, 1, "{'shape': (2, 3), 'fortran_order': True, 'descr': '|u1'}", columns, 6), 0);
    assert_int_equal(a.shape[0], 2);
    assert_int_equal(a.shape[1], 3);
    for (int i = 0; i < 6; i++)
        assert_int_equal(npy_int(&a, i), i);
    npy_free(&a);
    const unsigned char words[12] = {0, 0, 0, 3, 0, 1, 0, 4, 0, 2, 0, 5}; /* the same, turned */
    assert_int_equal(
        parse(&a, 1, "{'shape': (2, 3), 'fortran_order': True, 'descr': '>i2'}", words, 12), 0);
    for (int i = 0; i < 6; i++)
        assert_int_equal(npy_int(&a, i), i);
    npy_free(&a);
}

static void test_refused(void **state) {
    (void)state;
    refuse("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 8, "'|O'");
    refuse("{'descr': '<c16', 'fortran_order': False, 'shape': (1,)}", 16, "'<c16'");
    refuse("{'descr': '<U4', 'fortran_order': False, 'shape': (1,)}", 16, "'<U4'");
    refuse("{'descr': '<f16', 'fortran_order': False, 'shape': (1,)}", 16, "'<f16'");
    refuse("{'descr': '<f1', 'fortran_order': False, 'shape': (1,)}", 1, "'<f1'");
    refuse("{'descr': '<i3', 'fortran_order': False, 'shape': (1,)}", 3, "'<i3'");
    refuse("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,)}", 4, "structured");
    refuse("{'descr': '<i8', 'fortran_order': False, 'shape': (2,)}", 8, "announces 2");
    refuse("{'descr': '<i8', 'fortran_order': False, 'shape': (2,)}", 17, "17 bytes");
    refuse("{'descr': '<i8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 8,
           "overflows");
    refuse("{'descr': '<i8', 'fortran_order': False, 'shape': (9223372036854775807,)}", 8,
           "announces");
    refuse("{'descr': '<i8', 'fortran_order': False, 'shape': (99999999999999999999,)}", 8,
           "header");
    refuse("{'descr': '<i8', 'fortran_order': False, 'shape': (-1,)}", 8, "header");
    refuse("{'descr': '<i8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 8, "header");
    refuse("{'descr': '<i8', 'fortran_order': Maybe, 'shape': (1,)}", 8, "header");
    refuse("{'descr': '<i8', 'fortran_order': False}", 8, "header");
    refuse("{'descr': '<i8", 0, "header");
    refuse("", 0, "header");
    Npy a;
    assert_int_equal(npy_parse(&a, "test.npy", "\x93NUM", 4), ERR_FAIL);
    assert_int_equal(npy_parse(&a, "test.npy", "\x93NUMPY\1\0\xff\xff{", 11), ERR_FAIL);
    assert_non_null(strstr(err_text(), "ends inside"));
    assert_int_equal(npy_parse(&a, "test.npy", "\x93NUMPY\4\0\0\0", 10), ERR_FAIL);
    assert_non_null(strstr(err_text(), "version 4"));
    assert_int_equal(npy_read(&a, "/nowhere/a.npy"), ERR_FAIL);
    assert_non_null(strstr(err_text(), "/nowhere/a.npy"));
}

static void test_round_trip(void **state) {
    (void)state;
    fixture_begin();
    const double x[6] = {0, -1.5, 1e300, 3, 4, 5};
    const uint8_t u[4] = {0, 1, 255, 7};
    const char *path = fixture_path("a.npy");
    Npy a;
    assert_int_equal(npy_write_f64(path, x, 2, (int64_t[]){2, 3}), 0);
    assert_int_equal(fixture_size(path) % 64, 6 * 8 % 64); /* data are aligned as NumPy's */
    assert_int_equal(npy_read(&a, path), 0);
    assert_int_equal(a.rank, 2);
    assert_int_equal(a.shape[1], 3);
    assert_memory_equal(a.data, x, sizeof x);
    npy_free(&a);
    assert_int_equal(npy_write_u8(path, u, 1, (int64_t[]){4}), 0);
    assert_int_equal(npy_read(&a, path), 0);
    assert_int_equal(a.rank, 1);
    assert_int_equal(a.kind, 'u');
    assert_memory_equal(a.data, u, sizeof u);
    npy_free(&a);
    assert_int_equal(npy_write_u8(path, u, 1, (int64_t[]){0}), 0);
    assert_int_equal(npy_read(&a, path), 0);
    assert_int_equal(a.count, 0);
    npy_free(&a);
    mem_fail_after(2); /* the file's bytes fit, the array's do not */
    assert_int_equal(npy_read(&a, path), ERR_FAIL);
    mem_fail_after(0);
    fixture_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),      cmocka_unit_test(test_float16),
        cmocka_unit_test(test_order),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
