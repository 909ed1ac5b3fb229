#include "model/params.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"

enum { DECAY = 1, MATRIX = 2, FIXED = 4 };

typedef enum {
    PART_ALWAYS,
    PART_SHARED_TABLE,
    PART_BLOCK_TABLE,
    PART_POS_EMBED,
    PART_KEY_BIAS,
    PART_LAYER_SCALE,
    PART_MEMAE,
    PART_MNAD
} Part;

static bool has_part(const VitConfig *c, Part part) {
    switch (part) {
    case PART_SHARED_TABLE:
        return c->relpos == RELPOS_SHARED;
    case PART_BLOCK_TABLE:
        return c->relpos == RELPOS_BLOCK;
    case PART_POS_EMBED:
        return c->pos_embed;
    case PART_KEY_BIAS:
        return c->key_bias;
    case PART_LAYER_SCALE:
        return c->layer_scale > 0;
    case PART_MEMAE:
        return c->memory == MEMORY_MEMAE;
    case PART_MNAD:
        return c->memory == MEMORY_MNAD;
    default:
        return true;
    }
}

/* Blocks use these parts even if they are not learned. */
static bool is_needed(Part part) {
    return part == PART_KEY_BIAS || part == PART_LAYER_SCALE;
}

static void add(VitParam **next, const VitConfig *config, const char *prefix, int block,
                const char *name, Part part, int init, int flags, int rank,
                const int64_t shape[4]) {
    VitParam *p = (*next)++;
    if (config->depth && has_part(config, part))
        snprintf(p->name, sizeof p->name, "%s%s", prefix, name);
    p->rank = rank;
    p->count = config->depth && (p->name[0] || is_needed(part));
    for (int i = 0; i < rank; i++) {
        p->shape[i] = shape[i];
        p->count *= shape[i];
    }
    p->init = init;
    p->block = block;
    p->decay = flags & DECAY;
    p->matrix = flags & MATRIX;
    p->fixed = flags & FIXED;
}

#define SHAPE(...)                                                                                 \
    (const int64_t[4]) {                                                                           \
        __VA_ARGS__                                                                                \
    }

VitParam *params_layout(const VitConfig *config, int *count, int64_t *floats) {
    const int64_t D = config->width, M = VIT_MLP_RATIO * D, P = config->patch, H = config->heads;
    const int64_t C = VIT_COLOURS * config->frames, O = VIT_COLOURS * P * P;
    const int64_t g = config->image / P, R = (2 * g - 1) * (2 * g - 1) + 3, T = g * g + 1;
    const int64_t K = vit_items(config), E = vit_decoded(config);
    /* The structs hold one pointer for each row. */
    enum { ROWS_OUTSIDE = offsetof(VitWeights, block) / sizeof(float *) };
    enum { ROWS_IN_BLOCK = sizeof(VitBlock) / sizeof(float *) };
    int rows = ROWS_OUTSIDE + ROWS_IN_BLOCK * (int)config->depth;
    VitParam *params = mem_alloc((size_t)rows, sizeof *params), *next = params;
    if (!params)
        return NULL;
#define ROW(prefix, block, name, part, init, flags, rank, shape)                                   \
    add(&next, config, prefix, block, name, PART_##part, INIT_##init, flags, rank, SHAPE shape);
#define TOP(field, ...) ROW("", -1, __VA_ARGS__)
#define BLOCK(...)
#define TAIL(...)
#include "model/vit.def"
#undef TOP
#undef BLOCK
    for (int l = 0; l < config->depth; l++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "encoder.blocks.%d.", l);
#define TOP(...)
#define BLOCK(field, ...) ROW(prefix, l, __VA_ARGS__)
#include "model/vit.def"
#undef BLOCK
#undef TAIL
    }
#define BLOCK(...)
#define TAIL(field, ...) ROW("", -1, __VA_ARGS__)
#include "model/vit.def"
#undef TOP
#undef BLOCK
#undef TAIL
    assert(next == params + rows);
    *count = rows;
    *floats = 0;
    int stream = 0;
    for (VitParam *p = params; p < next; p++)
        p->stream = p->count ? stream++ : 0;
    for (int vector = 0; vector < 2; vector++)
        for (VitParam *p = params; p < next; p++)
            if (p->matrix != vector) {
                p->offset = *floats;
                *floats += p->count;
            }
    return params;
}

int params_bind(VitWeights *w, const VitConfig *config, float *slab) {
    int count;
    int64_t floats;
    VitParam *params = params_layout(config, &count, &floats);
    w->block = mem_alloc((size_t)config->depth, sizeof *w->block);
    if (!params || !w->block) {
        mem_free(params);
        return ERR_FAIL;
    }
    const VitParam *p = params;
#define PLACE(field)                                                                               \
    w->field = p->count ? slab + p->offset : NULL;                                                 \
    p++;
#define TOP(field, ...) PLACE(field)
#define BLOCK(...)
#define TAIL(...)
#include "model/vit.def"
#undef TOP
#undef BLOCK
#define TOP(...)
    for (int l = 0; l < config->depth; l++) {
#define BLOCK(field, ...) PLACE(block[l].field)
#include "model/vit.def"
#undef BLOCK
#undef TAIL
    }
#define BLOCK(...)
#define TAIL(field, ...) PLACE(field)
#include "model/vit.def"
#undef TOP
#undef BLOCK
#undef TAIL
    mem_free(params);
    return 0;
}

static void normalise(float *x, int64_t n) {
    double squares = 0;
    for (int64_t i = 0; i < n; i++)
        squares += (double)x[i] * x[i];
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(x[i] / sqrt(squares));
}

void params_draw(float *out, const VitParam *p, const VitConfig *config, uint64_t seed) {
    Rng r = rng_stream(seed, RNG_INIT, (uint32_t)p->stream, 0);
    double bound = 1 / sqrt((double)vit_decoded(config)); /* PyTorch's for a 1x1 convolution */
    double shrink = p->init == INIT_PROJ ? 1 / sqrt(2.0 * (p->block + 1)) : 1;
    for (int64_t i = 0; i < p->count; i++) {
        double x = 0;
        switch (p->init) {
        case INIT_TRUNCATED:
        case INIT_PROJ:
            x = rng_truncated_normal(&r, (uint64_t)i, 0.02) * shrink;
            break;
        case INIT_ONE:
            x = 1;
            break;
        case INIT_GAMMA:
            x = config->layer_scale > 0 ? config->layer_scale : 1;
            break;
        case INIT_DECODER: /* zero: the network first predicts no change */
            if (config->residual)
                break;
            /* fall through */
        case INIT_UNIFORM:
        case INIT_UNIT:
            x = (2 * rng_uniform(&r, (uint64_t)i) - 1) * bound;
            break;
        }
        out[i] = (float)x;
    }
    for (int64_t i = 0; p->init == INIT_UNIT && i < p->count; i += p->shape[1])
        normalise(out + i, p->shape[1]);
}
