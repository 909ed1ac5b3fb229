/* The causal filter of the surprise. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "near.h"
#include "score/steady.h"

static void test_constant(void **state) {
    (void)state;
    Steady s = steady_start();
    assert_true(isnan(steady_add(&s, NAN, 0)));
    for (int i = 1; i < 20; i++)
        assert_near(steady_add(&s, 4.6, 0.04 * i), 4.6, 1e-12);
    assert_near(steady_add(&s, NAN, 0.9), 4.6, 1e-12); /* a frame without one changes nothing */
}

/* After a time constant a step has gone 1 - 1/e of its way, in ln(1 + surprise), at any rate. */
static void test_step(void **state) {
    (void)state;
    const double wanted = expm1((1 - exp(-1)) * log1p(10));
    for (int rate = 10; rate <= 50; rate += 20) {
        Steady s = steady_start();
        double last = steady_add(&s, 0, 0);
        assert_true(last == 0);
        for (int i = 1; i <= rate * 3 / 10; i++) {
            double now = steady_add(&s, 10, (double)i / rate);
            assert_true(now > last && now < 10);
            last = now;
        }
        assert_near(last, wanted, 1e-9);
    }
}

static void test_without_times(void **state) {
    (void)state;
    Steady a = steady_start(), b = steady_start();
    for (int i = 0; i < 9; i++)
        assert_near(steady_add(&a, i % 3, NAN), steady_add(&b, i % 3, 0.1 * i), 1e-12);
    double before = steady_add(&a, 1, 0.2); /* time runs back, as after a lost stream */
    assert_true(isfinite(before) && before >= 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_without_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
