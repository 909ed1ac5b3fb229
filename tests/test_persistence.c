/* The baseline, through the same scorer and evaluation as a model: exact on made-up frames, and on
 * the real Ped2 the figures that an independent implementation measured on these frames. */
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
#include "base/mem.h"
#include "eval/evaluate.h"

enum { SIZE = 16, BYTES = SIZE * SIZE * 3 };

static void test_psnr(void **state) {
    (void)state;
    Scorer *s = NULL;
    uint8_t x[2 * BYTES], y[BYTES];
    double psnr;
    assert_int_equal(scorer_open_persistence(&s, SIZE, 2), 0);
    memset(x, 0, BYTES); /* the older frame plays no part */
    memset(x + BYTES, 100, BYTES);
    memset(y, 100, BYTES);
    assert_int_equal(scorer_run(s, x, y, &psnr), 0);
    assert_true(isinf(psnr) && psnr > 0);
    memset(y, 151, BYTES); /* 51 of 255 is 0.2: MSE 0.04 */
    assert_int_equal(scorer_run(s, x, y, &psnr), 0);
    assert_float_equal(psnr, -10 * log10(0.04), 1e-5); /* pixels are floats */
    float map[4];
    scorer_error_map(s, map, SIZE / 2);
    for (int i = 0; i < 4; i++)
        assert_float_equal(map[i], 0.04, 1e-6);
    scorer_free(&s);
}

static void test_ped2(void **state) {
    (void)state;
    char path[4096];
    const char *root = getenv("NORMALCY_DATA");
    snprintf(path, sizeof path, "%s/ped2", root ? root : SOURCE_DIR "/../shared/data");
    if (!file_is_folder(path)) {
        print_message("no Ped2 at %s: set NORMALCY_DATA to a folder that holds ped2/\n", path);
        skip();
    }
    Dataset *data = NULL;
    Labels *labels = NULL;
    Scorer *s = NULL;
    const char *name = "persistence";
    Evaluation e = {0};
    static const Protocol *const paper[] = {&protocols[0], &protocols[1]};
    const ResultPlan plan = {paper, 2, {[SCORE_FRAME] = true}, 0, 25, 10};
    ResultRow *rows = NULL;
    int count = 0;
    assert_int_equal(dataset_open(&data, path), 0);
    assert_int_equal(labels_open(&labels, data, NULL), 0);
    assert_int_equal(scorer_open_persistence(&s, 224, 1), 0);
    const Labels *const truth[] = {labels};
    if (evaluation_run(&e, data, truth, 1, &s, &name, 1, EVALUATE_NETWORK | EVALUATE_OPINIONS, 5,
                       NULL, NULL) ||
        evaluation_rows(&e, &plan, &rows, &count))
        fail_msg("%s", err_text());
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].frames, 1998);
    assert_int_equal(rows[0].abnormal, 1641);
    /* Another decoder's last bit moves the area by some hundredths. */
    assert_float_equal(rows[0].auroc_micro, 90.59, 0.15);
    assert_float_equal(rows[1].auroc_micro, 79.66, 0.15);
    assert_true(rows[0].low < rows[0].auroc_micro && rows[0].auroc_micro < rows[0].high);
    mem_free(rows);
    evaluation_free(&e);
    scorer_free(&s);
    labels_free(&labels);
    dataset_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_psnr), cmocka_unit_test(test_ped2)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
