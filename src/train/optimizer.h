/* AdamW with decay groups and clipping of the global norm (method A.8). */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include "model/vit.h"
#include "train/settings.h"

typedef struct {
    Vit *vit;     /* borrowed */
    float *m, *v; /* first and second moments, laid out like the weights */
} Optimizer;

int optimizer_open(Optimizer *o, Vit *vit);
void optimizer_free(Optimizer *o); /* accepts a zeroed one */

/* Computes the sum of the squares of all gradients; its root is their global L2 norm. `sum` is in
 * host memory and valid after sync. */
void optimizer_sum_squares(const Optimizer *o, double *sum);

/* Makes update number `step` (from 0) with learning rate lr. The gradients are scaled by
 * min(1, clip / (norm + 1e-6)). */
void optimizer_step(Optimizer *o, const TrainSettings *t, int64_t step, double lr, double norm);

#endif
