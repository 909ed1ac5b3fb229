/* The activations of a network and their gradients, and where they lie in one slab. */
#ifndef MODEL_ACTS_H
#define MODEL_ACTS_H

#include "model/vit.h"

/* Of a block; what the backward pass reads. In evaluation all blocks share one set; norm1 and norm2
 * share one place among all blocks always, since computing them again costs less than keeping. */
typedef struct {
    Tensor norm1, qkv, context, branch1, mid; /* mid: the stream after attention */
    Tensor norm2, pre, hidden, branch2, out;
    float *mean1, *rstd1, *mean2, *rstd2, *lse;
    int32_t *images[2]; /* host: those that the two branches keep */
    Kept kept[2];
} BlockActs;

typedef struct {
    Tensor patches, embedded, x0, features, decoded;
    Tensor addresses, read; /* of the memory (rows, items); what the decoder reads: the features
                               themselves where there is none */
    float *bias, *mean, *rstd, *prediction;
    BlockActs *block; /* depth; the caller's */
    /* training only */
    Tensor dx, dbranch, dqkv, dcontext, dhidden, dnorm, dfeatures, dread, ddecoded, dembedded;
    float *dbias, *dprediction;
    float *gradients; /* of the weights, laid out by the rows below */
} Acts;

/* Places everything from `base` on (aligned to 64) and returns the bytes it takes; a NULL base only
 * counts. The residual stream and the prediction are f32; inputs of a block's layers are of
 * `input`'s type, all else too, but bf16 where that is U8. params: the rows of params_layout. */
int64_t acts_plan(Acts *a, char *base, const VitConfig *config, DType input, int64_t images,
                  bool training, const VitParam *params, int count);

#endif
