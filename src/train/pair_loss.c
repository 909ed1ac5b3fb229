#include "train/pair_loss.h"

static int64_t frame_floats(const Vit *v) {
    int64_t side = vit_config(v)->image;
    return VIT_COLOURS * side * side;
}

static void image_losses(Vit *v, const PairImages *p, const TrainSettings *t, double *parts) {
    Backend *be = vit_backend(v);
    ImageLoss shape = {.images = train_images(t),
                       .targets = p->pairs,
                       .size = vit_config(v)->image,
                       .channels = VIT_COLOURS,
                       .lambda_int = t->lambda_int / (double)p->pairs,
                       .lambda_gd = t->lambda_gd / (double)p->pairs};
    be->image_loss(be, parts, vit_dprediction(v), vit_prediction(v), p->y, shape);
}

/* The negative of the intensity loss, away from the image's own input (method C.4). */
static void negative_loss(Vit *v, const PairImages *p, const TrainSettings *t, int64_t b,
                          double *parts) {
    Backend *be = vit_backend(v);
    const VitConfig *c = vit_config(v);
    int64_t frame = frame_floats(v), at = b * frame;
    ImageLoss shape = {.images = 1,
                       .targets = 1,
                       .size = c->image,
                       .channels = VIT_COLOURS,
                       .lambda_int = -t->lambda_int / (double)p->pairs};
    be->image_loss(be, parts + 2 * b, vit_dprediction(v) + at, vit_prediction(v) + at,
                   p->x + (b * c->frames + c->frames - 1) * frame, shape);
}

static bool is_negative(const PairImages *p, const TrainSettings *t, int64_t b) {
    return p->pseudo[b] && t->pseudo_loss == PSEUDO_LOSS_NEGATIVE;
}

static void next_frame_run(Vit *v, const PairImages *p, const TrainSettings *t, double *parts) {
    Backend *be = vit_backend(v);
    image_losses(v, p, t, parts);
    for (int64_t b = 0; b < train_images(t); b++)
        if (is_negative(p, t, b))
            negative_loss(v, p, t, b, parts);
    if (train_consistency(t))
        be->consistency_loss(
            be, parts + 4 * p->pairs, vit_dfeatures(v), vit_features(v),
            (ConsistencyLoss){p->pairs, vit_patches(vit_config(v)) + 1, t->lambda_cst});
}

static void next_frame_read(PairLoss *out, const PairImages *p, const TrainSettings *t,
                            const double *parts) {
    for (int64_t b = 0; b < train_images(t); b++) {
        double *sums = p->pseudo[b] ? &out->pseudo_int : &out->normal_int; /* [1]: its gd */
        bool negative = is_negative(p, t, b);
        sums[0] += (negative ? -parts[2 * b] : parts[2 * b]) / (double)p->pairs;
        sums[1] += (negative ? 0 : parts[2 * b + 1]) / (double)p->pairs;
    }
    for (int64_t b = 0; b < p->pairs && train_consistency(t); b++)
        out->consistency += parts[4 * p->pairs + b];
    out->total = t->lambda_int * (out->normal_int + out->pseudo_int) +
                 t->lambda_gd * (out->normal_gd + out->pseudo_gd) +
                 t->lambda_cst * out->consistency;
}

/* The weight that makes a sum the mean over all masked values; 1e-5 is SimMIM's. */
static double simmim_weight(const VitConfig *c, const PairImages *p) {
    double pixels = (double)(p->masked * c->patch * c->patch);
    return 1 / ((pixels + 1e-5) * VIT_COLOURS);
}

static void simmim_run(Vit *v, const PairImages *p, double *parts) {
    Backend *be = vit_backend(v);
    const VitConfig *c = vit_config(v);
    be->masked_loss(be, &(MaskedLoss){.loss = parts,
                                      .dpred = vit_dprediction(v),
                                      .pred = vit_prediction(v),
                                      .target = p->y,
                                      .mask = p->mask,
                                      .grid = {c->image, c->patch, VIT_COLOURS},
                                      .images = p->pairs,
                                      .weight = simmim_weight(c, p)});
}

static void simmim_read(PairLoss *out, const Vit *v, const PairImages *p, const double *parts) {
    for (int64_t b = 0; b < p->pairs; b++)
        out->hidden += simmim_weight(vit_config(v), p) * parts[b];
    out->total = out->hidden;
}

/* Two parts for each image, one for each pair, two for the memory. */
int64_t pair_loss_parts(int64_t pairs) {
    return 5 * pairs + 2;
}

void pair_loss_run(Vit *v, const PairImages *p, const TrainSettings *t, double *parts) {
    if (t->objective == OBJECTIVE_SIMMIM)
        simmim_run(v, p, parts);
    else
        next_frame_run(v, p, t, parts);
    vit_memory_loss(v, parts + 5 * p->pairs);
}

void pair_loss_read(PairLoss *out, const Vit *v, const PairImages *p, const TrainSettings *t,
                    const double *parts) {
    *out = (PairLoss){0};
    if (t->objective == OBJECTIVE_SIMMIM)
        simmim_read(out, v, p, parts);
    else
        next_frame_read(out, p, t, parts);
    out->memory = vit_memory_total(v, parts + 5 * p->pairs);
    out->total += out->memory;
}
