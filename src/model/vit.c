/* The network: opens it, sets its weights and gives its results. */
#include <assert.h>
#include <math.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/system.h"
#include "model/vit_internal.h"

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

/* The matrix whose values lie at `place` in the slab. */
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
    bool inside = p->block >= 0; /* in int8, inputs of matrices in blocks are bytes, others bf16 */
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

/* Sets the weights that are constants in this network. */
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
    if (v->type == U8 && p->block >= 0) /* plus a scale and a sum for each output */
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

/* The step between two byte values over a range. The range is widened to hold zero, since padding
 * and GELU's lower end are zero. 0 if the range is not valid. */
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

void vit_zero_gradients(Vit *v) {
    size_t vectors = (size_t)(v->floats - v->matrix_floats) * sizeof(float);
    v->be->zero(v->be, v->a.gradients + v->matrix_floats, vectors);
}

void vit_memory_loss(Vit *v, double sums[2]) {
    Memory m = vit_memory_settings(v);
    sums[0] = sums[1] = 0;
    if (m.kind != MEMORY_NONE)
        v->be->memory_loss(v->be, sums, first_rows(v->a.addresses, v->images * v->T),
                           vit_features(v), vit_items_in(&v->w), &m);
}

double vit_memory_total(const Vit *v, const double sums[2]) {
    Memory m = vit_memory_settings(v);
    return m.kind == MEMORY_NONE ? 0 : m.weight[0] * sums[0] + m.weight[1] * sums[1];
}

void vit_memory_update(Vit *v) {
    Memory m = vit_memory_settings(v);
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
    return first_rows(v->a.features, v->images * v->T);
}

Tensor vit_dfeatures(Vit *v) {
    return first_rows(v->a.dfeatures, v->images * v->T);
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
