#include "model/vit.h"

#include <assert.h>
#include <math.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/system.h"
#include "model/acts.h"
#include "model/params.h"

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
    int64_t floats, matrix_floats; /* of a weight slab; of the matrices, which come first */
    float *weights;
    VitWeights w, g;
    BlockMatrices *matrices; /* depth */
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

static int64_t plan(Vit *v, char *base) {
    return acts_plan(&v->a, base, &v->config, v->type, v->max_images, v->training, v->params,
                     v->param_count);
}

static int open_kept(Vit *v) {
    int64_t B = v->max_images;
    v->images_kept = mem_alloc((size_t)(2 * B * v->config.depth), sizeof(int32_t));
    if (!v->images_kept)
        return ERR_FAIL;
    for (int64_t l = 0; l < v->config.depth; l++)
        for (int branch = 0; branch < 2; branch++)
            v->a.block[l].images[branch] = v->images_kept + (2 * l + branch) * B;
    return 0;
}

static int open_matrices(Vit *v) {
    const VitConfig *c = &v->config;
    int64_t D = c->width, hidden = VIT_MLP_RATIO * D, area = c->patch * c->patch;
    v->matrices = mem_alloc((size_t)c->depth, sizeof *v->matrices);
    if (!v->matrices)
        return ERR_FAIL;
    v->patch_matrix = (Weight){v->w.patch_weight, D, VIT_COLOURS * c->frames * area, NULL};
    v->decoder_matrix = (Weight){v->w.decoder_weight, VIT_COLOURS * area, vit_decoded(c), NULL};
    for (int64_t l = 0; l < c->depth; l++) {
        const VitBlock *w = &v->w.block[l];
        v->matrices[l] = (BlockMatrices){.qkv = {w->qkv_weight, 3 * D, D, NULL},
                                         .proj = {w->proj_weight, D, D, NULL},
                                         .fc1 = {w->fc1_weight, hidden, D, NULL},
                                         .fc2 = {w->fc2_weight, D, hidden, NULL}};
    }
    return 0;
}

/* The matrix whose values are at this place of the slab. */
static Weight *find_matrix(Vit *v, const float *place) {
    if (v->patch_matrix.data == place)
        return &v->patch_matrix;
    for (int64_t l = 0; l < v->config.depth; l++) {
        BlockMatrices *m = &v->matrices[l];
        Weight *const all[] = {&m->qkv, &m->proj, &m->fc1, &m->fc2};
        for (int i = 0; i < 4; i++)
            if (all[i]->data == place)
                return all[i];
    }
    assert(v->decoder_matrix.data == place);
    return &v->decoder_matrix;
}

int vit_set(Vit *v, int i, const float *values) {
    Backend *be = v->be;
    const VitParam *p = &v->params[i];
    float *place = v->weights + p->offset;
    if (v->training || !p->matrix) {
        be->upload(be, place, values, (size_t)p->count * sizeof(float));
        return 0;
    }
    Weight *w = find_matrix(v, place);
    w->data = values;
    bool inside = p->block >= 0; /* the blocks' inputs are bytes in int8, others' bf16 */
    int code = be->weight_pack(be, w, v->type == U8 && !inside ? BF16 : v->type);
    w->data = place;
    if (!w->packed)
        be->upload(be, place, values, (size_t)p->count * sizeof(float));
    return code;
}

/* Draws one weight (method A.6) and sets it. */
static int draw(Vit *v, int i, uint64_t seed) {
    if (v->params[i].count == 0)
        return 0;
    float *values = mem_alloc((size_t)v->params[i].count, sizeof *values);
    if (!values)
        return ERR_FAIL;
    params_draw(values, &v->params[i], &v->config, seed);
    int code = vit_set(v, i, values);
    mem_free(values);
    return code;
}

/* What is no parameter has its value from the start. */
static int set_constants(Vit *v) {
    int code = 0;
    for (int i = 0; i < v->param_count && !code; i++)
        if (!v->params[i].name[0])
            code = draw(v, i, 0);
    return code;
}

static int open_parts(Vit *v) {
    v->params = params_layout(&v->config, &v->param_count, &v->floats);
    v->a.block = mem_alloc((size_t)v->config.depth, sizeof *v->a.block);
    if (!v->params || !v->a.block)
        return ERR_FAIL;
    for (int i = 0; i < v->param_count; i++)
        v->matrix_floats += v->params[i].matrix ? v->params[i].count : 0;
    size_t bytes = (size_t)v->floats * sizeof(float);
    v->weights = v->be->alloc(v->be, bytes);
    if (!v->weights || params_bind(&v->w, &v->config, v->weights))
        return ERR_FAIL;
    size_t slab = (size_t)plan(v, NULL);
    v->slab = v->be->alloc(v->be, slab);
    if (!v->slab)
        return ERR_FAIL;
    plan(v, v->slab);
    if (v->training && params_bind(&v->g, &v->config, v->a.gradients))
        return ERR_FAIL;
    return open_kept(v) || open_matrices(v) ? ERR_FAIL : set_constants(v);
}

int vit_open(Vit **out, Backend *be, const VitConfig *config, int64_t max_images, bool training) {
    char need[16], have[16];
    int code = vit_config_check(config);
    if (code)
        return code;
    if (training && be->type == U8)
        return err_set(ERR_USAGE, "int8 is for scoring; train in bf16 or f32");
    int64_t bytes = vit_memory(config, max_images, training, be);
    int64_t total = system_memory_total();
    if (bytes < 0)
        return ERR_FAIL;
    if (total > 0 && bytes > total)
        return err_set(ERR_FAIL,
                       "the network needs %s, this machine has %s in all; a smaller image, size or "
                       "batch, or a larger patch needs less",
                       mem_text(need, sizeof need, (double)bytes),
                       mem_text(have, sizeof have, (double)total));
    Vit *v = mem_alloc(1, sizeof *v);
    if (!v)
        return ERR_FAIL;
    v->be = be;
    v->type = be->type;
    v->config = *config;
    v->max_images = max_images;
    v->N = vit_patches(config);
    v->T = v->N + 1;
    v->training = training;
    code = open_parts(v);
    if (code) {
        vit_free(&v);
        return code;
    }
    *out = v;
    return 0;
}

void vit_free(Vit **pv) {
    Vit *v = pv ? *pv : NULL;
    if (!v)
        return;
    Backend *be = v->be;
    be->weight_release(be, &v->patch_matrix);
    be->weight_release(be, &v->decoder_matrix);
    for (int64_t l = 0; v->matrices && l < v->config.depth; l++) {
        BlockMatrices *m = &v->matrices[l];
        be->weight_release(be, &m->qkv);
        be->weight_release(be, &m->proj);
        be->weight_release(be, &m->fc1);
        be->weight_release(be, &m->fc2);
    }
    be->release(be, v->weights);
    be->release(be, v->slab);
    mem_free(v->w.block);
    mem_free(v->g.block);
    mem_free(v->params);
    mem_free(v->a.block);
    mem_free(v->matrices);
    mem_free(v->images_kept);
    mem_free(v);
    *pv = NULL;
}

/* Bytes that a weight takes; matrices are packed for scoring. */
static int64_t param_bytes(const Vit *v, const Backend *be, const VitParam *p) {
    if (v->training || !p->matrix)
        return p->count * (int64_t)sizeof(float);
    if (v->type == U8 && p->block >= 0) /* with a scale and a sum for each output */
        return p->count * be->packed_byte + 2 * p->shape[0] * (int64_t)sizeof(float);
    return p->count * (int64_t)dtype_bytes(v->type == U8 ? BF16 : v->type);
}

int64_t vit_memory(const VitConfig *config, int64_t max_images, bool training, const Backend *be) {
    Vit v = {.config = *config, .max_images = max_images, .training = training, .type = be->type};
    v.a.block = mem_alloc((size_t)config->depth, sizeof *v.a.block);
    v.params = v.a.block ? params_layout(config, &v.param_count, &v.floats) : NULL;
    int64_t result = ERR_FAIL;
    if (v.params)
        result = plan(&v, NULL);
    for (int i = 0; v.params && i < v.param_count; i++)
        result += param_bytes(&v, be, &v.params[i]);
    mem_free(v.params);
    mem_free(v.a.block);
    return result;
}

void vit_census(const VitConfig *config, int *tensors, int64_t *values, int64_t *decayed) {
    int count = 0;
    int64_t floats;
    VitParam *params = params_layout(config, &count, &floats);
    *tensors = 0;
    *values = *decayed = 0;
    for (int i = 0; params && i < count; i++) {
        if (!params[i].name[0])
            continue;
        *tensors += 1;
        *values += params[i].count;
        *decayed += params[i].decay ? params[i].count : 0;
    }
    mem_free(params);
}

int vit_init(Vit *v, uint64_t seed) {
    int code = 0;
    for (int i = 0; i < v->param_count && !code; i++)
        code = draw(v, i, seed);
    return code;
}

/* Places of the noise in a pass: the embedding, then two branches a block. */
enum { SITE_EMBED = 0 };

static Noise site_noise(const Vit *v, int64_t block, int branch) {
    const VitNoise *n = &v->noise;
    double depth_share = v->config.depth > 1 ? (double)block / (double)(v->config.depth - 1) : 0;
    return (Noise){.seed = n->seed,
                   .step = n->step,
                   .site = (uint32_t)(1 + 2 * block + branch),
                   .drop = n->drop,
                   .drop_path = n->drop_path * depth_share,
                   .tokens = v->T};
}

static Noise embed_noise(const Vit *v) {
    Noise n = site_noise(v, 0, 0);
    n.site = SITE_EMBED;
    n.drop_path = 0;
    return n;
}

static AttentionShape attention_shape(const Vit *v, int64_t images) {
    return (AttentionShape){images, v->T, v->config.heads, v->config.width / v->config.heads};
}

static PatchGrid grid_of(const Vit *v, int64_t frames) {
    return (PatchGrid){v->config.image, v->config.patch, VIT_COLOURS * frames};
}

/* With the weights that MemAE and MNAD give their losses: 2e-4 for the mean entropy of a patch's
 * addresses; 0.1 for the mean square of a value of q - m1, and 0.1 for the mean separateness. */
static Memory memory_of(const Vit *v) {
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

static float *items_of(const VitWeights *w) {
    return w->memae_items ? w->memae_items : w->mnad_items;
}

/* The first rows of a tensor planned for max_images: those of the images at hand. */
static Tensor part(Tensor t, int64_t rows) {
    t.rows = rows;
    return t;
}

static Kept all_images(const Vit *v) {
    return (Kept){v->T, v->images, NULL};
}

/* Draws the images whose branch is not dropped. */
static void draw_kept(const Vit *v, BlockActs *a, int branch, const Noise *noise) {
    Kept *k = &a->kept[branch];
    *k = (Kept){v->T, 0, a->images[branch]};
    for (int64_t b = 0; b < v->images; b++)
        if (noise_path(noise, b * v->T) > 0)
            a->images[branch][k->count++] = (int32_t)b;
    if (k->count == v->images)
        k->image = NULL;
}

/* The activations of a block cut to the images at hand, those of a branch to the ones it keeps. */
static BlockActs block_part(const Vit *v, int64_t l) {
    BlockActs a = v->a.block[l];
    int64_t rows = v->images * v->T, rows1 = a.kept[0].count * v->T, rows2 = a.kept[1].count * v->T;
    a.mid.rows = a.out.rows = rows;
    a.norm1.rows = a.qkv.rows = a.context.rows = a.branch1.rows = rows1;
    a.norm2.rows = a.pre.rows = a.hidden.rows = a.branch2.rows = rows2;
    return a;
}

/* The step of bytes over a range, which must hold zero: it is what padding and GELU's lower end
 * are. 0 where there is none. */
static float range_step(const VitRange r) {
    float step = (fmaxf(r[1], 0) - fminf(r[0], 0)) / 255;
    bool fits = isfinite(r[0]) && isfinite(r[1]) && r[0] <= r[1] && isfinite(step);
    return fits && step > 1e-30f ? step : 0;
}

int vit_check_ranges(const VitConfig *config, const VitRange *ranges) {
    for (int64_t i = 0; i < config->depth * VIT_SITES; i++)
        if (!(range_step(ranges[i]) > 0))
            return err_set(ERR_FAIL, "the int8 range %lld is %g to %g; expected two numbers apart",
                           (long long)i, (double)ranges[i][0], (double)ranges[i][1]);
    return 0;
}

int vit_set_ranges(Vit *v, const VitRange *ranges) {
    int code = vit_check_ranges(&v->config, ranges);
    for (int64_t i = 0; i < v->config.depth * VIT_SITES && !code; i++) {
        BlockActs *a = &v->a.block[i / VIT_SITES];
        Tensor *const sites[VIT_SITES] = {&a->norm1, &a->context, &a->norm2, &a->hidden};
        Tensor *t = sites[i % VIT_SITES];
        t->scale = range_step(ranges[i]);
        t->zero = (int32_t)lrintf(-fminf(ranges[i][0], 0) / t->scale);
    }
    return code;
}

void vit_observe(Vit *v, VitRange *ranges) {
    v->ranges = ranges;
}

static void widen(VitRange range, Tensor t) {
    for (int64_t i = 0; i < tensor_count(t); i++) {
        float x = t.type == F32 ? ((float *)t.data)[i] : bf16_float(((uint16_t *)t.data)[i]);
        range[0] = fminf(range[0], x);
        range[1] = fmaxf(range[1], x);
    }
}

static void observe(const Vit *v, int64_t l, int site, Tensor t) {
    if (v->ranges)
        widen(v->ranges[l * VIT_SITES + site], t);
}

/* The bias of block l's attention; without tables it stays zero. */
static void relpos(Vit *v, int64_t l) {
    const float *table = v->w.relpos_table ? v->w.relpos_table : v->w.block[l].block_table;
    if (table)
        v->be->relpos_forward(v->be, v->a.bias, table, v->config.image / v->config.patch,
                              v->config.heads);
}

static void block_forward(Vit *v, int64_t l, Tensor x) {
    Backend *be = v->be;
    const VitBlock *w = &v->w.block[l];
    if (v->config.relpos == RELPOS_BLOCK)
        relpos(v, l);
    const BlockMatrices *m = &v->matrices[l];
    Noise n1 = site_noise(v, l, 0), n2 = site_noise(v, l, 1);
    draw_kept(v, &v->a.block[l], 0, &n1);
    draw_kept(v, &v->a.block[l], 1, &n2);
    BlockActs a = block_part(v, l);
    be->layernorm_forward(be, a.norm1, a.mean1, a.rstd1, x, w->norm1_weight, w->norm1_bias,
                          &a.kept[0]);
    observe(v, l, 0, a.norm1);
    be->linear_forward(be, a.qkv, a.norm1, &m->qkv, w->q_bias);
    be->attention_forward(be, a.context, a.lse, a.qkv, v->a.bias,
                          attention_shape(v, a.kept[0].count));
    observe(v, l, 1, a.context);
    be->linear_residual_forward(be, a.mid, a.branch1, x, a.context, &m->proj, w->proj_bias,
                                w->gamma_1, &n1, &a.kept[0]);
    be->layernorm_forward(be, a.norm2, a.mean2, a.rstd2, a.mid, w->norm2_weight, w->norm2_bias,
                          &a.kept[1]);
    observe(v, l, 2, a.norm2);
    be->linear_gelu_forward(be, a.hidden, a.pre, a.norm2, &m->fc1, w->fc1_bias);
    observe(v, l, 3, a.hidden);
    be->linear_residual_forward(be, a.out, a.branch2, a.mid, a.hidden, &m->fc2, w->fc2_bias,
                                w->gamma_2, &n2, &a.kept[1]);
}

void vit_forward(Vit *v, const float *frames, int64_t inputs, int64_t images, const uint8_t *mask,
                 const VitNoise *noise) {
    Backend *be = v->be;
    v->inputs = inputs;
    v->images = images;
    v->mask = mask;
    v->noise = noise ? *noise : (VitNoise){0};
    int64_t rows = images * v->T;
    Tensor patches = part(v->a.patches, inputs * v->N),
           embedded = part(v->a.embedded, inputs * v->N);
    Tensor x = part(v->a.x0, rows), features = part(v->a.features, rows);
    Noise n = embed_noise(v);
    Kept all = all_images(v);
    be->patchify(be, patches, frames, grid_of(v, v->config.frames), 0);
    be->linear_forward(be, embedded, patches, &v->patch_matrix, v->w.patch_bias);
    be->embed_forward(be, x, embedded, v->w.cls_token, v->w.mask_token, v->w.pos_embed, mask, &n);
    if (v->config.relpos == RELPOS_SHARED)
        relpos(v, 0);
    for (int64_t l = 0; l < v->config.depth; l++) {
        block_forward(v, l, x);
        x = part(v->a.block[l].out, rows);
    }
    be->layernorm_forward(be, features, v->a.mean, v->a.rstd, x, v->w.norm_weight, v->w.norm_bias,
                          &all);
    if (v->config.memory) {
        Memory m = memory_of(v);
        be->memory_forward(be, part(v->a.read, rows), part(v->a.addresses, rows), features,
                           items_of(&v->w), &m);
    }
    be->linear_forward(be, part(v->a.decoded, rows), part(v->a.read, rows), &v->decoder_matrix,
                       v->w.decoder_bias);
    be->unpatchify(be, v->a.prediction, part(v->a.decoded, rows), grid_of(v, 1), 1);
    if (v->config.residual)
        be->add_frame(be, v->a.prediction, frames, mask, grid_of(v, v->config.frames),
                      (FrameShare){images, inputs});
    if (v->training)
        be->zero(be, v->a.dfeatures.data, tensor_bytes(part(v->a.dfeatures, rows)));
}

static size_t bias_bytes(const Vit *v) {
    return (size_t)(v->config.heads * v->T * v->T) * sizeof(float);
}

static void relpos_gradient(Vit *v, float *dtable) {
    v->be->relpos_backward(v->be, dtable, v->a.dbias, v->config.image / v->config.patch,
                           v->config.heads);
}

/* dx comes in as the gradient of the block's output and leaves as that of its input x. */
static void block_backward(Vit *v, int64_t l, Tensor x, Tensor dx) {
    Backend *be = v->be;
    const VitBlock *w = &v->w.block[l], *g = &v->g.block[l];
    const BlockMatrices *m = &v->matrices[l];
    BlockActs a = block_part(v, l);
    Noise n1 = site_noise(v, l, 0), n2 = site_noise(v, l, 1);
    int64_t rows1 = a.qkv.rows, rows2 = a.hidden.rows;
    be->linear_residual_backward(be, part(v->a.dhidden, rows2), g->fc2_weight, g->fc2_bias,
                                 g->gamma_2, part(v->a.dbranch, rows2), dx, a.branch2, a.hidden,
                                 a.pre, &m->fc2, w->gamma_2, &n2, &a.kept[1]);
    be->layernorm_forward(be, a.norm2, a.mean2, a.rstd2, a.mid, w->norm2_weight, w->norm2_bias,
                          &a.kept[1]); /* again; see acts.h */
    be->linear_backward(be, part(v->a.dnorm, rows2), g->fc1_weight, g->fc1_bias,
                        part(v->a.dhidden, rows2), a.norm2, &m->fc1);
    be->layernorm_backward(be, dx, g->norm2_weight, g->norm2_bias, part(v->a.dnorm, rows2), a.mid,
                           a.mean2, a.rstd2, w->norm2_weight, &a.kept[1]);
    be->linear_residual_backward(be, part(v->a.dcontext, rows1), g->proj_weight, g->proj_bias,
                                 g->gamma_1, part(v->a.dbranch, rows1), dx, a.branch1, a.context,
                                 (Tensor){0}, &m->proj, w->gamma_1, &n1, &a.kept[0]);
    bool own_table = v->config.relpos == RELPOS_BLOCK;
    if (own_table) {
        relpos(v, l);
        be->zero(be, v->a.dbias, bias_bytes(v));
    }
    be->attention_backward(be, part(v->a.dqkv, rows1), v->a.dbias, part(v->a.dcontext, rows1),
                           a.context, a.qkv, a.lse, v->a.bias, attention_shape(v, a.kept[0].count));
    if (own_table)
        relpos_gradient(v, g->block_table);
    be->layernorm_forward(be, a.norm1, a.mean1, a.rstd1, x, w->norm1_weight, w->norm1_bias,
                          &a.kept[0]);
    be->linear_backward(be, part(v->a.dnorm, rows1), g->qkv_weight, g->q_bias,
                        part(v->a.dqkv, rows1), a.norm1, &m->qkv);
    be->layernorm_backward(be, dx, g->norm1_weight, g->norm1_bias, part(v->a.dnorm, rows1), x,
                           a.mean1, a.rstd1, w->norm1_weight, &a.kept[0]);
    if (!v->config.key_bias)
        be->zero(be, g->k_bias, (size_t)v->config.width * sizeof(float));
    for (int i = 0; i < 2 && v->config.layer_scale == 0; i++)
        be->zero(be, i ? g->gamma_2 : g->gamma_1, (size_t)v->config.width * sizeof(float));
}

void vit_backward(Vit *v) {
    Backend *be = v->be;
    int64_t rows = v->images * v->T, depth = v->config.depth;
    Tensor dx = part(v->a.dx, rows), dfeatures = part(v->a.dfeatures, rows);
    Tensor ddecoded = part(v->a.ddecoded, rows), dnorm = part(v->a.dnorm, rows);
    Tensor dread = part(v->a.dread, rows);
    Noise n = embed_noise(v);
    Kept all = all_images(v);
    be->zero(be, v->a.dbias, bias_bytes(v));
    be->zero(be, dx.data, tensor_bytes(dx));
    be->patchify(be, ddecoded, v->a.dprediction, grid_of(v, 1), 1);
    be->linear_backward(be, dread, v->g.decoder_weight, v->g.decoder_bias, ddecoded,
                        part(v->a.read, rows), &v->decoder_matrix);
    if (v->config.memory) {
        Memory m = memory_of(v);
        be->memory_backward(be, dnorm, items_of(&v->g), dread, part(v->a.addresses, rows),
                            part(v->a.features, rows), items_of(&v->w), &m);
    }
    /* Two gradients meet at the features: the decoder's and the consistency term's. */
    for (int i = 0; i < 2; i++)
        be->layernorm_backward(be, dx, v->g.norm_weight, v->g.norm_bias, i ? dfeatures : dnorm,
                               part(v->a.block[depth - 1].out, rows), v->a.mean, v->a.rstd,
                               v->w.norm_weight, &all);
    for (int64_t l = depth - 1; l >= 0; l--)
        block_backward(v, l, part(l > 0 ? v->a.block[l - 1].out : v->a.x0, rows), dx);
    if (v->config.relpos == RELPOS_SHARED)
        relpos_gradient(v, v->g.relpos_table);
    Tensor dembedded = part(v->a.dembedded, v->inputs * v->N);
    be->embed_backward(be, dembedded, v->g.cls_token, v->g.mask_token, v->g.pos_embed, dx, v->mask,
                       &n);
    be->linear_backward(be, (Tensor){0}, v->g.patch_weight, v->g.patch_bias, dembedded,
                        part(v->a.patches, v->inputs * v->N), &v->patch_matrix);
}

void vit_zero_gradients(Vit *v) {
    size_t vectors = (size_t)(v->floats - v->matrix_floats) * sizeof(float);
    v->be->zero(v->be, v->a.gradients + v->matrix_floats, vectors);
}

double vit_memory_loss(Vit *v) {
    double loss[2];
    Memory m = memory_of(v);
    if (m.kind == MEMORY_NONE)
        return 0;
    v->be->memory_loss(v->be, loss, part(v->a.addresses, v->images * v->T), vit_features(v),
                       items_of(&v->w), &m);
    return m.weight[0] * loss[0] + m.weight[1] * loss[1];
}

void vit_memory_update(Vit *v) {
    Memory m = memory_of(v);
    if (m.kind == MEMORY_MNAD)
        v->be->memory_update(v->be, v->w.mnad_items, vit_features(v), &m);
}

const float *vit_prediction(const Vit *v) {
    return v->a.prediction;
}

float *vit_dprediction(Vit *v) {
    return v->a.dprediction;
}

Tensor vit_features(const Vit *v) {
    return part(v->a.features, v->images * v->T);
}

Tensor vit_dfeatures(Vit *v) {
    return part(v->a.dfeatures, v->images * v->T);
}

const VitConfig *vit_config(const Vit *v) {
    return &v->config;
}

Backend *vit_backend(const Vit *v) {
    return v->be;
}

const VitParam *vit_params(const Vit *v, int *count) {
    *count = v->param_count;
    return v->params;
}

float *vit_weights(Vit *v) {
    return v->weights;
}

float *vit_gradients(Vit *v) {
    return v->a.gradients;
}

int64_t vit_slab_count(const Vit *v) {
    return v->floats;
}
