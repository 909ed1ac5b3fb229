/* The losses of a step (Eq. 2 to 7; method B.1, B.5, C.4). */
#ifndef TRAIN_PAIR_LOSS_H
#define TRAIN_PAIR_LOSS_H

#include "model/vit.h"
#include "train/settings.h"

/* Means over the batch; the consistency is a sum over the batch, as in the authors' code. Where a
 * step sees either X or X^P of a pair, an image counts in the sums of its own kind only. */
typedef struct {
    double normal_int, normal_gd; /* L_N: the clean pass */
    double pseudo_int, pseudo_gd; /* L_P: the pseudo anomalies */
    double consistency;           /* 0 where it has no weight */
    double hidden;                /* SimMIM's: mean |error| of the masked pixels */
    double memory;                /* MemAE's or MNAD's, weighted */
    double total;
} PairLoss;

/* What the network has seen. Backend memory, unless a comment says host. */
typedef struct {
    int64_t pairs;
    const float *x;      /* (inputs, 3 F, size, size) */
    const float *y;      /* (pairs, 3, size, size): true next frames; SimMIM's: the input itself */
    const uint8_t *mask; /* (images, N), or NULL */
    const uint8_t *pseudo; /* host, images: is it a pseudo anomaly? */
    int64_t masked;        /* patches over all images */
} PairImages;

/* Doubles of host memory that the losses of this many pairs take. */
int64_t pair_loss_parts(int64_t pairs);

/* After vit_forward on train_images of the settings (clean half first where both are seen): leaves
 * the gradients of the losses in the network, and their parts, valid after sync, in `parts`. */
void pair_loss_run(Vit *v, const PairImages *images, const TrainSettings *t, double *parts);

/* After sync: the losses, from their parts. */
void pair_loss_read(PairLoss *out, const Vit *v, const PairImages *images, const TrainSettings *t,
                    const double *parts);

#endif
