/* Reference operations on images: patches, embedding, losses. */
#include <math.h>

#include "compute/ref/ref.h"
#include "compute/ref/ref_element.h"

/* Calls body for every value of every image. The element `pixel` of the image and the element (row,
 * col) of the matrix hold that value. */
#define FOR_EACH_PATCH_VALUE(images, g, lead, pixel, row, col, body)                               \
    do {                                                                                           \
        int64_t side_ = (g).size / (g).patch, n_ = side_ * side_ + (lead);                         \
        for (int64_t b_ = 0; b_ < (images); b_++)                                                  \
            for (int64_t c_ = 0; c_ < (g).channels; c_++)                                          \
                for (int64_t y_ = 0; y_ < (g).size; y_++)                                          \
                    for (int64_t x_ = 0; x_ < (g).size; x_++) {                                    \
                        int64_t pixel =                                                            \
                            ((b_ * (g).channels + c_) * (g).size + y_) * (g).size + x_;            \
                        int64_t row = b_ * n_ + (lead) + y_ / (g).patch * side_ + x_ / (g).patch;  \
                        int64_t col =                                                              \
                            (c_ * (g).patch + y_ % (g).patch) * (g).patch + x_ % (g).patch;        \
                        body;                                                                      \
                    }                                                                              \
    } while (0)

static void patchify(Backend *be, Tensor tokens, const float *image, PatchGrid g, int64_t lead) {
    be->zero(be, tokens.data, tensor_bytes(tokens));
    FOR_EACH_PATCH_VALUE(image_count(tokens, g, lead), g, lead, pixel, row, col,
                         ref_put(tokens, row, col, image[pixel]));
}

static void unpatchify(Backend *be, float *image, Tensor tokens, PatchGrid g, int64_t lead) {
    (void)be;
    FOR_EACH_PATCH_VALUE(image_count(tokens, g, lead), g, lead, pixel, row, col,
                         image[pixel] = ref_get(tokens, row, col));
}

/* Does the mask token replace patch n of image b? */
static bool masked(const uint8_t *mask, int64_t patches, int64_t b, int64_t n) {
    return mask && mask[b * patches + n];
}

static void embed_forward(Backend *be, const EmbedForward *a) {
    (void)be;
    int64_t T = a->noise->tokens, N = T - 1, D = a->x.cols, P = a->patches.rows / N;
    for (int64_t r = 0; r < a->x.rows; r++)
        for (int64_t c = 0; c < D; c++) {
            int64_t b = r / T, n = r % T - 1;
            float from = n < 0                      ? a->cls[c]
                         : masked(a->mask, N, b, n) ? a->mask_token[c]
                                                    : ref_get(a->patches, b % P * N + n, c);
            from += a->pos ? a->pos[(n + 1) * D + c] : 0;
            ref_put(a->x, r, c, from * noise_element(a->noise, r, D, c));
        }
}

static void embed_backward(Backend *be, const EmbedBackward *a) {
    (void)be;
    Tensor dx = a->dx;
    int64_t T = a->noise->tokens, N = T - 1, D = dx.cols, P = a->dpatches.rows / N;
    int64_t B = dx.rows / T;
    for (int64_t c = 0; c < D; c++) {
        for (int64_t b = 0; b < B; b++)
            a->dcls[c] += ref_get(dx, b * T, c) * noise_element(a->noise, b * T, D, c);
        for (int64_t r = 0; r < a->dpatches.rows; r++) {
            double sum = 0;
            for (int64_t b = r / N; b < B; b += P) { /* the images that use this patch */
                int64_t n = r % N, from = b * T + 1 + n;
                float d = ref_get(dx, from, c) * noise_element(a->noise, from, D, c);
                if (masked(a->mask, N, b, n))
                    a->dmask_token[c] += d;
                else
                    sum += d;
            }
            ref_put(a->dpatches, r, c, sum);
        }
        for (int64_t r = 0; a->dpos && r < dx.rows; r++)
            a->dpos[r % T * D + c] += ref_get(dx, r, c) * noise_element(a->noise, r, D, c);
    }
}

/* Is a pixel of image b in a masked patch? */
static bool masked_pixel(const uint8_t *mask, PatchGrid g, int64_t b, int64_t y, int64_t x) {
    int64_t side = g.size / g.patch;
    return masked(mask, side * side, b, y / g.patch * side + x / g.patch);
}

static void add_frame(Backend *be, float *image, const float *frames, const uint8_t *mask,
                      PatchGrid g, FrameShare share) {
    (void)be;
    int64_t plane = g.size * g.size, channels = 3;
    for (int64_t b = 0; b < share.images; b++) {
        const float *newest =
            frames + (b % share.inputs * g.channels + g.channels - channels) * plane;
        for (int64_t i = 0; i < channels * plane; i++)
            if (!masked_pixel(mask, g, b, i % plane / g.size, i % g.size))
                image[b * channels * plane + i] += newest[i];
    }
}

static double sign(double x) {
    return (x > 0) - (x < 0);
}

/* One difference of the gradient loss: returns | |g| - |t| | and adds its derivative to the two
 * pixels. Pixels outside the image are zero (method B.1), so the last column and row count too. */
static double gradient_term(float *dpred, const float *pred, const float *target, int64_t i,
                            int64_t next, bool inside, double weight) {
    double g = (inside ? (double)pred[next] : 0) - pred[i];
    double t = (inside ? (double)target[next] : 0) - target[i];
    if (dpred) {
        float c = (float)(weight * sign(fabs(g) - fabs(t)) * sign(g));
        dpred[i] -= c;
        if (inside)
            dpred[next] += c;
    }
    return fabs(fabs(g) - fabs(t));
}

static void image_loss(Backend *be, double *loss, float *dpred, const float *pred,
                       const float *target, ImageLoss s) {
    (void)be;
    int64_t plane = s.size * s.size, count = s.channels * plane;
    for (int64_t b = 0; b < s.images; b++) {
        const float *p = pred + b * count, *t = target + b % s.targets * count;
        float *d = dpred ? dpred + b * count : NULL;
        double squares = 0, differences = 0;
        for (int64_t i = 0; i < count; i++) {
            double e = (double)p[i] - t[i];
            squares += e * e;
            if (d)
                d[i] = (float)(s.lambda_int * 2 * e / (double)count);
        }
        double weight = s.lambda_gd / (double)count;
        for (int64_t i = 0; i < count; i++) {
            bool right = i % s.size + 1 < s.size, below = i % plane + s.size < plane;
            differences += gradient_term(d, p, t, i, i + 1, right, weight);
            differences += gradient_term(d, p, t, i, i + s.size, below, weight);
        }
        loss[2 * b] = squares / (double)count;
        loss[2 * b + 1] = differences / (double)count;
    }
}

/* The softmax over features of an image's mean patch token. log_sum gives the logarithm of its
 * denominator; the logarithm of a probability is mean_feature - log_sum. */
static double mean_feature(Tensor features, int64_t image, int64_t tokens, int64_t c) {
    double sum = 0;
    for (int64_t t = 1; t < tokens; t++)
        sum += ref_get(features, image * tokens + t, c);
    return sum / (double)(tokens - 1);
}

static double log_sum(Tensor features, int64_t image, int64_t tokens) {
    double top = -INFINITY, sum = 0;
    for (int64_t c = 0; c < features.cols; c++)
        top = fmax(top, mean_feature(features, image, tokens, c));
    for (int64_t c = 0; c < features.cols; c++)
        sum += exp(mean_feature(features, image, tokens, c) - top);
    return top + log(sum);
}

/* Adds the gradient of one mean feature to every patch token in the mean. */
static void add_to_patches(Tensor dfeatures, int64_t image, int64_t tokens, int64_t c, double du) {
    for (int64_t t = 1; t < tokens; t++) {
        int64_t row = image * tokens + t;
        ref_put(dfeatures, row, c, ref_get(dfeatures, row, c) + du / (double)(tokens - 1));
    }
}

/* Image b is the clean one, q; image pairs + b is p. Each gradient is that of the symmetric KL with
 * respect to the logits (method B.3). */
static void consistency_loss(Backend *be, double *loss, Tensor dfeatures, Tensor features,
                             ConsistencyLoss s) {
    (void)be;
    for (int64_t b = 0; b < s.pairs; b++) {
        double q_sum = log_sum(features, b, s.tokens), kl_qp = 0, kl_pq = 0;
        double p_sum = log_sum(features, s.pairs + b, s.tokens);
        for (int pass = 0; pass < 2; pass++)
            for (int64_t c = 0; c < features.cols; c++) {
                double log_q = mean_feature(features, b, s.tokens, c) - q_sum;
                double log_p = mean_feature(features, s.pairs + b, s.tokens, c) - p_sum;
                double q = exp(log_q), p = exp(log_p), d = log_q - log_p;
                if (pass == 0) { /* the gradients need both sums */
                    kl_qp += q * d;
                    kl_pq -= p * d;
                    continue;
                }
                double w = 0.5 * s.weight;
                add_to_patches(dfeatures, b, s.tokens, c, w * (q * (d - kl_qp) + q - p));
                add_to_patches(dfeatures, s.pairs + b, s.tokens, c, w * (p * (-d - kl_pq) + p - q));
            }
        loss[b] = 0.5 * (kl_qp + kl_pq);
    }
}

static void masked_loss(Backend *be, const MaskedLoss *a) {
    (void)be;
    PatchGrid g = a->grid;
    int64_t plane = g.size * g.size, count = g.channels * plane;
    for (int64_t b = 0; b < a->images; b++) {
        a->loss[b] = 0;
        for (int64_t i = 0; i < count; i++) {
            bool counts = masked_pixel(a->mask, g, b, i % plane / g.size, i % g.size);
            double e = counts ? (double)a->pred[b * count + i] - a->target[b * count + i] : 0;
            a->loss[b] += fabs(e);
            a->dpred[b * count + i] = (float)(a->weight * sign(e));
        }
    }
}

void ref_image(Backend *be) {
    be->patchify = patchify;
    be->unpatchify = unpatchify;
    be->embed_forward = embed_forward;
    be->embed_backward = embed_backward;
    be->image_loss = image_loss;
    be->consistency_loss = consistency_loss;
    be->add_frame = add_frame;
    be->masked_loss = masked_loss;
}
