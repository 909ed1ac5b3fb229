/* The activations of a network and their gradients, and where they lie in one slab. */
#ifndef MODEL_ACTS_H
#define MODEL_ACTS_H

#include "model/vit.h"

/* The activations of one block that the backward pass reads. In evaluation all blocks share one
 * set. norm1 and norm2 share one place among all blocks in training too: the backward pass computes
 * them again, which costs less than keeping them. */
typedef struct {
    Tensor norm1, qkv, context, branch1, mid; /* mid: the stream after attention */
    Tensor norm2, pre, hidden, branch2, out;
    float *mean1, *rstd1, *mean2, *rstd2, *lse;
    int32_t *images[2]; /* host: the images that each branch keeps */
    Kept kept[2];
} BlockActs;

typedef struct {
    Tensor patches, embedded, x0, features, decoded;
    Tensor addresses; /* of the memory: (rows, items) */
    Tensor read;      /* the decoder's input: the memory's output, or the features without one */
    float *bias, *mean, *rstd, *prediction;
    BlockActs *block; /* depth of them; owned by the caller */
    /* training only */
    Tensor dx, dbranch, dqkv, dcontext, dhidden, dnorm, dfeatures, dread, ddecoded, dembedded;
    float *dbias, *dprediction;
    float *gradients; /* of the weights, laid out as params_layout says */
} Acts;

/* Places everything from `base` (aligned to 64) and returns the bytes it takes. A NULL base only
 * counts. The residual stream and the prediction are f32. The inputs of a block's layers have the
 * type `input`; all other activations have it too, or bf16 where it is U8. params: the rows of
 * params_layout. */
int64_t acts_plan(Acts *a, char *base, const VitConfig *config, DType input, int64_t images,
                  bool training, const VitParam *params, int count);

#endif
