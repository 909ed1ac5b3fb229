/* AdamW and the clip of the global norm against the formulas in double precision. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "networks.h"
#include "preset.h"
#include "random.h"
#include "train/trainer.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

static Backend *open_backend(const char *name) {
    Backend *be = NULL;
    if (backend_open(&be, name, 2, "f32"))
        fail_msg("%s", err_text());
    return be;
}

static Trainer *open_trainer(Backend *be, const TrainSettings *settings) {
    Trainer *t = NULL;
    if (trainer_open(&t, be, &tiny, settings, 3))
        fail_msg("%s", err_text());
    return t;
}

typedef struct {
    double p, m, v;
} Scalar;

static void scalar_step(Scalar *s, double g, double decay, double lr, int64_t n, double beta2) {
    s->m = 0.9 * s->m + 0.1 * g;
    s->v = beta2 * s->v + (1 - beta2) * g * g;
    double m = s->m / (1 - pow(0.9, (double)n + 1)), v = s->v / (1 - pow(beta2, (double)n + 1));
    s->p -= lr * decay * s->p;
    s->p -= lr * m / (sqrt(v) + 1e-8);
}

/* Gradients from 1e-10, where eps decides, to 10. */
static float gradient(int64_t i, int64_t n) {
    Rng r = rng_stream(6, RNG_TEST, 6, (uint32_t)n);
    return (float)(rng_normal(&r, (uint64_t)i) * pow(10, (double)(i % 12) - 10));
}

static double gradient_norm(const Trainer *t) {
    Backend *be = vit_backend(t->vit);
    double squares;
    optimizer_sum_squares(&t->optimizer, &squares);
    assert_int_equal(be->sync(be), 0);
    return sqrt(squares);
}

static void check_adamw(const char *backend, const char *options, double beta2) {
    Backend *be = open_backend(backend);
    const TrainSettings settings = preset(options);
    Trainer *t = open_trainer(be, &settings);
    int64_t n = vit_slab_count(t->vit);
    Scalar *want = mem_alloc((size_t)n, sizeof *want);
    float *w = vit_weights(t->vit), *g = vit_gradients(t->vit);
    const double lr = 1e-2;
    int count;
    const VitParam *p = vit_params(t->vit, &count);
    for (int64_t i = 0; i < n; i++)
        want[i].p = w[i];
    for (int64_t s = 0; s < 5; s++) {
        for (int64_t i = 0; i < n; i++)
            g[i] = gradient(i, s);
        optimizer_step(&t->optimizer, &settings, s, lr, gradient_norm(t));
        for (int k = 0; k < count; k++)
            for (int64_t i = p[k].offset; p[k].name[0] && i < p[k].offset + p[k].count; i++) {
                scalar_step(&want[i], gradient(i, s), p[k].decay ? 0.05 : 0, lr, s, beta2);
                /* float: the weight's last place, and the step to 1e-5 */
                if (!(fabs(w[i] - want[i].p) < 2e-7 * fabs(want[i].p) + 1e-5 * lr))
                    fail_msg("%s[%lld], step %d: %.9g, expected %.9g", p[k].name,
                             (long long)(i - p[k].offset), (int)s, w[i], want[i].p);
            }
    }
    mem_free(want);
    trainer_free(&t);
    backend_free(&be);
}

static void test_adamw(void **state) {
    check_adamw(*state, "batch=2 mask-cell=8 clip=0 weight-decay=0.05", 0.999);
    check_adamw(*state, "batch=2 mask-cell=8 clip=0 weight-decay=0.05 beta2=0.95", 0.95);
}

/* After one step the first moment is 0.1 x the gradient that was used. */
static void test_clip(void **state) {
    Backend *be = open_backend(*state);
    const struct {
        const char *clip;
        double norm, scale;
    } rows[] = {{"clip=5", 20, 5 / (20 + 1e-6)},
                {"clip=5", 5, 5 / (5 + 1e-6)},
                {"clip=5", 4.9, 1},
                {"clip=0", 1e6, 1},
                {"clip=0.5", 0, 1},
                {"clip=1e-3", 1e-3, 1e-3 / (1e-3 + 1e-6)}};
    for (int k = 0; k < N(rows); k++) {
        TrainSettings settings = preset("batch=2 mask-cell=8");
        OptGroup groups[] = {{"", train_options, &settings}, {NULL, NULL, NULL}};
        assert_int_equal(opt_set_list(groups, "", rows[k].clip), 0);
        Trainer *t = open_trainer(be, &settings);
        int count;
        int64_t n = vit_slab_count(t->vit);
        float *g = vit_gradients(t->vit);
        vit_zero_gradients(t->vit);
        const VitParam *p = vit_params(t->vit, &count);
        /* two values of a norm that is not a square */
        float *one = g + p[0].offset, *two = g + p[count - 1].offset;
        *one = (float)(rows[k].norm * 0.6);
        *two = (float)(rows[k].norm * -0.8);
        double norm = gradient_norm(t);
        assert_float_equal(norm, rows[k].norm, 1e-6 * rows[k].norm);
        optimizer_step(&t->optimizer, &settings, 0, 1e-3, rows[k].norm);
        double want = 0.1 * rows[k].norm * 0.6 * rows[k].scale;
        assert_float_equal(t->optimizer.m[p[0].offset], want, 1e-6 * want);
        assert_float_equal(t->optimizer.m[p[count - 1].offset], want / -0.6 * 0.8,
                           1e-6 * want / 0.6);
        assert_true(n > 2);
        trainer_free(&t);
    }
    backend_free(&be);
}

int main(void) {
    static char ref[] = "ref", cpu[] = "cpu";
    const struct CMUnitTest tests[] = {
#define ON(backend, test) {#test " (" #backend ")", test, NULL, NULL, backend}
        ON(ref, test_adamw),
        ON(cpu, test_adamw),
        ON(ref, test_clip),
        ON(cpu, test_clip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
