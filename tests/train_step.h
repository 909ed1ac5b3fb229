/* Training steps of a small network, on pairs made of noise. */
#ifndef TESTS_TRAIN_STEP_H
#define TESTS_TRAIN_STEP_H

#include "base/err.h"
#include "random.h"
#include "train/trainer.h"

enum { BATCH = 2, SIZE = 32, BYTES = SIZE * SIZE * 3, STEPS_PER_EPOCH = 3 };

static const char options[] = "batch=2 mask-cell=8 epochs=4 warmup-epochs=1 lr=1e-3";

/* For networks of one input frame; with two, y does not follow from x. */
static inline PairBatch batch_of(int64_t step) {
    static uint8_t x[2 * BATCH * BYTES], y[BATCH * BYTES];
    static int64_t index[BATCH];
    static const bool has_second[BATCH] = {true, true};
    Rng r = rng_stream(4, RNG_TEST, 5, (uint32_t)step);
    for (int i = 0; i < BATCH * BYTES; i++) {
        x[i] = (uint8_t)(256 * rng_uniform(&r, (uint64_t)i));
        y[i] = (uint8_t)(x[i] / 2 + 20);
    }
    for (int i = BATCH * BYTES; i < 2 * BATCH * BYTES; i++)
        x[i] = (uint8_t)(256 * rng_uniform(&r, (uint64_t)i));
    for (int i = 0; i < BATCH; i++)
        index[i] = (step * BATCH + i) % (BATCH * STEPS_PER_EPOCH);
    return (PairBatch){.x = x, .y = y, .second = y, .has_second = has_second, .index = index};
}

static inline Backend *open_with(const char *name, int threads, const char *precision) {
    Backend *be = NULL;
    if (backend_open(&be, name, threads, precision))
        fail_msg("%s", err_text());
    return be;
}

static inline Trainer *open_sized(Backend *be, const VitConfig *c, const TrainSettings *settings) {
    Trainer *t = NULL;
    if (trainer_open(&t, be, c, settings, STEPS_PER_EPOCH))
        fail_msg("%s", err_text());
    return t;
}

static inline StepReport step(Trainer *t) {
    StepReport r;
    PairBatch batch = batch_of(t->step);
    if (trainer_step(t, &batch, &r))
        fail_msg("%s", err_text());
    return r;
}

static inline size_t slab_bytes(const Trainer *t) {
    return (size_t)vit_slab_count(t->vit) * sizeof(float);
}

#endif
