/* Positions for another number of patches, against PyTorch's and SciPy's (tests/reference). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "model/positions.h"
#include "model/safetensors.h"

enum { HEADS = 2, WIDTH = 3, MOST = 1024 };

static const int64_t sizes[][2] = {{3, 5}, {4, 7}, {5, 3}, {7, 4}};

static void read_floats(float *out, int64_t count, const Safetensors *f, const char *name) {
    const SafeTensor *t = safetensors_find(f, name);
    assert_non_null(t);
    assert_int_equal(t->count, count);
    assert_true(count <= MOST);
    assert_int_equal(safetensors_to_f32(t, out), 0);
}

/* Both sides compute in double and round once. */
static void expect_close(const float *got, const float *want, int64_t count, const char *name) {
    for (int64_t i = 0; i < count; i++)
        if (!(fabsf(got[i] - want[i]) <= 1e-6F))
            fail_msg("%s: [%lld] is %g, expected %g", name, (long long)i, (double)got[i],
                     (double)want[i]);
}

static void test_reference(void **state) {
    (void)state;
    Safetensors *f = NULL;
    char name[32];
    float in[MOST], got[MOST], want[MOST];
    assert_int_equal(safetensors_open(&f, SOURCE_DIR "/tests/reference/positions.safetensors"), 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int64_t from = sizes[i][0], to = sizes[i][1];
        snprintf(name, sizeof name, "table/%d", (int)from);
        read_floats(in, positions_table_rows(from) * HEADS, f, name);
        snprintf(name, sizeof name, "table/%d/%d", (int)from, (int)to);
        read_floats(want, positions_table_rows(to) * HEADS, f, name);
        assert_int_equal(positions_resize_table(got, in, from, to, HEADS), 0);
        expect_close(got, want, positions_table_rows(to) * HEADS, name);

        snprintf(name, sizeof name, "embed/%d", (int)from);
        read_floats(in, (1 + from * from) * WIDTH, f, name);
        snprintf(name, sizeof name, "embed/%d/%d", (int)from, (int)to);
        read_floats(want, (1 + to * to) * WIDTH, f, name);
        assert_int_equal(positions_resize_embed(got, in, from, to, WIDTH), 0);
        expect_close(got, want, (1 + to * to) * WIDTH, name);
    }
    safetensors_free(&f);
}

static void test_rows(void **state) {
    (void)state;
    assert_int_equal(positions_table_rows(14), 732);
    assert_int_equal(positions_table_rows(1), 4);
}

static void test_too_small(void **state) {
    (void)state;
    float in[12 * HEADS] = {0}, out[MOST];
    assert_int_equal(positions_resize_table(out, in, 2, 4, HEADS), ERR_FAIL);
    assert_non_null(strstr(err_text(), "2 x 2 patches is too small"));
}

/* One patch knows nothing of places: every new one starts as it. */
static void test_one_patch(void **state) {
    (void)state;
    const float in[2] = {5, 0.25F};
    float out[10];
    assert_int_equal(positions_resize_embed(out, in, 1, 3, 1), 0);
    assert_true(out[0] == 5);
    for (int i = 1; i < 10; i++)
        assert_true(fabsf(out[i] - 0.25F) < 1e-7F);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_one_patch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
