/* The forward pass, block by block. */
#include <math.h>

#include "model/vit_internal.h"

/* Sites of the noise in a pass: the embedding, then two branches for each block. */
enum { SITE_EMBED = 0 };

Noise vit_branch_noise(const Vit *v, int64_t block, int branch) {
    const VitNoise *n = &v->noise;
    double depth_share = v->config.depth > 1 ? (double)block / (double)(v->config.depth - 1) : 0;
    return (Noise){.seed = n->seed,
                   .step = n->step,
                   .site = (uint32_t)(1 + 2 * block + branch),
                   .drop = n->drop,
                   .drop_path = n->drop_path * depth_share,
                   .tokens = v->T,
                   .part = n->part};
}

Noise vit_embed_noise(const Vit *v) {
    Noise n = vit_branch_noise(v, 0, 0);
    n.site = SITE_EMBED;
    n.drop_path = 0;
    return n;
}

/* The loss weights are those of the papers. MemAE: 2e-4 for the mean entropy of a patch's
 * addresses. MNAD: 0.1 for the mean square of a value of q - m1, and 0.1 for the mean separateness.
 */
Memory vit_memory_settings(const Vit *v) {
    double patches = (double)(v->images * v->N);
    Memory m = {.kind = v->config.memory, .count = vit_items(&v->config), .tokens = v->T};
    if (m.kind == MEMORY_MEMAE) {
        m.shrink = 0.0025;
        m.weight[0] = 2e-4 / patches;
    } else {
        m.weight[0] = 0.1 / (patches * (double)v->config.width);
        m.weight[1] = 0.1 / patches;
    }
    return m;
}

/* Draws the images whose branch is not dropped. */
static void draw_kept(const Vit *v, BlockActs *a, int branch, const Noise *noise) {
    Kept *k = &a->kept[branch];
    *k = (Kept){v->T, 0, a->images[branch]};
    for (int64_t b = 0; b < v->images; b++)
        if (noise_path(noise, b) > 0)
            a->images[branch][k->count++] = (int32_t)b;
    if (k->count == v->images)
        k->image = NULL;
}

BlockActs vit_block_acts(const Vit *v, int64_t l) {
    BlockActs a = v->a.block[l];
    int64_t rows = v->images * v->T, rows1 = a.kept[0].count * v->T, rows2 = a.kept[1].count * v->T;
    a.mid.rows = a.out.rows = rows;
    a.norm1.rows = a.qkv.rows = a.context.rows = a.branch1.rows = rows1;
    a.norm2.rows = a.pre.rows = a.hidden.rows = a.branch2.rows = rows2;
    return a;
}

/* Widens the range to the values of t, which come to the host piece by piece. */
static void widen(Backend *be, VitRange range, Tensor t) {
    enum { PIECE = 4096 };
    union {
        float f32[PIECE];
        uint16_t bf16[PIECE];
    } piece;
    int64_t count = tensor_count(t);
    for (int64_t first = 0; first < count; first += PIECE) {
        int64_t n = count - first < PIECE ? count - first : PIECE;
        be->download(be, &piece, tensor_at(t, 0, first), (size_t)n * dtype_bytes(t.type));
        for (int64_t i = 0; i < n; i++) {
            float x = t.type == F32 ? piece.f32[i] : bf16_float(piece.bf16[i]);
            range[0] = fminf(range[0], x);
            range[1] = fmaxf(range[1], x);
        }
    }
}

static void observe(const Vit *v, int64_t l, int site, Tensor t) {
    if (v->ranges)
        widen(v->be, v->ranges[l * VIT_SITES + site], t);
}

void vit_relpos(Vit *v, int64_t l) {
    const float *table = v->w.relpos_table ? v->w.relpos_table : v->w.block[l].block_table;
    if (table)
        v->be->relpos_forward(v->be, v->a.bias, table, v->config.image / v->config.patch,
                              v->config.heads);
}

void vit_norm1(Vit *v, int64_t l, const BlockActs *a, Tensor x) {
    v->be->layernorm_forward(v->be, &(LayerNormForward){.out = a->norm1,
                                                        .mean = a->mean1,
                                                        .rstd = a->rstd1,
                                                        .x = x,
                                                        .w = v->w.block[l].norm1_weight,
                                                        .b = v->w.block[l].norm1_bias,
                                                        .kept = &a->kept[0]});
}

void vit_norm2(Vit *v, int64_t l, const BlockActs *a) {
    v->be->layernorm_forward(v->be, &(LayerNormForward){.out = a->norm2,
                                                        .mean = a->mean2,
                                                        .rstd = a->rstd2,
                                                        .x = a->mid,
                                                        .w = v->w.block[l].norm2_weight,
                                                        .b = v->w.block[l].norm2_bias,
                                                        .kept = &a->kept[1]});
}

/* a.mid = x + the attention branch of norm1(x). */
static void attention_branch(Vit *v, int64_t l, const BlockActs *a, Tensor x, const Noise *noise) {
    Backend *be = v->be;
    const VitBlock *w = &v->w.block[l];
    const BlockMatrices *m = &v->matrices[l];
    vit_norm1(v, l, a, x);
    observe(v, l, 0, a->norm1);
    be->linear_forward(be, a->qkv, a->norm1, &m->qkv, w->q_bias);
    be->attention_forward(be,
                          &(AttentionForward){.out = a->context,
                                              .lse = a->lse,
                                              .qkv = a->qkv,
                                              .bias = v->a.bias,
                                              .shape = vit_attention_shape(v, a->kept[0].count)});
    observe(v, l, 1, a->context);
    be->linear_residual_forward(be, &(LinearResidualForward){.out = a->mid,
                                                             .branch = a->branch1,
                                                             .x = x,
                                                             .in = a->context,
                                                             .w = &m->proj,
                                                             .bias = w->proj_bias,
                                                             .gamma = w->gamma_1,
                                                             .noise = noise,
                                                             .kept = &a->kept[0]});
}

/* a.out = a.mid + the MLP branch of norm2(a.mid). */
static void mlp_branch(Vit *v, int64_t l, const BlockActs *a, const Noise *noise) {
    Backend *be = v->be;
    const VitBlock *w = &v->w.block[l];
    const BlockMatrices *m = &v->matrices[l];
    vit_norm2(v, l, a);
    observe(v, l, 2, a->norm2);
    be->linear_gelu_forward(be, a->hidden, a->pre, a->norm2, &m->fc1, w->fc1_bias);
    observe(v, l, 3, a->hidden);
    be->linear_residual_forward(be, &(LinearResidualForward){.out = a->out,
                                                             .branch = a->branch2,
                                                             .x = a->mid,
                                                             .in = a->hidden,
                                                             .w = &m->fc2,
                                                             .bias = w->fc2_bias,
                                                             .gamma = w->gamma_2,
                                                             .noise = noise,
                                                             .kept = &a->kept[1]});
}

static void block_forward(Vit *v, int64_t l, Tensor x) {
    Noise n1 = vit_branch_noise(v, l, 0), n2 = vit_branch_noise(v, l, 1);
    draw_kept(v, &v->a.block[l], 0, &n1);
    draw_kept(v, &v->a.block[l], 1, &n2);
    BlockActs a = vit_block_acts(v, l);
    if (v->config.relpos == RELPOS_BLOCK)
        vit_relpos(v, l);
    attention_branch(v, l, &a, x, &n1);
    mlp_branch(v, l, &a, &n2);
}

/* Embeds the input frames as tokens, in v->a.x0. */
static Tensor embed(Vit *v, const float *frames) {
    Backend *be = v->be;
    Tensor patches = first_rows(v->a.patches, v->inputs * v->N);
    Tensor embedded = first_rows(v->a.embedded, v->inputs * v->N);
    Tensor x = first_rows(v->a.x0, v->images * v->T);
    Noise noise = vit_embed_noise(v);
    be->patchify(be, patches, frames, vit_grid(v, v->config.frames), 0);
    be->linear_forward(be, embedded, patches, &v->patch_matrix, v->w.patch_bias);
    be->embed_forward(be, &(EmbedForward){.x = x,
                                          .patches = embedded,
                                          .cls = v->w.cls_token,
                                          .mask_token = v->w.mask_token,
                                          .pos = v->w.pos_embed,
                                          .mask = v->mask,
                                          .noise = &noise});
    return x;
}

/* Decodes the features into v->a.prediction, through the memory if the network has one. */
static void decode(Vit *v, const float *frames, Tensor features) {
    Backend *be = v->be;
    int64_t rows = v->images * v->T;
    Tensor read = first_rows(v->a.read, rows), decoded = first_rows(v->a.decoded, rows);
    if (v->config.memory) {
        Memory m = vit_memory_settings(v);
        be->memory_forward(be, read, first_rows(v->a.addresses, rows), features,
                           vit_items_in(&v->w), &m);
    }
    be->linear_forward(be, decoded, read, &v->decoder_matrix, v->w.decoder_bias);
    be->unpatchify(be, v->a.prediction, decoded, vit_grid(v, 1), 1);
    if (v->config.residual)
        be->add_frame(be, v->a.prediction, frames, v->mask, vit_grid(v, v->config.frames),
                      (FrameShare){v->images, v->inputs});
}

void vit_forward(Vit *v, const float *frames, int64_t inputs, int64_t images, const uint8_t *mask,
                 const VitNoise *noise) {
    Backend *be = v->be;
    int64_t rows = images * v->T;
    v->inputs = inputs;
    v->images = images;
    v->mask = mask;
    v->noise = noise ? *noise : (VitNoise){0};
    Tensor x = embed(v, frames), features = first_rows(v->a.features, rows);
    if (v->config.relpos == RELPOS_SHARED)
        vit_relpos(v, 0);
    for (int64_t l = 0; l < v->config.depth; l++) {
        block_forward(v, l, x);
        x = first_rows(v->a.block[l].out, rows);
    }
    Kept all = vit_all_images(v);
    be->layernorm_forward(be, &(LayerNormForward){.out = features,
                                                  .mean = v->a.mean,
                                                  .rstd = v->a.rstd,
                                                  .x = x,
                                                  .w = v->w.norm_weight,
                                                  .b = v->w.norm_bias,
                                                  .kept = &all});
    decode(v, frames, features);
    if (v->training)
        be->zero(be, v->a.dfeatures.data, tensor_bytes(first_rows(v->a.dfeatures, rows)));
}
