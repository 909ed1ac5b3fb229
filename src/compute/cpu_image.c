/* Patches, embedding and the image loss, each in one parallel pass. */
#include <math.h>
#include <string.h>

#include "compute/cpu.h"

/* One row of pixels of one patch: `patch` contiguous floats on both sides. */
static void move_patches(Backend *be, float *image, float *tokens, PatchGrid g, int64_t images,
                         int64_t lead, bool to_tokens) {
    int64_t side = g.size / g.patch, n = side * side + lead, area = g.patch * g.patch;
    int64_t cols = g.channels * area;
    size_t bytes = (size_t)g.patch * sizeof(float);
#pragma omp parallel for collapse(2) num_threads(be->threads)
    for (int64_t b = 0; b < images; b++)
        for (int64_t line = 0; line < g.channels * g.size; line++) {
            int64_t c = line / g.size, y = line % g.size;
            float *pixel = image + (b * g.channels * g.size + line) * g.size;
            float *token = tokens + (b * n + lead + y / g.patch * side) * cols + c * area +
                           y % g.patch * g.patch;
            for (int64_t p = 0; p < side; p++)
                memcpy(to_tokens ? token + p * cols : pixel + p * g.patch,
                       to_tokens ? pixel + p * g.patch : token + p * cols, bytes);
        }
}

static void patchify(Backend *be, Tensor tokens, const float *image, PatchGrid g, int64_t lead) {
    int64_t images = image_count(tokens, g, lead), rows = tokens.rows / images;
    for (int64_t b = 0; b < images && lead; b++)
        be->zero(be, tokens.data + b * rows * tokens.cols,
                 (size_t)(lead * tokens.cols) * sizeof(float));
    move_patches(be, (float *)(uintptr_t)image, tokens.data, g, images, lead, true);
}

static void unpatchify(Backend *be, float *image, Tensor tokens, PatchGrid g, int64_t lead) {
    move_patches(be, image, tokens.data, g, image_count(tokens, g, lead), lead, false);
}

CPU_CLONES
static void drop_row(float *restrict out, const float *restrict from, const Noise *noise,
                     uint32_t threshold, float scale, int64_t first, int64_t cols) {
    for (int64_t c = 0; c < cols; c += NOISE_LANES) {
        float f[NOISE_LANES];
        noise_factors(noise, threshold, scale, (first + c) / NOISE_LANES, f);
        for (int i = 0; i < NOISE_LANES; i++)
            out[c + i] = from[c + i] * f[i];
    }
}

/* out = from with dropout; `first` is the row's first element in its matrix. */
static void dropout_row(float *out, const float *from, const Noise *noise, int64_t first,
                        int64_t cols) {
    if (noise->drop > 0)
        drop_row(out, from, noise, noise_threshold(noise), noise_scale(noise), first, cols);
    else
        memcpy(out, from, (size_t)cols * sizeof(float));
}

static void embed_forward(Backend *be, Tensor x, Tensor patches, const float *cls,
                          const float *mask_token, const uint8_t *mask, const Noise *noise) {
    int64_t T = noise->tokens, N = T - 1, D = x.cols, P = patches.rows / N;
#pragma omp parallel for num_threads(be->threads)
    for (int64_t r = 0; r < x.rows; r++) {
        int64_t b = r / T, n = r % T - 1;
        const float *from = n < 0 ? cls : patches.data + (b % P * N + n) * D;
        if (n >= 0 && mask && mask[b * N + n])
            from = mask_token;
        dropout_row(x.data + r * D, from, noise, r * D, D);
    }
}

CPU_CLONES
static void add_row(float *restrict to, const float *restrict from, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        to[i] += from[i];
}

/* A task owns one token position of all images, so that patches shared by two images, and the sums
 * over images, are added in one order; cls and mask token sum over tasks afterwards. */
static void embed_backward(Backend *be, Tensor dpatches, float *dcls, float *dmask_token, Tensor dx,
                           const uint8_t *mask, const Noise *noise) {
    int64_t T = noise->tokens, N = T - 1, D = dx.cols, P = dpatches.rows / N, B = dx.rows / T;
    float *scratch = cpu_scratch(be, 2 * T * D);
    if (!scratch)
        return;
    float *masked = scratch + T * D; /* each position's share of the mask token's gradient */
    be->zero(be, masked, (size_t)(T * D) * sizeof(float));
    be->zero(be, dpatches.data, (size_t)tensor_count(dpatches) * sizeof(float));
#pragma omp parallel for num_threads(be->threads)
    for (int64_t t = 0; t < T; t++)
        for (int64_t b = 0; b < B; b++) {
            float *row = scratch + t * D, *to = masked + t * D;
            dropout_row(row, dx.data + (b * T + t) * D, noise, (b * T + t) * D, D);
            if (t > 0 && !(mask && mask[b * N + t - 1]))
                to = dpatches.data + (b % P * N + t - 1) * D;
            add_row(to, row, D);
        }
    add_row(dcls, masked, D); /* position 0 collected cls */
    for (int64_t t = 1; t < T; t++)
        add_row(dmask_token, masked + t * D, D);
}

static inline float sign(float x) {
    return (float)(x > 0) - (float)(x < 0);
}

/* Differences of a line with its successor (`next` NULL: zeros outside the image), and their
 * derivative into d and dnext. Returns the sum of | |g| - |t| |. */
CPU_CLONES
static double line_differences(float *restrict d, float *restrict dnext, const float *restrict p,
                               const float *restrict pnext, const float *restrict t,
                               const float *restrict tnext, float weight, int64_t n) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t x = 0; x < n; x++) {
        float g = pnext[x] - p[x], u = tnext[x] - t[x];
        float e = __builtin_fabsf(g) - __builtin_fabsf(u);
        sum += __builtin_fabsf(e);
        float c = weight * sign(e) * sign(g);
        d[x] -= c;
        dnext[x] += c;
    }
    return sum;
}

CPU_CLONES
static double line_squares(float *restrict d, const float *restrict p, const float *restrict t,
                           float weight, int64_t n) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t x = 0; x < n; x++) {
        float e = p[x] - t[x];
        sum += e * e;
        d[x] += weight * e;
    }
    return sum;
}

/* Horizontal differences within a line. The two ends of a difference overlap from x to x + 1, so
 * the derivative c is kept in `c` first (n floats). */
CPU_CLONES
static double line_horizontal(float *restrict d, float *restrict c, const float *restrict p,
                              const float *restrict t, float weight, int64_t n) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t x = 0; x < n - 1; x++) {
        float g = p[x + 1] - p[x], u = t[x + 1] - t[x];
        float e = __builtin_fabsf(g) - __builtin_fabsf(u);
        sum += __builtin_fabsf(e);
        c[x] = weight * sign(e) * sign(g);
    }
    float g = -p[n - 1], u = -t[n - 1], e = __builtin_fabsf(g) - __builtin_fabsf(u);
    c[n - 1] = weight * sign(e) * sign(g);
    d[0] -= c[0];
    for (int64_t x = 1; x < n; x++)
        d[x] += c[x - 1] - c[x];
    return sum + __builtin_fabsf(e);
}

/* One channel plane: loss[0] squares, loss[1] differences. d is written. `line` is scratch of 3 n
 * floats, the last n zero. */
static void plane_loss(double loss[2], float *d, const float *p, const float *t,
                       float square_weight, float gd_weight, float *line, int64_t n) {
    float *c = line, *sink = line + n, *zeros = line + 2 * n;
    memset(d, 0, (size_t)(n * n) * sizeof(float));
    loss[0] = loss[1] = 0;
    for (int64_t y = 0; y < n; y++) {
        int64_t i = y * n;
        bool last = y == n - 1;
        loss[0] += line_squares(d + i, p + i, t + i, square_weight, n);
        loss[1] += line_horizontal(d + i, c, p + i, t + i, gd_weight, n);
        loss[1] += line_differences(d + i, last ? sink : d + i + n, p + i, last ? zeros : p + i + n,
                                    t + i, last ? zeros : t + i + n, gd_weight, n);
    }
}

static void image_loss(Backend *be, double *loss, float *dpred, const float *pred,
                       const float *target, ImageLoss s) {
    int64_t n = s.size, plane = n * n, count = s.channels * plane, planes = s.images * s.channels;
    int64_t floats = planes * (3 * n + 4) + (dpred ? 0 : planes * plane);
    float *scratch = cpu_scratch(be, floats);
    if (!scratch)
        return;
    double *part = (double *)(void *)scratch; /* two sums a plane */
    float *lines = scratch + planes * 4, *unused = lines + planes * 3 * n;
    memset(lines, 0, (size_t)(planes * 3 * n) * sizeof(float));
    float square_weight = (float)(2 * s.lambda_int / (double)count);
    float gd_weight = (float)(s.lambda_gd / (double)count);
#pragma omp parallel for num_threads(be->threads)
    for (int64_t i = 0; i < planes; i++) {
        int64_t b = i / s.channels, c = i % s.channels;
        plane_loss(part + 2 * i, (dpred ? dpred : unused) + i * plane, pred + i * plane,
                   target + (b % s.targets * s.channels + c) * plane, square_weight, gd_weight,
                   lines + i * 3 * n, n);
    }
    for (int64_t b = 0; b < s.images; b++)
        for (int k = 0; k < 2; k++) {
            double sum = 0;
            for (int64_t c = 0; c < s.channels; c++)
                sum += part[2 * (b * s.channels + c) + k];
            loss[2 * b + k] = sum / (double)count;
        }
}

void cpu_image(Backend *be) {
    be->patchify = patchify;
    be->unpatchify = unpatchify;
    be->embed_forward = embed_forward;
    be->embed_backward = embed_backward;
    be->image_loss = image_loss;
}
