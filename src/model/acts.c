#include "model/acts.h"

/* The same code counts bytes and hands out pointers. */
typedef struct {
    char *base;
    int64_t used;
    const VitConfig *config;
    DType type, input; /* type: of activations; input: of the inputs of a block's layers */
    bool training;
    int64_t B, N, T; /* images, patches, tokens */
} Plan;

static void *take(Plan *p, int64_t bytes) {
    void *at = p->base ? p->base + p->used : NULL;
    p->used += (bytes + 63) / 64 * 64;
    return at;
}

static float *take_floats(Plan *p, int64_t count) {
    return take(p, count * (int64_t)sizeof(float));
}

static Tensor take_tensor(Plan *p, DType type, int64_t rows, int64_t cols) {
    Tensor t = {.rows = rows, .cols = cols, .type = type};
    t.data = take(p, (int64_t)tensor_bytes(t));
    return t;
}

static void plan_block(Plan *p, BlockActs *a, Tensor norm) {
    int64_t rows = p->B * p->T, D = p->config->width, hidden = VIT_MLP_RATIO * D;
    DType type = p->type, input = p->input;
    a->norm1 = a->norm2 = norm;
    a->qkv = take_tensor(p, type, rows, 3 * D);
    a->context = take_tensor(p, input, rows, D);
    a->mid = take_tensor(p, F32, rows, D);
    a->hidden = take_tensor(p, input, rows, hidden);
    a->out = take_tensor(p, F32, rows, D);
    if (p->training) {
        a->branch1 = take_tensor(p, type, rows, D);
        a->pre = take_tensor(p, type, rows, hidden);
        a->branch2 = take_tensor(p, type, rows, D);
    }
    a->mean1 = take_floats(p, rows);
    a->rstd1 = take_floats(p, rows);
    a->mean2 = take_floats(p, rows);
    a->rstd2 = take_floats(p, rows);
    a->lse = take_floats(p, rows * p->config->heads);
}

/* Places the gradients in the memory of the blocks' activations. After the backward pass
 * of block l, the gradients of block l - 1 overwrite the activations of block l. The gradients
 * begin at the lowest place where none of them overwrites activations that are still needed. The
 * blocks' activations begin at `first`; those of one block take `each` bytes. */
static float *plan_gradients(Plan *p, int64_t first, int64_t each, const VitParam *params,
                             int count) {
    int64_t start = first, floats = 0;
    for (int i = 0; i < count; i++) {
        const VitParam *w = &params[i];
        /* The decoder's gradient is written first, and vectors' gradients are sums from the
         * start. Both must lie after all activations. */
        int64_t needed = first + p->config->depth * each;
        if (w->matrix && w->block >= 0)
            needed = first + (w->block + 1) * each;
        else if (w->offset == 0) /* the patch embedding, whose gradient is written last */
            needed = first;
        int64_t least = needed - w->offset * (int64_t)sizeof(float);
        start = least > start ? least : start;
        floats += w->count;
    }
    p->used = (start + 63) / 64 * 64;
    return take_floats(p, floats);
}

static void plan_backward(Plan *p, Acts *a) {
    const VitConfig *c = p->config;
    DType type = p->type;
    int64_t rows = p->B * p->T, D = c->width, area = c->patch * c->patch;
    a->dbias = take_floats(p, c->heads * p->T * p->T);
    a->dprediction = take_floats(p, p->B * VIT_COLOURS * c->image * c->image);
    a->dx = take_tensor(p, F32, rows, D);
    a->dbranch = take_tensor(p, type, rows, D);
    a->dqkv = take_tensor(p, type, rows, 3 * D);
    a->dcontext = take_tensor(p, type, rows, D);
    a->dhidden = take_tensor(p, type, rows, VIT_MLP_RATIO * D);
    a->dnorm = take_tensor(p, type, rows, D);
    a->dfeatures = take_tensor(p, F32, rows, D);
    a->dread = c->memory ? take_tensor(p, type, rows, vit_decoded(c)) : a->dnorm;
    a->ddecoded = take_tensor(p, type, rows, VIT_COLOURS * area);
    a->dembedded = take_tensor(p, type, p->B * p->N, D);
}

int64_t acts_plan(Acts *a, char *base, const VitConfig *c, DType input, int64_t images,
                  bool training, const VitParam *params, int count) {
    DType type = input == U8 ? BF16 : input;
    Plan plan = {base, 0, c, type, input, training, images, vit_patches(c), vit_patches(c) + 1};
    Plan *p = &plan;
    int64_t rows = p->B * p->T, D = c->width, area = c->patch * c->patch;
    if (!c->depth) /* no network */
        return 0;
    a->patches = take_tensor(p, type, p->B * p->N, VIT_COLOURS * c->frames * area);
    a->embedded = take_tensor(p, F32, p->B * p->N, D);
    a->x0 = take_tensor(p, F32, rows, D);
    a->bias = take_floats(p, c->heads * p->T * p->T);
    a->mean = take_floats(p, rows);
    a->rstd = take_floats(p, rows);
    a->features = a->read = take_tensor(p, type, rows, D);
    if (c->memory) {
        a->addresses = take_tensor(p, type, rows, vit_items(c));
        a->read = take_tensor(p, type, rows, vit_decoded(c));
    }
    a->decoded = take_tensor(p, F32, rows, VIT_COLOURS * area);
    a->prediction = take_floats(p, p->B * VIT_COLOURS * c->image * c->image);
    if (training)
        plan_backward(p, a);
    Tensor norm = take_tensor(p, input, rows, D);
    int64_t first = p->used;
    for (int64_t l = 0; l < c->depth; l++) {
        if (l == 0 || training)
            plan_block(p, &a->block[l], norm);
        else
            a->block[l] = a->block[0];
    }
    if (training)
        a->gradients = plan_gradients(p, first, (p->used - first) / c->depth, params, count);
    return p->used;
}
