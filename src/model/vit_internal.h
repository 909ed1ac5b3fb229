/* Internals of the network, shared by vit.c, which opens it, and vit_forward.c and vit_backward.c,
 * which run it. */
#ifndef MODEL_VIT_INTERNAL_H
#define MODEL_VIT_INTERNAL_H

#include "model/acts.h"
#include "model/params.h"
#include "model/vit.h"

typedef struct {
    Weight qkv, proj, fc1, fc2;
} BlockMatrices;

struct Vit {
    Backend *be;
    VitConfig config;
    DType type; /* of activations */
    int64_t max_images, T, N;
    bool training;
    VitParam *params;
    int param_count;
    int64_t floats, matrix_floats; /* size of a weight slab; of its matrices, which come first */
    float *weights;
    VitWeights w, g;
    BlockMatrices *matrices; /* `depth` of them */
    Weight patch_matrix, decoder_matrix;
    char *slab; /* of activations and gradients */
    Acts a;
    int32_t *images_kept; /* host, for a.block */
    VitRange *ranges;     /* observed; borrowed */
    /* of the last forward */
    const uint8_t *mask;
    int64_t inputs, images;
    VitNoise noise;
};

/* Cuts a tensor planned for max_images to the rows of the current images. */
static inline Tensor first_rows(Tensor t, int64_t rows) {
    t.rows = rows;
    return t;
}

/* The patch grid of `frames` frames stacked as channels. */
static inline PatchGrid vit_grid(const Vit *v, int64_t frames) {
    return (PatchGrid){v->config.image, v->config.patch, VIT_COLOURS * frames};
}

static inline AttentionShape vit_attention_shape(const Vit *v, int64_t images) {
    return (AttentionShape){images, v->T, v->config.heads, v->config.width / v->config.heads};
}

static inline Kept vit_all_images(const Vit *v) {
    return (Kept){v->T, v->images, NULL};
}

/* The items of MemAE's or MNAD's memory, or their gradients. */
static inline float *vit_items_in(const VitWeights *w) {
    return w->memae_items ? w->memae_items : w->mnad_items;
}

/* ---- Defined in vit_forward.c. The backward pass calls them too, to compute parts again. */

/* The noise of the embedding, and of a block's branch (0 attention, 1 MLP). */
Noise vit_embed_noise(const Vit *v);
Noise vit_branch_noise(const Vit *v, int64_t block, int branch);

/* The memory with the weights of its losses, for the current images. */
Memory vit_memory_settings(const Vit *v);

/* The activations of block l, cut to the current images. Those of a branch are cut to the images
 * that the branch keeps. */
BlockActs vit_block_acts(const Vit *v, int64_t l);

/* Fills v->a.bias for the attention of block l; it stays zero without tables. */
void vit_relpos(Vit *v, int64_t l);

/* Compute norm1 of block l's input x, and norm2 of the stream after its attention. */
void vit_norm1(Vit *v, int64_t l, const BlockActs *a, Tensor x);
void vit_norm2(Vit *v, int64_t l, const BlockActs *a);

#endif
