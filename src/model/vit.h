/* The network: SimMIM's ViT encoder and a one-layer linear decoder that predict the next frame
 * (method A.1 to A.3). It is written once and calls the backend's operations.
 *
 * One forward pass serves training and scoring. `images` images share `inputs` inputs: image b
 * sees input b % inputs (the doubled batch). A mask replaces patch tokens. Noise is dropout and
 * drop-path. The backward pass follows the last training forward. Nothing is allocated after
 * vit_open. One thread at a time. */
#ifndef MODEL_VIT_H
#define MODEL_VIT_H

#include <stdbool.h>
#include <stdint.h>

#include "compute/backend.h"
#include "model/vit_config.h"

/* One weight in the slab. */
typedef struct {
    char name[96]; /* SimMIM's; "" if it is a constant (see vit.def) */
    int rank;
    int64_t shape[4], offset, count; /* offset, count: in floats; count 0: no such weight here */
    int stream;                      /* of the random numbers of its initial values */
    int init;                        /* of vit.def */
    int block;                       /* -1 outside the blocks */
    bool decay;
    bool matrix; /* of a linear layer; matrices lie before all other weights in the slab */
    bool fixed;  /* the optimizer leaves it alone: it has no gradient */
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
    VitBlock *block; /* `depth` of them */
} VitWeights;

/* The noise of one forward pass: its probabilities and its random stream. All zero: evaluation. */
typedef struct {
    uint64_t seed;
    uint32_t step;
    double drop, drop_path; /* drop: of elements; drop_path: of the last block (the first has 0) */
    BatchPart part;         /* which images of the whole batch this forward has */
} VitNoise;

typedef struct Vit Vit;

/* Activations have the backend's type. Weights start at zero; vit_init draws them, weights.h loads
 * them. `training` adds gradients, stored activations and the backward pass. A network that
 * needs more than the machine's RAM is refused, on a backend with memory of its own too. */
int vit_open(Vit **out, Backend *be, const VitConfig *config, int64_t max_images, bool training);
void vit_free(Vit **v);

/* Bytes that a network takes on a backend. Negative, with the message set, when memory is out. */
int64_t vit_memory(const VitConfig *config, int64_t max_images, bool training, const Backend *be);

/* Draws the initial weights (method A.6). */
int vit_init(Vit *v, uint64_t seed);

/* Sets the values of parameter i of vit_params from host memory. In a network for scoring, a
 * backend may pack the matrices; they are then not in the slab. */
int vit_set(Vit *v, int i, const float *values);

/* ---- int8. VitRange in vit_config.h says which values are bytes; all others are bf16. */

/* ERR_FAIL if a range is not finite, empty or reversed. */
int vit_check_ranges(const VitConfig *config, const VitRange *ranges);

/* Checks and sets the ranges. A network opened for int8 needs it before its first forward. */
int vit_set_ranges(Vit *v, const VitRange *ranges);

/* From now on, each forward widens `ranges` (depth x VIT_SITES, the caller's) to the values it
 * sees. Not for int8. */
void vit_observe(Vit *v, VitRange *ranges);

/* Runs the network. frames: (inputs, 3 frames, image, image) in [-1, 1], backend memory. mask:
 * (images, N) of 0/1, or NULL. images % inputs must be 0. Results: vit_features (images T, D) and
 * vit_prediction. */
void vit_forward(Vit *v, const float *frames, int64_t inputs, int64_t images, const uint8_t *mask,
                 const VitNoise *noise);

/* The last forward's prediction (images, 3, image, image), unclamped; backend memory, borrowed. */
const float *vit_prediction(const Vit *v);

/* Training only: the gradients of the prediction and of the features. The loss writes the first.
 * vit_forward zeroes the second, and losses add to it. */
float *vit_dprediction(Vit *v);
Tensor vit_dfeatures(Vit *v);
Tensor vit_features(const Vit *v);

/* Computes the gradients of every weight, once for each forward and once a step. Gradients of
 * matrices are written; all others are added to, after vit_zero_gradients. The gradients overwrite
 * the activations, and the next forward overwrites the gradients. */
void vit_backward(Vit *v);
void vit_zero_gradients(Vit *v);

/* The memory's losses (method E). vit_memory_loss sums the losses of the last forward's addressing
 * into `sums` (host, valid after sync). vit_memory_total is their weighted sum, as it enters L.
 * vit_backward adds their gradients. All are zero without a memory. */
void vit_memory_loss(Vit *v, double sums[2]);
double vit_memory_total(const Vit *v, const double sums[2]);

/* Moves MNAD's items towards the last forward's features, once a step. Scoring does not call it, so
 * that a score depends on its pair alone. */
void vit_memory_update(Vit *v);

const VitConfig *vit_config(const Vit *v);
Backend *vit_backend(const Vit *v);

/* The table of weights (borrowed). The slabs of weights and gradients lie in backend memory and
 * have the same layout. */
const VitParam *vit_params(const Vit *v, int *count);
float *vit_weights(Vit *v);
float *vit_gradients(Vit *v);
int64_t vit_slab_count(const Vit *v); /* floats */

/* Counts the parameters, and those that decay, for the census (method A.5, A.8). */
void vit_census(const VitConfig *config, int *tensors, int64_t *values, int64_t *decayed);

#endif
