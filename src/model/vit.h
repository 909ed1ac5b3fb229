/* The network: SimMIM's ViT encoder and a one-layer linear decoder that predict the next frame
 * (method A.1 to A.3). Written once, over the backend's operations.
 *
 * One forward serves training and scoring: `images` inputs may share `inputs` distinct frames (the
 * doubled batch: image b sees frame b % inputs), a mask replaces patch tokens, and noise is dropout
 * and drop-path. The backward pass follows the last training forward. Nothing is allocated after
 * vit_open. One thread at a time. */
#ifndef MODEL_VIT_H
#define MODEL_VIT_H

#include <stdbool.h>
#include <stdint.h>

#include "compute/backend.h"
#include "model/vit_config.h"

/* One weight in the slab. */
typedef struct {
    char name[96]; /* SimMIM's; "" where it is no parameter (see vit.def) */
    int rank;
    int64_t shape[4], offset, count; /* in floats; 0: this network has no such weight */
    int stream;                      /* of the random numbers that draw it */
    int init;                        /* of vit.def */
    int block;                       /* -1 outside the blocks */
    bool decay;
    bool matrix; /* of a linear layer; these lie before all others in the slab */
    bool fixed;  /* to the optimizer: it has no gradient */
} VitParam;

/* Pointers into a slab laid out by vit.def: weights, or their gradients. */
typedef struct {
#define TOP(field, ...)
#define TAIL(field, ...)
#define BLOCK(field, ...) float *field;
#include "model/vit.def"
#undef TOP
#undef TAIL
#undef BLOCK
} VitBlock;

typedef struct {
#define TOP(field, ...) float *field;
#define TAIL(field, ...) float *field;
#define BLOCK(field, ...)
#include "model/vit.def"
#undef TOP
#undef TAIL
#undef BLOCK
    VitBlock *block; /* depth */
} VitWeights;

/* Probabilities and place of the noise of one forward pass. All zero: evaluation. */
typedef struct {
    uint64_t seed;
    uint32_t step;
    double drop, drop_path; /* of elements; of the last block's branches (the first has 0) */
    BatchPart part;         /* which images of the whole batch the forward's are */
} VitNoise;

typedef struct Vit Vit;

/* Activations have the backend's type. Weights are zero at first: vit_init draws them, weights.h
 * loads them. `training` adds gradients, stored activations and the backward pass. */
int vit_open(Vit **out, Backend *be, const VitConfig *config, int64_t max_images, bool training);
void vit_free(Vit **v);

/* Bytes that a network takes on a backend. Negative, with the message set, when memory is out. */
int64_t vit_memory(const VitConfig *config, int64_t max_images, bool training, const Backend *be);

/* Initialisation of method A.6. */
int vit_init(Vit *v, uint64_t seed);

/* Sets the values of parameter i of vit_params, from host memory. A network that does not train
 * keeps its matrices packed where the backend does so, and nothing of them in the slab. */
int vit_set(Vit *v, int i, const float *values);

/* ---- int8. VitRange in vit_config.h says what is bytes then; everything else is bf16. */

/* ERR_FAIL where a range is not finite, empty or the wrong way round. */
int vit_check_ranges(const VitConfig *config, const VitRange *ranges);

/* Checks them too. Must be called before the first forward of a network opened for int8. */
int vit_set_ranges(Vit *v, const VitRange *ranges);

/* From now on, forwards widen `ranges` (depth x VIT_SITES, the caller's) by what they see. Not for
 * int8; backends in host memory only. */
void vit_observe(Vit *v, VitRange *ranges);

/* frames: (inputs, 3 frames, image, image) in [-1, 1], backend memory; mask: (images, N) of 0/1 or
 * NULL; images % inputs == 0. Results: vit_features (images T, D), vit_prediction. */
void vit_forward(Vit *v, const float *frames, int64_t inputs, int64_t images, const uint8_t *mask,
                 const VitNoise *noise);

/* (images, 3, image, image): the last forward's prediction, unclamped; backend memory, borrowed. */
const float *vit_prediction(const Vit *v);

/* Training only. Gradients of the prediction (written by the loss) and of the features (zeroed by
 * vit_forward, losses add). */
float *vit_dprediction(Vit *v);
Tensor vit_dfeatures(Vit *v);
Tensor vit_features(const Vit *v);

/* The gradients of every weight, after a forward; one forward and one backward a step. Those of
 * matrices are written, all others are added to what vit_zero_gradients left. They lie where the
 * activations were, and are valid until the next forward. */
void vit_backward(Vit *v);
void vit_zero_gradients(Vit *v);

/* Memories (method E). vit_memory_loss sums the losses of the last forward's addressing into `sums`
 * (host, valid after sync); vit_memory_total weighs them as they enter L. vit_backward adds their
 * gradients. Zeros without a memory. */
void vit_memory_loss(Vit *v, double sums[2]);
double vit_memory_total(const Vit *v, const double sums[2]);

/* Moves MNAD's items towards the last forward's features; once a training step. Scoring never calls
 * it: a score depends on its pair alone. */
void vit_memory_update(Vit *v);

const VitConfig *vit_config(const Vit *v);
Backend *vit_backend(const Vit *v);

/* The table of weights (borrowed) and the slabs behind it, backend memory, laid out alike. */
const VitParam *vit_params(const Vit *v, int *count);
float *vit_weights(Vit *v);
float *vit_gradients(Vit *v);
int64_t vit_slab_count(const Vit *v); /* floats */

/* Parameters and how many of them decay, for the census (method A.5, A.8). */
void vit_census(const VitConfig *config, int *tensors, int64_t *values, int64_t *decayed);

#endif
