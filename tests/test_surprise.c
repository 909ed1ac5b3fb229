/* The surprise of several opinions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "near.h"
#include "random.h"
#include "score/surprise.h"

static void test_one(void **state) {
    (void)state;
    Opinions o = {{NAN, 4.6, NAN}};
    Opinion by;
    assert_near(surprise_of(&o, &by), 4.6, 1e-12);
    assert_int_equal(by, OPINION_ERROR);
    Opinions none = {{NAN, NAN, NAN}};
    assert_true(isnan(surprise_of(&none, NULL)));
}

/* Where each opinion is right about how rare a frame is, so is the greatest of all. */
static void test_honest(void **state) {
    (void)state;
    enum { FRAMES = 200000 };
    Rng r = rng_stream(3, RNG_TEST, 0, 0);
    int beyond[3] = {0};
    static const double level[] = {0.1, 0.5, 0.01};
    for (int i = 0; i < FRAMES; i++) {
        Opinions o;
        for (int k = 0; k < OPINIONS; k++)
            o.opinion[k] = -log(1 - rng_uniform(&r, (uint64_t)(OPINIONS * i + k)));
        for (int k = 0; k < 3; k++)
            beyond[k] += surprise_of(&o, NULL) > -log(level[k]);
    }
    for (int k = 0; k < 3; k++) /* five standard deviations */
        assert_near((double)beyond[k] / FRAMES, level[k], 5 * sqrt(level[k] / FRAMES));
}

/* It keeps the order of the greatest opinion, from nothing to what no frame reaches. */
static void test_order(void **state) {
    (void)state;
    double last = -1;
    for (double most = 0; most < 2000; most = most * 1.01 + 1e-6) {
        Opinions o = {{0, most, 0}};
        double now = surprise_of(&o, NULL);
        assert_true(now > last && now <= most);
        last = now;
    }
    Opinions zero = {{0, 0, 0}};
    assert_true(surprise_of(&zero, NULL) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_honest),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
