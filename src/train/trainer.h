/* The training step: takes a batch of pairs and updates the weights (method B.1). */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "data/intruders.h"
#include "data/pairs.h"
#include "score/judgement.h"
#include "train/optimizer.h"
#include "train/pair_loss.h"

typedef struct {
    Vit *vit;
    Optimizer optimizer;
    TrainSettings settings;
    /* For checkpoints: seconds between the frames of the data, 0: every frame; what is known of
     * them, borrowed, or NULL. */
    double interval;
    const Judgement *judgement;
    int64_t steps_per_epoch;
    int64_t step; /* updates done */
    /* staging buffers; host_* in host memory, the others in backend memory */
    float *host_x, *host_y, *x, *y;
    uint8_t *host_mask, *mask; /* (images, N) */
    uint8_t *pseudo;           /* host, images: is it a pseudo anomaly? */
    double *parts;
    Intruders *intruders; /* of settings.intruders, or NULL */
    uint8_t *intruder;    /* one of them, resized to the input */
} Trainer;

typedef struct {
    PairLoss loss;
    double lr, norm; /* of the gradients, before the clip */
} StepReport;

/* The second frames that the loader must bring for these settings. */
PairsSecond trainer_second(const TrainSettings *settings);

/* PairsConfig's wants_second: true for the pairs that become pseudo anomalies. */
bool trainer_wants_second(const void *settings, int64_t epoch, int64_t pair);

/* Opens the network for train_images images and draws its weights. *out is untouched on failure. */
int trainer_open(Trainer **out, Backend *be, const VitConfig *config, const TrainSettings *settings,
                 int64_t steps_per_epoch);
void trainer_free(Trainer **t);

/* Bytes that training takes on this backend, with checkpoints but without the scratch memory of the
 * backend's operations. The scratch is small unless an image has thousands of tokens; then most of
 * it is the gradient of the attention bias, heads x tokens x tokens floats for every fourth image.
 */
int64_t trainer_memory(const VitConfig *config, const TrainSettings *settings, const Backend *be);

/* Makes one update. ERR_FAIL, with the weights untouched, if the loss or the gradient is not
 * finite.
 */
int trainer_step(Trainer *t, const PairBatch *batch, StepReport *report);

#endif
