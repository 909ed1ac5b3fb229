/* The learning rate against its definition (method A.9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "preset.h"
#include "train/schedule.h"

static void test_paper_schedule(void **state) {
    (void)state;
    const TrainSettings t = preset(preset_options("ped2"));
    const int64_t n = 633; /* 2550 frames in 16 clips make 2534 pairs */
    assert_true(schedule_lr(&t, n, 0) == 5e-7);
    assert_true(schedule_step_lr(&t, n, 0) == 5e-7); /* the scheduler moves after a step */
    assert_true(schedule_step_lr(&t, n, 1) == 5e-7);
    assert_true(schedule_step_lr(&t, n, 2) == schedule_lr(&t, n, 1));
    assert_float_equal(schedule_lr(&t, n, 1), 5e-7 + 9.95e-5 / 6330, 1e-15);
    assert_float_equal(schedule_lr(&t, n, 6329), 1e-4, 2e-8);
    assert_float_equal(schedule_lr(&t, n, 6330), 9.3636e-5, 1e-9); /* the jump */
    assert_float_equal(schedule_lr(&t, n, 60 * n), 5e-6, 1e-12);
    for (int64_t i = 6331; i < 60 * n; i++)
        assert_true(schedule_lr(&t, n, i) < schedule_lr(&t, n, i - 1));
}

static void test_avenue_schedule(void **state) {
    (void)state;
    const TrainSettings t = preset(preset_options("avenue"));
    assert_float_equal(schedule_lr(&t, 1000, 10000), 8.6088e-5, 1e-9);
    assert_int_equal(t.epochs, 40);
    assert_true(t.mask_ratio == 0.25);
}

/* Ten epochs, all of them warm-up. */
static void test_shanghaitech_schedule(void **state) {
    (void)state;
    const TrainSettings t = preset(preset_options("shanghaitech"));
    const int64_t n = 1000, last = t.epochs * n - 1;
    for (int64_t i = 1; i <= last; i++) {
        assert_true(schedule_step_lr(&t, n, i) >= schedule_step_lr(&t, n, i - 1));
        assert_true(schedule_step_lr(&t, n, i) < 1e-4);
    }
    assert_float_equal(schedule_step_lr(&t, n, last), 1e-4, 3e-8);
}

static void test_constant_schedule(void **state) {
    (void)state;
    const TrainSettings paper = preset(""), code = preset("schedule=constant");
    for (int64_t i = 0; i < 1000; i++)
        assert_true(schedule_lr(&code, 100, i) == schedule_lr(&paper, 100, i));
    for (int64_t i = 1000; i < 6000; i++)
        assert_true(schedule_lr(&code, 100, i) == 1e-4);
    const TrainSettings cold = preset("schedule=constant warmup-epochs=0");
    assert_true(schedule_step_lr(&cold, 100, 0) == 1e-4);
    assert_null(preset_options("cuhk"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paper_schedule),
        cmocka_unit_test(test_avenue_schedule),
        cmocka_unit_test(test_shanghaitech_schedule),
        cmocka_unit_test(test_constant_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
