/* What a reproduction reads of its runs: by which ground truth, and from a measurement of time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "fixture.h"
#include "reproduce/state.h"

static const char mlep[] = "bb153d5a958451d6", other[] = "0123456789abcdef",
                  third[] = "fedcba9876543210";

static void test_choice_of_truth(void **state) {
    (void)state;
    Reproduction avenue = {.set = "avenue", .set_index = 1}, ped2 = {.set = "ped2"};
    assert_int_equal(reproduce_truth(&avenue), TRUTH_UNKNOWN);
    reproduce_offer_truth(&avenue, "first.npy", other);
    assert_string_equal(avenue.labels, "first.npy");
    assert_int_equal(reproduce_truth(&avenue), TRUTH_OTHER);
    reproduce_offer_truth(&avenue, "second.mat", third);
    assert_string_equal(avenue.labels, "first.npy");
    reproduce_offer_truth(&avenue, "as_mlep.json", third);
    assert_string_equal(avenue.labels, "as_mlep.json");
    assert_string_equal(avenue.labels_hash, third);
    reproduce_offer_truth(&avenue, "another.json", other);
    assert_string_equal(avenue.labels, "as_mlep.json");
    reproduce_offer_truth(&avenue, "mlep.npy", mlep); /* by its content, whatever its name */
    assert_string_equal(avenue.labels, "mlep.npy");
    assert_int_equal(reproduce_truth(&avenue), TRUTH_PAPER);
    reproduce_offer_truth(&avenue, "late.json", other);
    assert_string_equal(avenue.labels, "mlep.npy");
    reproduce_offer_truth(&ped2, "first.npy", other);
    reproduce_offer_truth(&ped2, "b.json", third);
    assert_string_equal(ped2.labels, "first.npy");
}

/* Two rows of a results.json, by both protocols. */
static int add_rows(char *text, size_t n, const char *hash, double global, double per_clip) {
    static const char row[] =
        "%s{\"model\": \"m\", \"protocol\": \"%s\", \"score\": \"frame\", \"labels\": \"l\", "
        "\"labels_hash\": \"%s\", \"frames\": 9, \"auroc_micro\": %g, \"psnr\": 30}";
    int used = snprintf(text, n, row, *hash == '0' ? "" : ",", "global", hash, global);
    return used + snprintf(text + used, n - (size_t)used, row, ",", "per-clip", hash, per_clip);
}

static void test_run_by_its_truth(void **state) {
    (void)state;
    char text[2048];
    int used = snprintf(text, sizeof text,
                        "{\"model\": {\"frames\": 1, \"steps_per_epoch\": 4}, "
                        "\"labels\": {\"hash\": \"%s\"}, \"rows\": [",
                        other);
    used += add_rows(text + used, sizeof text - (size_t)used, other, 71, 72);
    used += add_rows(text + used, sizeof text - (size_t)used, mlep, 73, 74);
    snprintf(text + used, sizeof text - (size_t)used, "]}");
    fixture_text(fixture_path("run/eval/results.json"), text);
    const char *folder = fixture_path("run");
    Reproduction r = {.set = "avenue", .set_index = 1, .labels = "b"};
    ReproduceRun run;
    memcpy(r.labels_hash, mlep, sizeof mlep);
    assert_int_equal(reproduce_read_run(&run, &r, folder), 0);
    assert_false(run.done); /* an evaluation that was cut off before its other files */
    fixture_text(fixture_path("run/eval/scores.csv"), "");
    fixture_text(fixture_path("run/eval/report.html"), "");
    assert_int_equal(reproduce_read_run(&run, &r, folder), 0);
    assert_true(run.done);
    assert_float_equal(run.figures.auroc, 73, 0);
    assert_float_equal(run.figures.per_clip, 74, 0);
    assert_string_equal(run.label, "label_bb153d5a958451d6");
    memcpy(r.labels_hash, other, sizeof other);
    assert_int_equal(reproduce_read_run(&run, &r, folder), 0);
    assert_float_equal(run.figures.auroc, 71, 0);
    assert_string_equal(run.label, "label");
    memcpy(r.labels_hash, third, sizeof third);
    assert_int_equal(reproduce_read_run(&run, &r, folder), 0);
    assert_false(run.done); /* evaluated, but not by this one */
    assert_true(run.trained);
    assert_string_equal(r.labels_hash, third);
}

static void test_time_of_too_few_steps(void **state) {
    (void)state;
    char text[1024] = "";
    for (int i = 0; i < 5; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "{\"step\": %d, \"seconds\": %d, \"stall\": 1}\n", i, i < 3 ? 100 : 4);
    const char *path = fixture_path("log.jsonl");
    fixture_text(path, text);
    ReproduceTime time;
    assert_int_equal(reproduce_read_time(&time, path, 5), 0);
    assert_float_equal(time.step_seconds, 4, 0);
    assert_float_equal(time.compute_seconds, 3, 0);
    assert_int_equal(reproduce_read_time(&time, path, 6), ERR_FAIL);
    assert_non_null(strstr(err_text(), "5 steps, expected at least 6"));
    *strstr(text, "{\"step\": 3") = 0;
    fixture_text(path, text);
    assert_int_equal(reproduce_read_time(&time, path, 0), ERR_FAIL);
}

static void test_words_that_say_what_computes(void **state) {
    (void)state;
    char buf[64];
    Reproduction r = {.settings =
                          " threads=2 lr=1e-3\n  precision=f32 threads-of-none=1 backend=ref"};
    assert_string_equal(reproduce_compute(buf, sizeof buf, &r),
                        "threads=2 precision=f32 backend=ref");
    r.settings = "";
    assert_string_equal(reproduce_compute(buf, sizeof buf, &r), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice_of_truth),
        cmocka_unit_test(test_run_by_its_truth),
        cmocka_unit_test(test_time_of_too_few_steps),
        cmocka_unit_test(test_words_that_say_what_computes),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
