/* Patches, embedding, and the losses. */
#include <math.h>
#include <string.h>

#include "compute/cpu/cpu.h"

/* Returns where line k (channel after channel) of a row of patches begins in its image. */
static int64_t line_at(PatchGrid g, int64_t row, int64_t k) {
    return (k / g.patch * g.size + row * g.patch + k % g.patch) * g.size;
}

/* ---- images and tokens. A task copies one row of patches of an image, line by line. */

typedef struct {
    const Kernels *kn;
    bool to_tokens;
    float *image;
    Tensor tokens;
    PatchGrid grid;
    int64_t lead;
    float *lines; /* a line of pixels for each thread, in the tokens' type */
} Move;

/* A line of pixels, and its place in the token of its first patch. */
static void move_line(const Move *m, float *pixels, char *token, float *line) {
    DType type = m->tokens.type;
    int64_t value = (int64_t)dtype_bytes(type), bytes = m->grid.patch * value;
    char *at = (char *)(type == F32 ? pixels : line);
    if (m->to_tokens && type != F32)
        m->kn->round(line, type, pixels, m->grid.size);
    for (int64_t p = 0; p < m->grid.size / m->grid.patch; p++) {
        char *here = at + p * bytes, *there = token + p * m->tokens.cols * value;
        memcpy(m->to_tokens ? there : here, m->to_tokens ? here : there, (size_t)bytes);
    }
    if (!m->to_tokens && type != F32)
        m->kn->widen(pixels, line, type, m->grid.size);
}

static void move_task(void *arg, int64_t i, int thread) {
    const Move *m = arg;
    PatchGrid g = m->grid;
    int64_t side = g.size / g.patch, b = i / side, row = i % side;
    int64_t first = b * (side * side + m->lead);
    if (m->to_tokens && row == 0)
        memset(tensor_at(m->tokens, first, 0), 0,
               (size_t)(m->lead * m->tokens.cols) * dtype_bytes(m->tokens.type));
    for (int64_t k = 0; k < g.channels * g.patch; k++)
        move_line(m, m->image + b * g.channels * g.size * g.size + line_at(g, row, k),
                  tensor_at(m->tokens, first + m->lead + row * side, k * g.patch),
                  m->lines + thread * g.size);
}

static void move(Backend *be, Move m) {
    Cpu *cpu = cpu_of(be);
    int64_t rows = image_count(m.tokens, m.grid, m.lead) * (m.grid.size / m.grid.patch);
    m.kn = cpu->kn;
    m.lines = cpu_scratch(be, (size_t)(be->threads * m.grid.size) * sizeof(float));
    if (m.lines)
        pool_run(cpu->pool, rows, move_task, &m);
}

static void patchify(Backend *be, Tensor tokens, const float *image, PatchGrid g, int64_t lead) {
    move(be, (Move){.to_tokens = true,
                    .image = (float *)(uintptr_t)image,
                    .tokens = tokens,
                    .grid = g,
                    .lead = lead});
}

static void unpatchify(Backend *be, float *image, Tensor tokens, PatchGrid g, int64_t lead) {
    move(be, (Move){.image = image, .tokens = tokens, .grid = g, .lead = lead});
}

/* ---- embedding. */

typedef struct {
    const Kernels *kn;
    Tensor x, patches; /* or their gradients */
    const float *cls, *mask_token, *pos;
    float *dpos;
    const uint8_t *mask;
    const Noise *noise;
    float *masked; /* (T, D): each position's share of dcls (position 0) or dmask_token */
    float *rows;   /* forward: one for each thread, if there is pos; backward: two */
} Embed;

static void embed_task(void *arg, int64_t t, int thread) {
    const Embed *e = arg;
    int64_t T = e->noise->tokens, N = T - 1, D = e->x.cols, P = e->patches.rows / N;
    for (int64_t r = t * CPU_ROWS; r < cpu_rows_end(t, e->x.rows); r++) {
        int64_t b = r / T, n = r % T - 1;
        const void *from = n < 0 ? e->cls : e->mask && e->mask[b * N + n] ? e->mask_token : NULL;
        DType type = from ? F32 : e->patches.type;
        if (!from)
            from = tensor_at(e->patches, b % P * N + n, 0);
        if (e->pos) {
            float *row = e->rows + thread * D;
            e->kn->widen(row, from, type, D);
            e->kn->add(row, e->pos + (n + 1) * D, D);
            from = row;
            type = F32;
        }
        e->kn->drop(tensor_at(e->x, r, 0), from, type, e->noise, noise_row(e->noise, r) * D, D);
    }
}

static void embed_forward(Backend *be, const EmbedForward *a) {
    Cpu *cpu = cpu_of(be);
    Embed e = {.kn = cpu->kn,
               .x = a->x,
               .patches = a->patches,
               .cls = a->cls,
               .mask_token = a->mask_token,
               .pos = a->pos,
               .mask = a->mask,
               .noise = a->noise};
    if (a->pos && !(e.rows = cpu_scratch(be, (size_t)(be->threads * a->x.cols) * sizeof(float))))
        return;
    pool_run(cpu->pool, cpu_tasks(a->x.rows), embed_task, &e);
}

/* A task owns one position of all images, so that the sums over images are in one order. */
static void embed_backward_task(void *arg, int64_t t, int thread) {
    const Embed *e = arg;
    int64_t T = e->noise->tokens, N = T - 1, D = e->x.cols, B = e->x.rows / T;
    int64_t P = e->patches.rows / N;
    float *row = e->rows + 2 * thread * D, *sum = row + D, *masked = e->masked + t * D;
    memset(masked, 0, (size_t)D * sizeof(float));
    for (int64_t p = 0; p < P; p++) {
        memset(sum, 0, (size_t)D * sizeof(float));
        for (int64_t b = p; b < B; b += P) {
            int64_t r = b * T + t;
            e->kn->drop(row, tensor_at(e->x, r, 0), F32, e->noise, noise_row(e->noise, r) * D, D);
            bool patch = t > 0 && !(e->mask && e->mask[b * N + t - 1]);
            e->kn->add(patch ? sum : masked, row, D);
            if (e->dpos)
                e->kn->add(e->dpos + t * D, row, D);
        }
        if (t > 0)
            e->kn->round(tensor_at(e->patches, p * N + t - 1, 0), e->patches.type, sum, D);
    }
}

static void embed_backward(Backend *be, const EmbedBackward *a) {
    Cpu *cpu = cpu_of(be);
    int64_t T = a->noise->tokens, D = a->dx.cols;
    float *masked = cpu_scratch(be, (size_t)((T + 2 * be->threads) * D) * sizeof(float));
    if (!masked)
        return;
    Embed e = {.kn = cpu->kn,
               .x = a->dx,
               .patches = a->dpatches,
               .dpos = a->dpos,
               .mask = a->mask,
               .noise = a->noise,
               .masked = masked,
               .rows = masked + T * D};
    pool_run(cpu->pool, T, embed_backward_task, &e);
    cpu_add_parts(be, a->dcls, masked, 1, D);
    cpu_add_parts(be, a->dmask_token, masked + D, T - 1, D);
}

/* ---- pixels by mask. A task takes one row of patches of an image, in runs of patches that are all
 * masked or all unmasked. */

typedef struct {
    const Kernels *kn;
    const uint8_t *mask; /* NULL: none is masked */
    PatchGrid grid;
    float *image; /* add_frame */
    const float *frames;
    int64_t inputs;
    float *dpred; /* masked_loss */
    const float *pred, *target;
    float weight;
    double *part; /* one sum for each task */
} Masked;

/* Returns the end of the run that starts at patch p. */
static int64_t run_end(const uint8_t *mask, int64_t p, int64_t side) {
    int64_t end = mask ? p + 1 : side;
    while (end < side && mask[end] == mask[p])
        end++;
    return end;
}

static void add_frame_task(void *arg, int64_t i, int thread) {
    (void)thread;
    const Masked *s = arg;
    PatchGrid g = s->grid;
    int64_t side = g.size / g.patch, b = i / side, plane = g.size * g.size, channels = 3;
    float *image = s->image + b * channels * plane;
    const float *newest = s->frames + ((b % s->inputs + 1) * g.channels - channels) * plane;
    const uint8_t *mask = s->mask ? s->mask + i * side : NULL;
    for (int64_t p = 0, end; p < side; p = end) {
        end = run_end(mask, p, side);
        for (int64_t k = 0; !(mask && mask[p]) && k < channels * g.patch; k++) {
            int64_t at = line_at(g, i % side, k) + p * g.patch;
            s->kn->add(image + at, newest + at, (end - p) * g.patch);
        }
    }
}

static void add_frame(Backend *be, float *image, const float *frames, const uint8_t *mask,
                      PatchGrid g, FrameShare share) {
    Cpu *cpu = cpu_of(be);
    Masked s = {.kn = cpu->kn,
                .mask = mask,
                .grid = g,
                .image = image,
                .frames = frames,
                .inputs = share.inputs};
    pool_run(cpu->pool, share.images * (g.size / g.patch), add_frame_task, &s);
}

static void masked_loss_task(void *arg, int64_t i, int thread) {
    (void)thread;
    const Masked *s = arg;
    PatchGrid g = s->grid;
    int64_t side = g.size / g.patch, first = i / side * g.channels * g.size * g.size;
    const uint8_t *mask = s->mask ? s->mask + i * side : NULL;
    double sum = 0;
    for (int64_t p = 0, end; p < side; p = end) {
        end = run_end(mask, p, side);
        int64_t n = (end - p) * g.patch;
        for (int64_t k = 0; k < g.channels * g.patch; k++) {
            int64_t at = first + line_at(g, i % side, k) + p * g.patch;
            if (mask && mask[p])
                sum += s->kn->distance(s->dpred + at, s->pred + at, s->target + at, s->weight, n);
            else
                memset(s->dpred + at, 0, (size_t)n * sizeof(float));
        }
    }
    s->part[i] = sum;
}

static void masked_loss(Backend *be, const MaskedLoss *a) {
    Cpu *cpu = cpu_of(be);
    int64_t side = a->grid.size / a->grid.patch, tasks = a->images * side;
    Masked s = {.kn = cpu->kn,
                .mask = a->mask,
                .grid = a->grid,
                .dpred = a->dpred,
                .pred = a->pred,
                .target = a->target,
                .weight = (float)a->weight,
                .part = cpu_scratch(be, (size_t)tasks * sizeof(double))};
    if (!s.part)
        return;
    pool_run(cpu->pool, tasks, masked_loss_task, &s);
    for (int64_t b = 0; b < a->images; b++) {
        a->loss[b] = 0;
        for (int64_t row = 0; row < side; row++)
            a->loss[b] += s.part[b * side + row];
    }
}

/* ---- image loss. A task takes one channel of an image. */

typedef struct {
    const Kernels *kn;
    ImageLoss shape;
    const float *pred, *target;
    float *dpred;
    float square_weight, gd_weight;
    double *part; /* two sums for each task */
    float *lines; /* three for each thread */
} Planes;

static void plane_task(void *arg, int64_t i, int thread) {
    const Planes *s = arg;
    int64_t n = s->shape.size, plane = n * n;
    int64_t b = i / s->shape.channels, c = i % s->shape.channels;
    const float *target = s->target + (b % s->shape.targets * s->shape.channels + c) * plane;
    s->kn->plane_loss(s->part + 2 * i, s->dpred ? s->dpred + i * plane : NULL, s->pred + i * plane,
                      target, s->square_weight, s->gd_weight, s->lines + thread * 3 * n, n);
}

static void image_loss(Backend *be, double *loss, float *dpred, const float *pred,
                       const float *target, ImageLoss s) {
    Cpu *cpu = cpu_of(be);
    int64_t planes = s.images * s.channels;
    double count = (double)(s.channels * s.size * s.size);
    size_t part_bytes = cpu_aligned((size_t)(2 * planes) * sizeof(double));
    char *scratch =
        cpu_scratch(be, part_bytes + (size_t)(be->threads * 3 * s.size) * sizeof(float));
    if (!scratch)
        return;
    Planes p = {.kn = cpu->kn,
                .shape = s,
                .pred = pred,
                .target = target,
                .dpred = dpred,
                .square_weight = (float)(2 * s.lambda_int / count),
                .gd_weight = (float)(s.lambda_gd / count),
                .part = (double *)(void *)scratch,
                .lines = (float *)(void *)(scratch + part_bytes)};
    pool_run(cpu->pool, planes, plane_task, &p);
    for (int64_t b = 0; b < s.images; b++)
        for (int k = 0; k < 2; k++) {
            double sum = 0;
            for (int64_t c = 0; c < s.channels; c++)
                sum += p.part[2 * (b * s.channels + c) + k];
            loss[2 * b + k] = sum / count;
        }
}

/* ---- consistency loss. First each task sums a block of an image's patches. Then each task takes
 * one pair. Last the tasks add the gradient to the blocks; it is the same for all patches of an
 * image. */

typedef struct {
    const Kernels *kn;
    Tensor features, dfeatures;
    ConsistencyLoss shape;
    int64_t patches, blocks; /* of one image */
    double *loss;
    double *logs; /* (images, D) */
    float *sums;  /* (images, blocks, D); the gradient replaces an image's first block */
    float *rows;  /* one for each thread */
} Consistency;

/* Block i takes the rows first .. end - 1. */
static int64_t block_rows(const Consistency *s, int64_t i, int64_t *end) {
    int64_t first = i / s->blocks * s->shape.tokens + 1, t = i % s->blocks;
    *end = first + cpu_rows_end(t, s->patches);
    return first + t * CPU_ROWS;
}

static void sum_task(void *arg, int64_t i, int thread) {
    const Consistency *s = arg;
    int64_t D = s->features.cols, end, r = block_rows(s, i, &end);
    float *sum = s->sums + i * D, *row = s->rows + thread * D;
    memset(sum, 0, (size_t)D * sizeof(float));
    for (; r < end; r++) {
        s->kn->widen(row, tensor_at(s->features, r, 0), s->features.type, D);
        s->kn->add(sum, row, D);
    }
}

/* Computes the logarithms of the softmax over an image's mean patch feature. */
static double *log_softmax(const Consistency *s, int64_t image) {
    int64_t D = s->features.cols;
    const float *sums = s->sums + image * s->blocks * D;
    double *u = s->logs + image * D, top = -INFINITY, sum = 0;
    for (int64_t c = 0; c < D; c++) {
        u[c] = 0;
        for (int64_t k = 0; k < s->blocks; k++)
            u[c] += sums[k * D + c];
        u[c] /= (double)s->patches;
        top = fmax(top, u[c]);
    }
    for (int64_t c = 0; c < D; c++)
        sum += exp(u[c] - top);
    double log_sum = top + log(sum);
    for (int64_t c = 0; c < D; c++)
        u[c] -= log_sum;
    return u;
}

/* Image b is the clean one, q; image pairs + b is p (method B.3). */
static void pair_task(void *arg, int64_t b, int thread) {
    (void)thread;
    const Consistency *s = arg;
    int64_t D = s->features.cols, image = s->shape.pairs + b;
    const double *log_q = log_softmax(s, b), *log_p = log_softmax(s, image);
    float *dq = s->sums + b * s->blocks * D, *dp = s->sums + image * s->blocks * D;
    double kl_qp = 0, kl_pq = 0, w = 0.5 * s->shape.weight / (double)s->patches;
    for (int64_t c = 0; c < D; c++) {
        double d = log_q[c] - log_p[c];
        kl_qp += exp(log_q[c]) * d;
        kl_pq -= exp(log_p[c]) * d;
    }
    for (int64_t c = 0; c < D; c++) {
        double q = exp(log_q[c]), p = exp(log_p[c]), d = log_q[c] - log_p[c];
        dq[c] = (float)(w * (q * (d - kl_qp) + q - p));
        dp[c] = (float)(w * (p * (-d - kl_pq) + p - q));
    }
    s->loss[b] = 0.5 * (kl_qp + kl_pq);
}

static void add_task(void *arg, int64_t i, int thread) {
    (void)thread;
    const Consistency *s = arg;
    int64_t D = s->features.cols, end, r = block_rows(s, i, &end);
    for (; r < end; r++)
        s->kn->add(tensor_at(s->dfeatures, r, 0), s->sums + i / s->blocks * s->blocks * D, D);
}

static void consistency_loss(Backend *be, double *loss, Tensor dfeatures, Tensor features,
                             ConsistencyLoss shape) {
    Cpu *cpu = cpu_of(be);
    int64_t D = features.cols, images = 2 * shape.pairs, patches = shape.tokens - 1;
    int64_t blocks = cpu_tasks(patches);
    size_t log_bytes = cpu_aligned((size_t)(images * D) * sizeof(double));
    size_t sum_bytes = cpu_aligned((size_t)(images * blocks * D) * sizeof(float));
    char *scratch =
        cpu_scratch(be, log_bytes + sum_bytes + (size_t)(be->threads * D) * sizeof(float));
    if (!scratch)
        return;
    Consistency s = {.kn = cpu->kn,
                     .features = features,
                     .dfeatures = dfeatures,
                     .shape = shape,
                     .patches = patches,
                     .blocks = blocks,
                     .loss = loss,
                     .logs = (double *)(void *)scratch,
                     .sums = (float *)(void *)(scratch + log_bytes),
                     .rows = (float *)(void *)(scratch + log_bytes + sum_bytes)};
    pool_run(cpu->pool, images * blocks, sum_task, &s);
    pool_run(cpu->pool, shape.pairs, pair_task, &s);
    pool_run(cpu->pool, images * blocks, add_task, &s);
}

void cpu_image(Backend *be) {
    be->patchify = patchify;
    be->unpatchify = unpatchify;
    be->embed_forward = embed_forward;
    be->embed_backward = embed_backward;
    be->add_frame = add_frame;
    be->image_loss = image_loss;
    be->consistency_loss = consistency_loss;
    be->masked_loss = masked_loss;
}
