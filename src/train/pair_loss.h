/* The losses of a doubled batch (Eq. 2 to 7; method B.1). */
#ifndef TRAIN_PAIR_LOSS_H
#define TRAIN_PAIR_LOSS_H

#include "model/vit.h"
#include "train/settings.h"

/* Batch means (the consistency is a sum over the batch, as the authors' code has it). */
typedef struct {
    double normal_int, normal_gd; /* L_N: the clean pass */
    double pseudo_int, pseudo_gd; /* L_P: the masked pass */
    double consistency;
    double total;
} PairLoss;

/* After vit_forward on 2 x pairs images, clean half first: reads the losses against target (pairs,
 * 3, size, size; backend memory) and leaves their gradients in the network. `parts` is host scratch
 * of 5 x pairs doubles. */
void pair_loss(PairLoss *out, Vit *v, const float *target, int64_t pairs, const TrainSettings *t,
               double *parts);

#endif
