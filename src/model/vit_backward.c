/* The backward pass: block_forward's steps in reverse. */
#include "model/vit_internal.h"

static size_t bias_bytes(const Vit *v) {
    return (size_t)(v->config.heads * v->T * v->T) * sizeof(float);
}

static void relpos_gradient(Vit *v, float *dtable) {
    v->be->relpos_backward(v->be, dtable, v->a.dbias, v->config.image / v->config.patch,
                           v->config.heads);
}

/* The backward passes of a block's layer norms add their share to dx. */
static void norm1_backward(Vit *v, int64_t l, const BlockActs *a, Tensor x, Tensor dx) {
    v->be->layernorm_backward(v->be,
                              &(LayerNormBackward){.dx = dx,
                                                   .dw = v->g.block[l].norm1_weight,
                                                   .db = v->g.block[l].norm1_bias,
                                                   .dout = first_rows(v->a.dnorm, a->norm1.rows),
                                                   .x = x,
                                                   .mean = a->mean1,
                                                   .rstd = a->rstd1,
                                                   .w = v->w.block[l].norm1_weight,
                                                   .kept = &a->kept[0]});
}

static void norm2_backward(Vit *v, int64_t l, const BlockActs *a, Tensor dx) {
    v->be->layernorm_backward(v->be,
                              &(LayerNormBackward){.dx = dx,
                                                   .dw = v->g.block[l].norm2_weight,
                                                   .db = v->g.block[l].norm2_bias,
                                                   .dout = first_rows(v->a.dnorm, a->norm2.rows),
                                                   .x = a->mid,
                                                   .mean = a->mean2,
                                                   .rstd = a->rstd2,
                                                   .w = v->w.block[l].norm2_weight,
                                                   .kept = &a->kept[1]});
}

/* Adds the MLP branch's share to dx. Its layer norm is computed again; see acts.h. */
static void mlp_backward(Vit *v, int64_t l, const BlockActs *a, Tensor dx) {
    Backend *be = v->be;
    const VitBlock *w = &v->w.block[l], *g = &v->g.block[l];
    const BlockMatrices *m = &v->matrices[l];
    Noise noise = vit_branch_noise(v, l, 1);
    int64_t rows = a->hidden.rows;
    Tensor dhidden = first_rows(v->a.dhidden, rows);
    be->linear_residual_backward(
        be, &(LinearResidualBackward){.din = dhidden,
                                      .dw = g->fc2_weight,
                                      .db = g->fc2_bias,
                                      .dgamma = g->gamma_2,
                                      .dbranch = first_rows(v->a.dbranch, rows),
                                      .dx = dx,
                                      .branch = a->branch2,
                                      .in = a->hidden,
                                      .pre = a->pre,
                                      .w = &m->fc2,
                                      .gamma = w->gamma_2,
                                      .noise = &noise,
                                      .kept = &a->kept[1]});
    vit_norm2(v, l, a);
    be->linear_backward(be, first_rows(v->a.dnorm, rows), g->fc1_weight, g->fc1_bias, dhidden,
                        a->norm2, &m->fc1);
    norm2_backward(v, l, a, dx);
}

/* Adds the attention branch's share to dx. x is the block's input. */
static void attention_backward(Vit *v, int64_t l, const BlockActs *a, Tensor x, Tensor dx) {
    Backend *be = v->be;
    const VitBlock *w = &v->w.block[l], *g = &v->g.block[l];
    const BlockMatrices *m = &v->matrices[l];
    Noise noise = vit_branch_noise(v, l, 0);
    int64_t rows = a->qkv.rows;
    Tensor dcontext = first_rows(v->a.dcontext, rows), dqkv = first_rows(v->a.dqkv, rows);
    be->linear_residual_backward(
        be, &(LinearResidualBackward){.din = dcontext,
                                      .dw = g->proj_weight,
                                      .db = g->proj_bias,
                                      .dgamma = g->gamma_1,
                                      .dbranch = first_rows(v->a.dbranch, rows),
                                      .dx = dx,
                                      .branch = a->branch1,
                                      .in = a->context,
                                      .w = &m->proj,
                                      .gamma = w->gamma_1,
                                      .noise = &noise,
                                      .kept = &a->kept[0]});
    bool own_table = v->config.relpos == RELPOS_BLOCK;
    if (own_table) {
        vit_relpos(v, l);
        be->zero(be, v->a.dbias, bias_bytes(v));
    }
    be->attention_backward(be,
                           &(AttentionBackward){.dqkv = dqkv,
                                                .dbias = v->a.dbias,
                                                .dout = dcontext,
                                                .out = a->context,
                                                .qkv = a->qkv,
                                                .lse = a->lse,
                                                .bias = v->a.bias,
                                                .shape = vit_attention_shape(v, a->kept[0].count)});
    if (own_table)
        relpos_gradient(v, g->block_table);
    vit_norm1(v, l, a, x);
    be->linear_backward(be, first_rows(v->a.dnorm, rows), g->qkv_weight, g->q_bias, dqkv, a->norm1,
                        &m->qkv);
    norm1_backward(v, l, a, x, dx);
}

/* Zeroes the gradients that the operations computed for constants. */
static void zero_constants(Vit *v, int64_t l) {
    const VitBlock *g = &v->g.block[l];
    size_t bytes = (size_t)v->config.width * sizeof(float);
    if (!v->config.key_bias)
        v->be->zero(v->be, g->k_bias, bytes);
    if (v->config.layer_scale == 0) {
        v->be->zero(v->be, g->gamma_1, bytes);
        v->be->zero(v->be, g->gamma_2, bytes);
    }
}

/* Turns dx from the gradient of the block's output into that of its input x. */
static void block_backward(Vit *v, int64_t l, Tensor x, Tensor dx) {
    BlockActs a = vit_block_acts(v, l);
    mlp_backward(v, l, &a, dx);
    attention_backward(v, l, &a, x, dx);
    zero_constants(v, l);
}

/* From the prediction to the features: dnorm becomes the decoder's gradient of the features. */
static void decode_backward(Vit *v, Tensor dnorm) {
    Backend *be = v->be;
    int64_t rows = v->images * v->T;
    Tensor ddecoded = first_rows(v->a.ddecoded, rows), dread = first_rows(v->a.dread, rows);
    be->patchify(be, ddecoded, v->a.dprediction, vit_grid(v, 1), 1);
    be->linear_backward(be, dread, v->g.decoder_weight, v->g.decoder_bias, ddecoded,
                        first_rows(v->a.read, rows), &v->decoder_matrix);
    if (!v->config.memory)
        return;
    Memory m = vit_memory_settings(v);
    be->memory_backward(be, dnorm, vit_items_in(&v->g), dread, first_rows(v->a.addresses, rows),
                        first_rows(v->a.features, rows), vit_items_in(&v->w), &m);
}

static void embed_backward(Vit *v, Tensor dx) {
    Backend *be = v->be;
    Tensor dembedded = first_rows(v->a.dembedded, v->inputs * v->N);
    Noise noise = vit_embed_noise(v);
    be->embed_backward(be, &(EmbedBackward){.dpatches = dembedded,
                                            .dcls = v->g.cls_token,
                                            .dmask_token = v->g.mask_token,
                                            .dpos = v->g.pos_embed,
                                            .dx = dx,
                                            .mask = v->mask,
                                            .noise = &noise});
    be->linear_backward(be, (Tensor){0}, v->g.patch_weight, v->g.patch_bias, dembedded,
                        first_rows(v->a.patches, v->inputs * v->N), &v->patch_matrix);
}

void vit_backward(Vit *v) {
    Backend *be = v->be;
    int64_t rows = v->images * v->T, depth = v->config.depth;
    Tensor dx = first_rows(v->a.dx, rows), dnorm = first_rows(v->a.dnorm, rows);
    be->zero(be, v->a.dbias, bias_bytes(v));
    be->zero(be, dx.data, tensor_bytes(dx));
    decode_backward(v, dnorm);
    /* The features have two gradients: the decoder's and the consistency term's. */
    const Tensor dfeatures[] = {dnorm, first_rows(v->a.dfeatures, rows)};
    Kept all = vit_all_images(v);
    for (int i = 0; i < 2; i++)
        be->layernorm_backward(
            be, &(LayerNormBackward){.dx = dx,
                                     .dw = v->g.norm_weight,
                                     .db = v->g.norm_bias,
                                     .dout = dfeatures[i],
                                     .x = first_rows(v->a.block[depth - 1].out, rows),
                                     .mean = v->a.mean,
                                     .rstd = v->a.rstd,
                                     .w = v->w.norm_weight,
                                     .kept = &all});
    for (int64_t l = depth - 1; l >= 0; l--)
        block_backward(v, l, first_rows(l > 0 ? v->a.block[l - 1].out : v->a.x0, rows), dx);
    if (v->config.relpos == RELPOS_SHARED)
        relpos_gradient(v, v->g.relpos_table);
    embed_backward(v, dx);
}
