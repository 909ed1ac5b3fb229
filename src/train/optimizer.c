#include "train/optimizer.h"

#include <math.h>

#include "base/err.h"

int optimizer_open(Optimizer *o, Vit *vit) {
    Backend *be = vit_backend(vit);
    size_t bytes = (size_t)vit_slab_count(vit) * sizeof(float);
    o->vit = vit;
    o->m = be->alloc(be, bytes);
    o->v = be->alloc(be, bytes);
    return o->m && o->v ? 0 : ERR_FAIL;
}

void optimizer_free(Optimizer *o) {
    if (!o->vit)
        return;
    Backend *be = vit_backend(o->vit);
    be->release(be, o->m);
    be->release(be, o->v);
    *o = (Optimizer){0};
}

void optimizer_sum_squares(const Optimizer *o, double *sum) {
    Backend *be = vit_backend(o->vit);
    be->sum_squares(be, sum, vit_gradients(o->vit), vit_slab_count(o->vit));
}

void optimizer_step(Optimizer *o, const TrainSettings *t, int64_t step, double lr, double norm) {
    Backend *be = vit_backend(o->vit);
    float *weights = vit_weights(o->vit), *gradients = vit_gradients(o->vit);
    int count;
    const VitParam *p = vit_params(o->vit, &count);
    AdamW hyper = {.lr = lr, .beta1 = 0.9, .beta2 = t->beta2, .eps = 1e-8, .grad_scale = 1};
    hyper.correction1 = 1 - pow(hyper.beta1, (double)step + 1);
    hyper.correction2 = 1 - pow(hyper.beta2, (double)step + 1);
    if (t->clip > 0)
        hyper.grad_scale = fmin(1, t->clip / (norm + 1e-6));
    for (int i = 0; i < count; i++) {
        if (!p[i].name[0] || p[i].fixed)
            continue;
        hyper.decay = p[i].decay ? t->weight_decay : 0;
        be->adamw(be, weights + p[i].offset, gradients + p[i].offset, o->m + p[i].offset,
                  o->v + p[i].offset, p[i].count, &hyper);
    }
}
