#include "model/vit.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/system.h"
#include "model/params.h"

const Opt vit_options[] = {
    OPT_INT_ROW(VitConfig, image, "image", "224", 8, 4096, "N", "input size in pixels, square"),
    OPT_INT_ROW(VitConfig, patch, "patch", "16", 2, 256, "N", "patch size in pixels"),
    OPT_INT_ROW(VitConfig, frames, "frames", "1", 1, 16, "N", "input frames, stacked as channels"),
    OPT_INT_ROW(VitConfig, width, "width", "768", 8, 4096, "N", "features of a token"),
    OPT_INT_ROW(VitConfig, depth, "depth", "12", 1, 64, "N", "transformer blocks"),
    OPT_INT_ROW(VitConfig, heads, "heads", "12", 1, 64, "N", "attention heads"),
    OPT_REAL_ROW(VitConfig, layer_scale, "layer-scale", "0.1", 1e-6, 10, "initial layer scale"),
    OPT_END,
};

const char *vit_size_options(const char *size) {
    static const char *const presets[][2] = {{"tiny", "width=192 depth=12 heads=3"},
                                             {"small", "width=384 depth=12 heads=6"},
                                             {"base", "width=768 depth=12 heads=12"}};
    for (int i = 0; i < 3; i++)
        if (strcmp(size, presets[i][0]) == 0)
            return presets[i][1];
    return NULL;
}

int vit_config_check(const VitConfig *c) {
    if (c->image % c->patch)
        return err_set(ERR_USAGE, "image %lld is not a multiple of patch %lld", (long long)c->image,
                       (long long)c->patch);
    if (c->width % c->heads)
        return err_set(ERR_USAGE, "width %lld is not a multiple of heads %lld", (long long)c->width,
                       (long long)c->heads);
    if (c->width % NOISE_LANES)
        return err_set(ERR_USAGE, "width %lld is not a multiple of %d", (long long)c->width,
                       NOISE_LANES);
    return 0;
}

int64_t vit_patches(const VitConfig *c) {
    return (c->image / c->patch) * (c->image / c->patch);
}

/* Activations of a block that the backward pass reads. In evaluation all blocks share one set. */
typedef struct {
    Tensor norm1, qkv, context, branch1, mid; /* mid: the stream after attention */
    Tensor norm2, pre, hidden, branch2, out;
    float *mean1, *rstd1, *mean2, *rstd2, *lse;
} BlockActs;

struct Vit {
    Backend *be;
    VitConfig config;
    int64_t max_images, T, N;
    bool training;
    VitParam *params;
    int param_count;
    int64_t floats; /* of a weight slab */
    float *weights, *gradients;
    VitWeights w, g;
    /* activations, in one slab */
    float *slab;
    Tensor patches, embedded, x0, features, decoded;
    float *bias, *dbias, *mean, *rstd, *prediction, *dprediction;
    BlockActs *acts;
    /* gradients of activations; training only */
    Tensor dx, dbranch, dqkv, dcontext, dhidden, dnorm, dfeatures, ddecoded, dembedded;
    /* of the last forward */
    const uint8_t *mask;
    int64_t inputs, images;
    VitNoise noise;
};

/* The slab is planned by the same code that hands out pointers: a first pass with base NULL counts,
 * a second one places. */
typedef struct {
    float *base;
    int64_t used;
} Plan;

static float *take(Plan *p, int64_t floats) {
    float *at = p->base ? p->base + p->used : NULL;
    p->used += (floats + 15) / 16 * 16;
    return at;
}

static Tensor take_tensor(Plan *p, int64_t rows, int64_t cols) {
    return (Tensor){take(p, rows * cols), rows, cols};
}

static void plan_block(Plan *p, BlockActs *a, const VitConfig *c, int64_t B, int64_t T) {
    int64_t rows = B * T, D = c->width;
    a->norm1 = take_tensor(p, rows, D);
    a->qkv = take_tensor(p, rows, 3 * D);
    a->context = take_tensor(p, rows, D);
    a->branch1 = take_tensor(p, rows, D);
    a->mid = take_tensor(p, rows, D);
    a->norm2 = take_tensor(p, rows, D);
    a->pre = take_tensor(p, rows, VIT_MLP_RATIO * D);
    a->hidden = take_tensor(p, rows, VIT_MLP_RATIO * D);
    a->branch2 = take_tensor(p, rows, D);
    a->out = take_tensor(p, rows, D);
    a->mean1 = take(p, rows);
    a->rstd1 = take(p, rows);
    a->mean2 = take(p, rows);
    a->rstd2 = take(p, rows);
    a->lse = take(p, rows * c->heads);
}

static void plan_activations(Vit *v, Plan *p) {
    const VitConfig *c = &v->config;
    int64_t B = v->max_images, T = v->T, D = c->width, area = c->patch * c->patch;
    int64_t pixels = B * VIT_COLOURS * c->image * c->image;
    v->patches = take_tensor(p, B * v->N, VIT_COLOURS * c->frames * area);
    v->embedded = take_tensor(p, B * v->N, D);
    v->x0 = take_tensor(p, B * T, D);
    v->bias = take(p, c->heads * T * T);
    v->mean = take(p, B * T);
    v->rstd = take(p, B * T);
    v->features = take_tensor(p, B * T, D);
    v->decoded = take_tensor(p, B * T, VIT_COLOURS * area);
    v->prediction = take(p, pixels);
    for (int64_t l = 0; l < c->depth; l++) {
        if (l == 0 || v->training)
            plan_block(p, &v->acts[l], c, B, T);
        else
            v->acts[l] = v->acts[0];
    }
    if (!v->training)
        return;
    v->dbias = take(p, c->heads * T * T);
    v->dprediction = take(p, pixels);
    v->dx = take_tensor(p, B * T, D);
    v->dbranch = take_tensor(p, B * T, D);
    v->dqkv = take_tensor(p, B * T, 3 * D);
    v->dcontext = take_tensor(p, B * T, D);
    v->dhidden = take_tensor(p, B * T, VIT_MLP_RATIO * D);
    v->dnorm = take_tensor(p, B * T, D);
    v->dfeatures = take_tensor(p, B * T, D);
    v->ddecoded = take_tensor(p, B * T, VIT_COLOURS * area);
    v->dembedded = take_tensor(p, B * v->N, D);
}

static int open_parts(Vit *v) {
    v->params = params_layout(&v->config, &v->param_count, &v->floats);
    v->acts = mem_alloc((size_t)v->config.depth, sizeof *v->acts);
    if (!v->params || !v->acts)
        return ERR_FAIL;
    size_t bytes = (size_t)v->floats * sizeof(float);
    v->weights = v->be->alloc(v->be, bytes);
    if (!v->weights || params_bind(&v->w, &v->config, v->weights))
        return ERR_FAIL;
    if (v->training) {
        v->gradients = v->be->alloc(v->be, bytes);
        if (!v->gradients || params_bind(&v->g, &v->config, v->gradients))
            return ERR_FAIL;
    }
    Plan plan = {NULL, 0};
    plan_activations(v, &plan);
    v->slab = v->be->alloc(v->be, (size_t)plan.used * sizeof(float));
    if (!v->slab)
        return ERR_FAIL;
    plan = (Plan){v->slab, 0};
    plan_activations(v, &plan);
    return 0;
}

int vit_open(Vit **out, Backend *be, const VitConfig *config, int64_t max_images, bool training) {
    char need[16], have[16];
    int code = vit_config_check(config);
    if (code)
        return code;
    int64_t bytes = vit_memory(config, max_images, training), total = system_memory_total();
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
    v->be->release(v->be, v->weights);
    v->be->release(v->be, v->gradients);
    v->be->release(v->be, v->slab);
    mem_free(v->w.block);
    mem_free(v->g.block);
    mem_free(v->params);
    mem_free(v->acts);
    mem_free(v);
    *pv = NULL;
}

int64_t vit_memory(const VitConfig *config, int64_t max_images, bool training) {
    Vit v = {.config = *config, .max_images = max_images, .training = training};
    v.N = vit_patches(config);
    v.T = v.N + 1;
    v.acts = mem_alloc((size_t)config->depth, sizeof *v.acts);
    int count;
    int64_t floats = 0;
    VitParam *params = v.acts ? params_layout(config, &count, &floats) : NULL;
    Plan plan = {NULL, 0};
    if (params)
        plan_activations(&v, &plan);
    int64_t bytes = (plan.used + floats * (training ? 2 : 1)) * (int64_t)sizeof(float);
    int64_t result = params ? bytes : ERR_FAIL;
    mem_free(params);
    mem_free(v.acts);
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
    float *host = mem_alloc((size_t)v->floats, sizeof *host);
    if (!host)
        return ERR_FAIL;
    for (int i = 0; i < v->param_count; i++)
        params_draw(host + v->params[i].offset, &v->params[i], i, &v->config, seed);
    v->be->upload(v->be, v->weights, host, (size_t)v->floats * sizeof(float));
    mem_free(host);
    return 0;
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

static AttentionShape attention_shape(const Vit *v) {
    return (AttentionShape){v->images, v->T, v->config.heads, v->config.width / v->config.heads};
}

static PatchGrid grid_of(const Vit *v, int64_t frames) {
    return (PatchGrid){v->config.image, v->config.patch, VIT_COLOURS * frames};
}

/* The first rows of a tensor planned for max_images: those of the images at hand. */
static Tensor part(Tensor t, int64_t rows) {
    return (Tensor){t.data, rows, t.cols};
}

static BlockActs block_part(const Vit *v, int64_t l) {
    BlockActs a = v->acts[l];
    Tensor *const all[] = {&a.norm1, &a.qkv, &a.context, &a.branch1, &a.mid,
                           &a.norm2, &a.pre, &a.hidden,  &a.branch2, &a.out};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]->rows = v->images * v->T;
    return a;
}

static void block_forward(Vit *v, int64_t l, Tensor x) {
    Backend *be = v->be;
    const VitBlock *w = &v->w.block[l];
    BlockActs a = block_part(v, l);
    Noise n1 = site_noise(v, l, 0), n2 = site_noise(v, l, 1);
    be->layernorm_forward(be, a.norm1, a.mean1, a.rstd1, x, w->norm1_weight, w->norm1_bias);
    be->linear_forward(be, a.qkv, a.norm1, w->qkv_weight, w->q_bias);
    be->attention_forward(be, a.context, a.lse, a.qkv, v->bias, attention_shape(v));
    be->linear_residual_forward(be, a.mid, a.branch1, x, a.context, w->proj_weight, w->proj_bias,
                                w->gamma_1, &n1);
    be->layernorm_forward(be, a.norm2, a.mean2, a.rstd2, a.mid, w->norm2_weight, w->norm2_bias);
    be->linear_gelu_forward(be, a.hidden, a.pre, a.norm2, w->fc1_weight, w->fc1_bias);
    be->linear_residual_forward(be, a.out, a.branch2, a.mid, a.hidden, w->fc2_weight, w->fc2_bias,
                                w->gamma_2, &n2);
}

void vit_forward(Vit *v, const float *frames, int64_t inputs, int64_t images, const uint8_t *mask,
                 const VitNoise *noise) {
    Backend *be = v->be;
    v->inputs = inputs;
    v->images = images;
    v->mask = mask;
    v->noise = noise ? *noise : (VitNoise){0};
    int64_t rows = images * v->T;
    Tensor patches = part(v->patches, inputs * v->N), embedded = part(v->embedded, inputs * v->N);
    Tensor x = part(v->x0, rows), features = part(v->features, rows);
    Noise n = embed_noise(v);
    be->patchify(be, patches, frames, grid_of(v, v->config.frames), 0);
    be->linear_forward(be, embedded, patches, v->w.patch_weight, v->w.patch_bias);
    be->embed_forward(be, x, embedded, v->w.cls_token, v->w.mask_token, mask, &n);
    be->relpos_forward(be, v->bias, v->w.relpos_table, v->config.image / v->config.patch,
                       v->config.heads);
    for (int64_t l = 0; l < v->config.depth; l++) {
        block_forward(v, l, x);
        x = part(v->acts[l].out, rows);
    }
    be->layernorm_forward(be, features, v->mean, v->rstd, x, v->w.norm_weight, v->w.norm_bias);
    be->linear_forward(be, part(v->decoded, rows), features, v->w.decoder_weight,
                       v->w.decoder_bias);
    be->unpatchify(be, v->prediction, part(v->decoded, rows), grid_of(v, 1), 1);
    if (v->training)
        be->zero(be, v->dfeatures.data, (size_t)(rows * v->config.width) * sizeof(float));
}

/* dx comes in as the gradient of the block's output and leaves as that of its input x. */
static void block_backward(Vit *v, int64_t l, Tensor x, Tensor dx) {
    Backend *be = v->be;
    const VitBlock *w = &v->w.block[l], *g = &v->g.block[l];
    BlockActs a = block_part(v, l);
    Noise n1 = site_noise(v, l, 0), n2 = site_noise(v, l, 1);
    Tensor dbranch = part(v->dbranch, dx.rows), dhidden = part(v->dhidden, dx.rows);
    Tensor dnorm = part(v->dnorm, dx.rows), dcontext = part(v->dcontext, dx.rows);
    Tensor dqkv = part(v->dqkv, dx.rows);
    be->linear_residual_backward(be, dhidden, g->fc2_weight, g->fc2_bias, g->gamma_2, dbranch, dx,
                                 a.branch2, a.hidden, w->fc2_weight, w->gamma_2, &n2);
    be->linear_gelu_backward(be, dnorm, g->fc1_weight, g->fc1_bias, dhidden, a.pre, a.norm2,
                             w->fc1_weight);
    be->layernorm_backward(be, dx, g->norm2_weight, g->norm2_bias, dnorm, a.mid, a.mean2, a.rstd2,
                           w->norm2_weight);
    be->linear_residual_backward(be, dcontext, g->proj_weight, g->proj_bias, g->gamma_1, dbranch,
                                 dx, a.branch1, a.context, w->proj_weight, w->gamma_1, &n1);
    be->attention_backward(be, dqkv, v->dbias, dcontext, a.context, a.qkv, a.lse, v->bias,
                           attention_shape(v));
    be->linear_backward(be, dnorm, g->qkv_weight, g->q_bias, dqkv, a.norm1, w->qkv_weight);
    be->layernorm_backward(be, dx, g->norm1_weight, g->norm1_bias, dnorm, x, a.mean1, a.rstd1,
                           w->norm1_weight);
    /* The key bias is no parameter. */
    be->zero(be, g->k_bias, (size_t)v->config.width * sizeof(float));
}

void vit_backward(Vit *v) {
    Backend *be = v->be;
    int64_t rows = v->images * v->T, depth = v->config.depth;
    size_t square = (size_t)(v->config.heads * v->T * v->T) * sizeof(float);
    Tensor dx = part(v->dx, rows), dfeatures = part(v->dfeatures, rows);
    Tensor ddecoded = part(v->ddecoded, rows), dnorm = part(v->dnorm, rows);
    Noise n = embed_noise(v);
    be->zero(be, v->dbias, square);
    be->zero(be, dx.data, (size_t)tensor_count(dx) * sizeof(float));
    be->patchify(be, ddecoded, v->dprediction, grid_of(v, 1), 1);
    be->linear_backward(be, dnorm, v->g.decoder_weight, v->g.decoder_bias, ddecoded,
                        part(v->features, rows), v->w.decoder_weight);
    /* Two gradients meet at the features: the decoder's and the consistency term's. */
    for (int i = 0; i < 2; i++)
        be->layernorm_backward(be, dx, v->g.norm_weight, v->g.norm_bias, i ? dfeatures : dnorm,
                               part(v->acts[depth - 1].out, rows), v->mean, v->rstd,
                               v->w.norm_weight);
    for (int64_t l = depth - 1; l >= 0; l--)
        block_backward(v, l, part(l > 0 ? v->acts[l - 1].out : v->x0, rows), dx);
    be->relpos_backward(be, v->g.relpos_table, v->dbias, v->config.image / v->config.patch,
                        v->config.heads);
    Tensor dembedded = part(v->dembedded, v->inputs * v->N);
    be->embed_backward(be, dembedded, v->g.cls_token, v->g.mask_token, dx, v->mask, &n);
    be->linear_backward(be, (Tensor){0}, v->g.patch_weight, v->g.patch_bias, dembedded,
                        part(v->patches, v->inputs * v->N), v->w.patch_weight);
}

void vit_zero_gradients(Vit *v) {
    v->be->zero(v->be, v->gradients, (size_t)v->floats * sizeof(float));
}

const float *vit_prediction(const Vit *v) {
    return v->prediction;
}

float *vit_dprediction(Vit *v) {
    return v->dprediction;
}

Tensor vit_features(const Vit *v) {
    return part(v->features, v->images * v->T);
}

Tensor vit_dfeatures(Vit *v) {
    return part(v->dfeatures, v->images * v->T);
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
    return v->gradients;
}

int64_t vit_slab_count(const Vit *v) {
    return v->floats;
}
