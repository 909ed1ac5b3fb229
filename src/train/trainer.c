#include "train/trainer.h"

#include <math.h>

#include "base/err.h"
#include "base/mem.h"
#include "train/pseudo.h"
#include "train/schedule.h"
#include "video/planes.h"

/* Sizes of the staging buffers, in elements. */
typedef struct {
    size_t x, y, mask;
} Staging;

static Staging staging(const VitConfig *c, const TrainSettings *s) {
    size_t frame = (size_t)(VIT_COLOURS * c->image * c->image), batch = (size_t)s->batch;
    return (Staging){batch * (size_t)c->frames * frame, batch * frame,
                     2 * batch * (size_t)vit_patches(c)};
}

int64_t trainer_memory(const VitConfig *config, const TrainSettings *settings, DType type) {
    int tensors;
    int64_t values, decayed;
    Staging n = staging(config, settings);
    vit_census(config, &tensors, &values, &decayed);
    /* the network and two moments */
    return vit_memory(config, 2 * settings->batch, true, type) +
           2 * values * (int64_t)sizeof(float) +
           (int64_t)(2 * (n.x + n.y) * sizeof(float) + 2 * n.mask);
}

static int open_parts(Trainer *t, Backend *be, const VitConfig *config) {
    int code = vit_open(&t->vit, be, config, 2 * t->settings.batch, true);
    if (!code)
        code = optimizer_open(&t->optimizer, t->vit);
    if (!code)
        code = vit_init(t->vit, (uint64_t)t->settings.seed);
    if (code)
        return code;
    Staging n = staging(config, &t->settings);
    t->host_x = mem_alloc(n.x, sizeof(float));
    t->host_y = mem_alloc(n.y, sizeof(float));
    t->host_mask = mem_alloc(n.mask, 1); /* the clean half stays zero */
    t->x = be->alloc(be, n.x * sizeof(float));
    t->y = be->alloc(be, n.y * sizeof(float));
    t->mask = be->alloc(be, n.mask);
    t->parts = mem_alloc(5 * (size_t)t->settings.batch, sizeof(double));
    return t->host_x && t->host_y && t->host_mask && t->x && t->y && t->mask && t->parts ? 0
                                                                                         : ERR_FAIL;
}

int trainer_open(Trainer **out, Backend *be, const VitConfig *config, const TrainSettings *settings,
                 int64_t steps_per_epoch) {
    int code = train_settings_check(settings, config);
    if (code)
        return code;
    Trainer *t = mem_alloc(1, sizeof *t);
    if (!t)
        return ERR_FAIL;
    t->settings = *settings;
    t->steps_per_epoch = steps_per_epoch;
    code = open_parts(t, be, config);
    if (code) {
        trainer_free(&t);
        return code;
    }
    *out = t;
    return 0;
}

void trainer_free(Trainer **pt) {
    Trainer *t = pt ? *pt : NULL;
    if (!t)
        return;
    if (t->vit) {
        Backend *be = vit_backend(t->vit);
        be->release(be, t->x);
        be->release(be, t->y);
        be->release(be, t->mask);
    }
    optimizer_free(&t->optimizer);
    vit_free(&t->vit);
    mem_free(t->host_x);
    mem_free(t->host_y);
    mem_free(t->host_mask);
    mem_free(t->parts);
    mem_free(t);
    *pt = NULL;
}

static void upload(Trainer *t, const PairBatch *batch) {
    Backend *be = vit_backend(t->vit);
    const VitConfig *c = vit_config(t->vit);
    Staging n = staging(c, &t->settings);
    int64_t pixels = c->image * c->image, frames = t->settings.batch * c->frames;
    int64_t patches = vit_patches(c), epoch = t->step / t->steps_per_epoch;
    for (int64_t i = 0; i < frames; i++)
        planes_from_bgr(t->host_x + i * 3 * pixels, batch->x + i * 3 * pixels, pixels);
    for (int64_t i = 0; i < t->settings.batch; i++) {
        planes_from_bgr(t->host_y + i * 3 * pixels, batch->y + i * 3 * pixels, pixels);
        pseudo_draw(t->host_mask + (t->settings.batch + i) * patches, &t->settings, c, epoch,
                    batch->index[i]);
    }
    be->upload(be, t->x, t->host_x, n.x * sizeof(float));
    be->upload(be, t->y, t->host_y, n.y * sizeof(float));
    be->upload(be, t->mask, t->host_mask, n.mask);
}

int trainer_step(Trainer *t, const PairBatch *batch, StepReport *report) {
    Backend *be = vit_backend(t->vit);
    const TrainSettings *s = &t->settings;
    VitNoise noise = {(uint64_t)s->seed, (uint32_t)t->step, s->dropout, s->drop_path};
    upload(t, batch);
    vit_zero_gradients(t->vit);
    vit_forward(t->vit, t->x, s->batch, 2 * s->batch, t->mask, &noise);
    pair_loss(&report->loss, t->vit, t->y, s->batch, s, t->parts);
    vit_backward(t->vit);
    report->norm = optimizer_norm(&t->optimizer);
    report->lr = schedule_step_lr(s, t->steps_per_epoch, t->step);
    int code = be->sync(be);
    if (code)
        return code;
    if (!isfinite(report->loss.total) || !isfinite(report->norm))
        return err_set(ERR_FAIL,
                       "step %lld: the %s is not finite. Lower --lr, or resume with another --seed",
                       (long long)t->step, isfinite(report->loss.total) ? "gradient" : "loss");
    optimizer_step(&t->optimizer, s, t->step, report->lr, report->norm);
    t->step++;
    return be->sync(be);
}
