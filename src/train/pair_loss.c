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

/* Away from its own input (method C.4): the negative of the intensity loss. */
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
    parts[2 * b] = -parts[2 * b];
    parts[2 * b + 1] = 0;
}

static void next_frame_loss(PairLoss *out, Vit *v, const PairImages *p, const TrainSettings *t,
                            double *parts) {
    Backend *be = vit_backend(v);
    double *kl = parts + 4 * p->pairs;
    image_losses(v, p, t, parts);
    for (int64_t b = 0; b < train_images(t); b++) {
        if (p->pseudo[b] && t->pseudo_loss == PSEUDO_LOSS_NEGATIVE)
            negative_loss(v, p, t, b, parts);
        double *sums = p->pseudo[b] ? &out->pseudo_int : &out->normal_int; /* then the gd */
        sums[0] += parts[2 * b] / (double)p->pairs;
        sums[1] += parts[2 * b + 1] / (double)p->pairs;
    }
    if (train_consistency(t)) {
        ConsistencyLoss shape = {p->pairs, vit_patches(vit_config(v)) + 1, t->lambda_cst};
        be->consistency_loss(be, kl, vit_dfeatures(v), vit_features(v), shape);
        for (int64_t b = 0; b < p->pairs; b++)
            out->consistency += kl[b];
    }
    out->total = t->lambda_int * (out->normal_int + out->pseudo_int) +
                 t->lambda_gd * (out->normal_gd + out->pseudo_gd) +
                 t->lambda_cst * out->consistency;
}

/* The mean over all masked values; 1e-5 as SimMIM has it. */
static void simmim_loss(PairLoss *out, Vit *v, const PairImages *p, double *parts) {
    Backend *be = vit_backend(v);
    const VitConfig *c = vit_config(v);
    PatchGrid grid = {c->image, c->patch, VIT_COLOURS};
    double pixels = (double)(p->masked * c->patch * c->patch);
    double weight = 1 / ((pixels + 1e-5) * VIT_COLOURS);
    be->masked_loss(be, parts, vit_dprediction(v), vit_prediction(v), p->y, p->mask, grid, p->pairs,
                    weight);
    for (int64_t b = 0; b < p->pairs; b++)
        out->hidden += weight * parts[b];
    out->total = out->hidden;
}

void pair_loss(PairLoss *out, Vit *v, const PairImages *images, const TrainSettings *t,
               double *parts) {
    *out = (PairLoss){0};
    if (t->objective == OBJECTIVE_SIMMIM)
        simmim_loss(out, v, images, parts);
    else
        next_frame_loss(out, v, images, t, parts);
    out->memory = vit_memory_loss(v);
    out->total += out->memory;
}
