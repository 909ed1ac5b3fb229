#include "train/trainer.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "train/pseudo.h"
#include "train/schedule.h"
#include "video/planes.h"

/* Do pseudo anomalies have frames of their own? If not, they are the pair's frames under a mask. */
static bool own_frames(const TrainSettings *s) {
    return s->pseudo != PSEUDO_NONE && s->pseudo != PSEUDO_MASK;
}

PairsSecond trainer_second(const TrainSettings *s) {
    if (s->objective == OBJECTIVE_SIMMIM)
        return PAIRS_NO_SECOND;
    return s->pseudo == PSEUDO_SKIP                     ? PAIRS_SKIPPED
           : s->pseudo == PSEUDO_PATCH && !s->intruders ? PAIRS_OTHER
                                                        : PAIRS_NO_SECOND;
}

bool trainer_wants_second(const void *settings, int64_t epoch, int64_t pair) {
    const TrainSettings *s = settings;
    return train_doubled(s) || pseudo_chosen(s, epoch, pair);
}

/* The number of distinct inputs of a step: the doubled batch shares frames if only the mask
 * differs.
 */
static int64_t inputs_of(const TrainSettings *s) {
    return train_doubled(s) && own_frames(s) ? 2 * s->batch : s->batch;
}

/* Sizes of the staging buffers, in elements. */
typedef struct {
    size_t x, y, mask;
} Staging;

static Staging staging(const VitConfig *c, const TrainSettings *s) {
    size_t frame = (size_t)(VIT_COLOURS * c->image * c->image);
    return (Staging){(size_t)(inputs_of(s) * c->frames) * frame, (size_t)s->batch * frame,
                     (size_t)(train_images(s) * vit_patches(c))};
}

int64_t trainer_memory(const VitConfig *config, const TrainSettings *settings, const Backend *be) {
    int tensors;
    int64_t values, decayed;
    Staging n = staging(config, settings);
    vit_census(config, &tensors, &values, &decayed);
    /* the network, two moments and the staging buffers */
    return vit_memory(config, train_images(settings), true, be) +
           2 * values * (int64_t)sizeof(float) +
           (int64_t)(2 * (n.x + n.y) * sizeof(float) + 2 * n.mask);
}

static int open_parts(Trainer *t, Backend *be, const VitConfig *config) {
    int code = vit_open(&t->vit, be, config, train_images(&t->settings), true);
    if (!code)
        code = optimizer_open(&t->optimizer, t->vit);
    if (!code)
        code = vit_init(t->vit, (uint64_t)t->settings.seed);
    if (code)
        return code;
    Staging n = staging(config, &t->settings);
    t->host_x = mem_alloc(n.x, sizeof(float));
    t->host_y = mem_alloc(n.y, sizeof(float));
    t->host_mask = mem_alloc(n.mask, 1);
    t->pseudo = mem_alloc((size_t)train_images(&t->settings), 1);
    t->x = be->alloc(be, n.x * sizeof(float));
    t->y = be->alloc(be, n.y * sizeof(float));
    t->mask = be->alloc(be, n.mask);
    t->parts = mem_alloc((size_t)pair_loss_parts(t->settings.batch), sizeof(double));
    if (t->settings.pseudo == PSEUDO_PATCH && t->settings.intruders) {
        t->intruder = mem_alloc((size_t)(config->image * config->image), 3);
        code = t->intruder ? intruders_open(&t->intruders, t->settings.intruders) : ERR_FAIL;
        if (code)
            return code;
    }
    bool host = t->host_x && t->host_y && t->host_mask && t->pseudo && t->parts;
    return host && t->x && t->y && t->mask ? 0 : ERR_FAIL;
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
    mem_free(t->pseudo);
    mem_free(t->intruder);
    intruders_free(&t->intruders);
    mem_free(t->parts);
    mem_free(t);
    *pt = NULL;
}

static void planes(float *to, const uint8_t *bgr, int64_t frames, int64_t pixels) {
    for (int64_t i = 0; i < frames; i++)
        planes_from_bgr(to + i * VIT_COLOURS * pixels, bgr + i * VIT_COLOURS * pixels, pixels);
}

/* Makes image `b` the pseudo anomaly of pair i. Its frames are those of input `input`. */
static void stage_pseudo(Trainer *t, const PairBatch *batch, int64_t i, int64_t b, int64_t input) {
    const VitConfig *c = vit_config(t->vit);
    const TrainSettings *s = &t->settings;
    int64_t pixels = c->image * c->image, frame = VIT_COLOURS * pixels, patches = vit_patches(c);
    int64_t epoch = t->step / t->steps_per_epoch;
    float *x = t->host_x + input * c->frames * frame;
    t->pseudo[b] = 1;
    if (s->pseudo == PSEUDO_MASK) {
        pseudo_draw(t->host_mask + b * patches, s, c, epoch, batch->index[i]);
    } else if (s->pseudo == PSEUDO_SKIP) {
        const uint8_t *from = batch->has_second[i] ? batch->second : batch->x; /* no jump fits */
        planes(x, from + i * c->frames * frame, c->frames, pixels);
    } else if (s->pseudo == PSEUDO_STALE) {
        planes(x, batch->x + i * c->frames * frame, c->frames, pixels);
        pseudo_stale(x, c->frames, s, c, epoch, batch->index[i]);
    } else {
        const uint8_t *intruder = t->intruders ? t->intruder : batch->second + i * frame;
        if (t->intruders)
            intruders_get(t->intruders,
                          pseudo_intruder(s, epoch, batch->index[i], intruders_count(t->intruders)),
                          t->intruder, c->image);
        planes(x, batch->x + i * c->frames * frame, c->frames, pixels);
        pseudo_patch(x, c->frames, intruder, c->image, s, epoch, batch->index[i]);
    }
}

/* If a step sees X or X^P of pair i, is it X^P? If X^P needs frames from the loader, the loader has
 * decided: it is X^P if they are there. */
static bool becomes_pseudo(const Trainer *t, const PairBatch *batch, int64_t i) {
    const TrainSettings *s = &t->settings;
    if (trainer_second(s) != PAIRS_NO_SECOND)
        return batch->has_second[i];
    return s->pseudo != PSEUDO_NONE &&
           pseudo_chosen(s, t->step / t->steps_per_epoch, batch->index[i]);
}

/* Fills in the network's input and target of pair i. */
static void stage_pair(Trainer *t, const PairBatch *batch, int64_t i) {
    const VitConfig *c = vit_config(t->vit);
    const TrainSettings *s = &t->settings;
    int64_t pixels = c->image * c->image, frame = VIT_COLOURS * pixels;
    int64_t epoch = t->step / t->steps_per_epoch;
    const uint8_t *x = batch->x + i * c->frames * frame;
    bool simmim = s->objective == OBJECTIVE_SIMMIM;
    planes(t->host_x + i * c->frames * frame, x, c->frames, pixels);
    planes(t->host_y + i * frame, simmim ? x + (c->frames - 1) * frame : batch->y + i * frame, 1,
           pixels);
    if (simmim)
        pseudo_draw(t->host_mask + i * vit_patches(c), s, c, epoch, batch->index[i]);
    else if (train_doubled(s))
        stage_pseudo(t, batch, i, s->batch + i, own_frames(s) ? s->batch + i : i);
    else if (becomes_pseudo(t, batch, i))
        stage_pseudo(t, batch, i, i, i);
}

static void upload(Trainer *t, const PairBatch *batch) {
    Backend *be = vit_backend(t->vit);
    const VitConfig *c = vit_config(t->vit);
    Staging n = staging(c, &t->settings);
    memset(t->host_mask, 0, n.mask);
    memset(t->pseudo, 0, (size_t)train_images(&t->settings));
    for (int64_t i = 0; i < t->settings.batch; i++)
        stage_pair(t, batch, i);
    if (c->colours == COLOURS_IMAGENET)
        for (int64_t i = 0; i < inputs_of(&t->settings) * c->frames; i++)
            planes_to_imagenet(t->host_x + i * VIT_COLOURS * c->image * c->image,
                               c->image * c->image);
    be->upload(be, t->x, t->host_x, n.x * sizeof(float));
    be->upload(be, t->y, t->host_y, n.y * sizeof(float));
    be->upload(be, t->mask, t->host_mask, n.mask);
}

static int64_t masked_patches(const Trainer *t) {
    return t->settings.batch * pseudo_masked_cells(&t->settings, vit_config(t->vit)) *
           (t->settings.mask_cell / vit_config(t->vit)->patch) *
           (t->settings.mask_cell / vit_config(t->vit)->patch);
}

int trainer_step(Trainer *t, const PairBatch *batch, StepReport *report) {
    Backend *be = vit_backend(t->vit);
    const TrainSettings *s = &t->settings;
    VitNoise noise = {.seed = (uint64_t)s->seed,
                      .step = (uint32_t)t->step,
                      .drop = s->dropout,
                      .drop_path = s->drop_path};
    upload(t, batch);
    vit_zero_gradients(t->vit);
    vit_forward(t->vit, t->x, inputs_of(s), train_images(s), t->mask, &noise);
    PairImages images = {.pairs = s->batch,
                         .x = t->x,
                         .y = t->y,
                         .mask = t->mask,
                         .pseudo = t->pseudo,
                         .masked = masked_patches(t)};
    double squares = 0;
    pair_loss_run(t->vit, &images, s, t->parts);
    vit_backward(t->vit);
    optimizer_sum_squares(&t->optimizer, &squares);
    int code = be->sync(be);
    if (code)
        return code;
    pair_loss_read(&report->loss, t->vit, &images, s, t->parts);
    report->norm = sqrt(squares);
    report->lr = schedule_step_lr(s, t->steps_per_epoch, t->step);
    if (!isfinite(report->loss.total) || !isfinite(report->norm))
        return err_set(ERR_FAIL,
                       "step %lld: the %s is not finite. Lower --lr, or resume with another --seed",
                       (long long)t->step, isfinite(report->loss.total) ? "gradient" : "loss");
    optimizer_step(&t->optimizer, s, t->step, report->lr, report->norm);
    vit_memory_update(t->vit);
    t->step++;
    return be->sync(be);
}
