/* A step reads losses and norms after sync, not before: a backend may be asynchronous. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "preset.h"
#include "random.h"
#include "train/trainer.h"
#include "train_step.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

static const VitConfig config = {.image = SIZE,
                                 .patch = 8,
                                 .frames = 1,
                                 .width = 24,
                                 .depth = 2,
                                 .heads = 3,
                                 .layer_scale = 0.1};

/* A backend that delivers losses and norms as late as the seam allows: at sync. */
static struct {
    Backend inner; /* the table as it was */
    int count;
    struct {
        double *to;
        double value;
    } result[64];
} late;

/* Takes what an operation wrote to host memory away until sync. */
static void keep_back(double *results, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        assert_true(late.count < 64);
        late.result[late.count].to = results + i;
        late.result[late.count++].value = results[i];
        results[i] = NAN;
    }
}

static void late_image_loss(Backend *be, double *loss, float *dpred, const float *pred,
                            const float *target, ImageLoss shape) {
    late.inner.image_loss(be, loss, dpred, pred, target, shape);
    keep_back(loss, 2 * shape.images);
}

static void late_consistency_loss(Backend *be, double *loss, Tensor dfeatures, Tensor features,
                                  ConsistencyLoss shape) {
    late.inner.consistency_loss(be, loss, dfeatures, features, shape);
    keep_back(loss, shape.pairs);
}

static void late_masked_loss(Backend *be, const MaskedLoss *a) {
    late.inner.masked_loss(be, a);
    keep_back(a->loss, a->images);
}

static void late_memory_loss(Backend *be, double loss[2], Tensor w, Tensor in, const float *items,
                             const Memory *m) {
    late.inner.memory_loss(be, loss, w, in, items, m);
    keep_back(loss, 2);
}

static void late_sum_squares(Backend *be, double *sum, const float *g, int64_t n) {
    late.inner.sum_squares(be, sum, g, n);
    keep_back(sum, 1);
}

static int late_sync(Backend *be) {
    for (int i = 0; i < late.count; i++)
        *late.result[i].to = late.result[i].value;
    late.count = 0;
    return late.inner.sync(be);
}

static Backend *open_late(void) {
    Backend *be = open_with("cpu", 2, "f32");
    late.inner = *be;
    be->image_loss = late_image_loss;
    be->consistency_loss = late_consistency_loss;
    be->masked_loss = late_masked_loss;
    be->memory_loss = late_memory_loss;
    be->sum_squares = late_sum_squares;
    be->sync = late_sync;
    return be;
}

static void test_losses_are_read_after_sync(void **state) {
    (void)state;
    static const struct {
        const char *options;
        MemoryKind memory;
    } rows[] = {
        {"", MEMORY_NONE},
        {"pseudo=skip passes=either pseudo-p=1 pseudo-loss=negative lambda-cst=0", MEMORY_NONE},
        {"objective=simmim mask-ratio=0.5 lambda-cst=0", MEMORY_NONE},
        {"", MEMORY_MEMAE},
        {"", MEMORY_MNAD}};
    Backend *be = open_with("cpu", 2, "f32"), *slow = open_late();
    for (int k = 0; k < N(rows); k++) {
        char all[256];
        VitConfig c = config;
        c.memory = rows[k].memory;
        snprintf(all, sizeof all, "%s %s", options, rows[k].options);
        const TrainSettings settings = preset(all);
        Trainer *a = open_sized(be, &c, &settings), *b = open_sized(slow, &c, &settings);
        for (int i = 0; i < 3; i++) {
            StepReport ra = step(a), rb = step(b);
            assert_memory_equal(&ra, &rb, sizeof ra);
        }
        assert_memory_equal(vit_weights(a->vit), vit_weights(b->vit), slab_bytes(a));
        trainer_free(&a);
        trainer_free(&b);
    }
    backend_free(&be);
    backend_free(&slow);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_losses_are_read_after_sync)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
