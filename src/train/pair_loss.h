/* The losses of a step (Eq. 2 to 7; method B.1, B.5, C.4). */
#ifndef TRAIN_PAIR_LOSS_H
#define TRAIN_PAIR_LOSS_H

#include "model/vit.h"
#include "train/settings.h"

/* Batch means, except for the consistency, which is a sum over the batch as in the authors' code.
 * If a step sees either X or X^P of a pair, the image counts only in the losses of its kind. */
typedef struct {
    double normal_int, normal_gd; /* L_N: of the clean pass */
    double pseudo_int, pseudo_gd; /* L_P: of the pseudo anomalies */
    double consistency;           /* 0 if it has no weight */
    double hidden;                /* SimMIM's: mean |error| of the masked pixels */
    double memory;                /* MemAE's or MNAD's, weighted */
    double total;
} PairLoss;

/* The network's inputs and targets in a step, in backend memory except `pseudo`. */
typedef struct {
    int64_t pairs;
    const float *x;      /* (inputs, 3 F, size, size) */
    const float *y;      /* (pairs, 3, size, size): true next frames; SimMIM's: the input itself */
    const uint8_t *mask; /* (images, N), or NULL */
    const uint8_t *pseudo; /* host, images: is it a pseudo anomaly? */
    int64_t masked;        /* patches over all images */
} PairImages;

/* The number of `parts` of the losses of `pairs` pairs. */
int64_t pair_loss_parts(int64_t pairs);

/* Computes the losses and their gradients. Call it after vit_forward on train_images(t) images, the
 * clean half first if a step sees both. The gradients go into the network. `parts` gets the parts
 * of the losses, in host memory, valid after sync. */
void pair_loss_run(Vit *v, const PairImages *images, const TrainSettings *t, double *parts);

/* Computes the losses from their parts, after sync. */
void pair_loss_read(PairLoss *out, const Vit *v, const PairImages *images, const TrainSettings *t,
                    const double *parts);

#endif
