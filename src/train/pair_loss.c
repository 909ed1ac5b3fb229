#include "train/pair_loss.h"

void pair_loss(PairLoss *out, Vit *v, const float *target, int64_t pairs, const TrainSettings *t,
               double *parts) {
    Backend *be = vit_backend(v);
    const VitConfig *c = vit_config(v);
    ImageLoss image = {.images = 2 * pairs,
                       .targets = pairs,
                       .size = c->image,
                       .channels = VIT_COLOURS,
                       .lambda_int = t->lambda_int / (double)pairs,
                       .lambda_gd = t->lambda_gd / (double)pairs};
    ConsistencyLoss consistency = {pairs, vit_patches(c) + 1, t->lambda_cst};
    double *kl = parts + 4 * pairs;
    be->image_loss(be, parts, vit_dprediction(v), vit_prediction(v), target, image);
    be->consistency_loss(be, kl, vit_dfeatures(v), vit_features(v), consistency);
    *out = (PairLoss){0};
    for (int64_t b = 0; b < pairs; b++) {
        out->normal_int += parts[2 * b] / (double)pairs;
        out->normal_gd += parts[2 * b + 1] / (double)pairs;
        out->pseudo_int += parts[2 * (pairs + b)] / (double)pairs;
        out->pseudo_gd += parts[2 * (pairs + b) + 1] / (double)pairs;
        out->consistency += kl[b];
    }
    out->total = t->lambda_int * (out->normal_int + out->pseudo_int) +
                 t->lambda_gd * (out->normal_gd + out->pseudo_gd) +
                 t->lambda_cst * out->consistency;
}
