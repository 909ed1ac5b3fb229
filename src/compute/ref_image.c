/* Reference operations on images: patches, embedding, losses. */
#include <math.h>

#include "base/mem.h"
#include "compute/backend.h"

/* Calls body with the element `pixel` of the image and `token` of the matrix that hold the same
 * value, for every value of every image. */
#define FOR_EACH_PATCH_VALUE(images, g, lead, pixel, token, body)                                  \
    do {                                                                                           \
        int64_t side_ = (g).size / (g).patch, n_ = side_ * side_ + (lead);                         \
        int64_t area_ = (g).patch * (g).patch, cols_ = (g).channels * area_;                       \
        for (int64_t b_ = 0; b_ < (images); b_++)                                                  \
            for (int64_t c_ = 0; c_ < (g).channels; c_++)                                          \
                for (int64_t y_ = 0; y_ < (g).size; y_++)                                          \
                    for (int64_t x_ = 0; x_ < (g).size; x_++) {                                    \
                        int64_t pixel =                                                            \
                            ((b_ * (g).channels + c_) * (g).size + y_) * (g).size + x_;            \
                        int64_t row_ = b_ * n_ + (lead) + y_ / (g).patch * side_ + x_ / (g).patch; \
                        int64_t token = row_ * cols_ + c_ * area_ + y_ % (g).patch * (g).patch +   \
                                        x_ % (g).patch;                                            \
                        body;                                                                      \
                    }                                                                              \
    } while (0)

static int64_t image_count(Tensor tokens, PatchGrid g, int64_t lead) {
    int64_t side = g.size / g.patch;
    return tokens.rows / (side * side + lead);
}

static void patchify(Backend *be, Tensor tokens, const float *image, PatchGrid g, int64_t lead) {
    be->zero(be, tokens.data, (size_t)tensor_count(tokens) * sizeof(float));
    FOR_EACH_PATCH_VALUE(image_count(tokens, g, lead), g, lead, pixel, token,
                         tokens.data[token] = image[pixel]);
}

static void unpatchify(Backend *be, float *image, Tensor tokens, PatchGrid g, int64_t lead) {
    (void)be;
    FOR_EACH_PATCH_VALUE(image_count(tokens, g, lead), g, lead, pixel, token,
                         image[pixel] = tokens.data[token]);
}

static void embed_forward(Backend *be, Tensor x, Tensor patches, const float *cls,
                          const float *mask_token, const uint8_t *mask, const Noise *noise) {
    (void)be;
    int64_t T = noise->tokens, N = T - 1, D = x.cols, P = patches.rows / N;
    for (int64_t r = 0; r < x.rows; r++) {
        int64_t b = r / T, n = r % T - 1;
        const float *from = n < 0 ? cls : patches.data + (b % P * N + n) * D;
        if (n >= 0 && mask && mask[b * N + n])
            from = mask_token;
        for (int64_t c = 0; c < D; c++)
            x.data[r * D + c] = from[c] * noise_element(noise, r * D + c);
    }
}

static void embed_backward(Backend *be, Tensor dpatches, float *dcls, float *dmask_token, Tensor dx,
                           const uint8_t *mask, const Noise *noise) {
    int64_t T = noise->tokens, N = T - 1, D = dx.cols, P = dpatches.rows / N;
    be->zero(be, dpatches.data, (size_t)tensor_count(dpatches) * sizeof(float));
    for (int64_t r = 0; r < dx.rows; r++) {
        int64_t b = r / T, n = r % T - 1;
        float *to = n < 0 ? dcls : dpatches.data + (b % P * N + n) * D;
        if (n >= 0 && mask && mask[b * N + n])
            to = dmask_token;
        for (int64_t c = 0; c < D; c++)
            to[c] += dx.data[r * D + c] * noise_element(noise, r * D + c);
    }
}

static double sign(double x) {
    return (x > 0) - (x < 0);
}

/* One difference of the gradient loss: | |g| - |t| |, its derivative moved to both ends. Pixels
 * outside the image are zero (method B.1), so the last column and row count too. */
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

/* Log-softmax over features of the mean of an image's patch tokens. */
static void mean_log_softmax(double *out, Tensor features, int64_t image, int64_t tokens) {
    int64_t D = features.cols;
    double top = -INFINITY, sum = 0;
    for (int64_t c = 0; c < D; c++) {
        double mean = 0;
        for (int64_t t = 1; t < tokens; t++)
            mean += features.data[(image * tokens + t) * D + c];
        out[c] = mean / (double)(tokens - 1);
        top = fmax(top, out[c]);
    }
    for (int64_t c = 0; c < D; c++)
        sum += exp(out[c] - top);
    for (int64_t c = 0; c < D; c++)
        out[c] -= top + log(sum);
}

/* d/du of the symmetric KL, u the logits of p (method B.3), spread over the patch tokens. */
static void add_kl_gradient(Tensor dfeatures, int64_t image, int64_t tokens, const double *log_p,
                            const double *log_q, double weight) {
    int64_t D = dfeatures.cols;
    double mean = 0;
    for (int64_t c = 0; c < D; c++)
        mean += exp(log_p[c]) * (log_p[c] - log_q[c]);
    for (int64_t c = 0; c < D; c++) {
        double p = exp(log_p[c]), q = exp(log_q[c]);
        double du = 0.5 * (p * (log_p[c] - log_q[c] - mean) + p - q);
        for (int64_t t = 1; t < tokens; t++)
            dfeatures.data[(image * tokens + t) * D + c] +=
                (float)(weight * du / (double)(tokens - 1));
    }
}

static void consistency_loss(Backend *be, double *loss, Tensor dfeatures, Tensor features,
                             ConsistencyLoss s) {
    double *log_q = mem_alloc((size_t)features.cols * 2, sizeof *log_q);
    if (!log_q) {
        backend_fail(be, "out of memory in the consistency loss");
        return;
    }
    double *log_p = log_q + features.cols;
    for (int64_t b = 0; b < s.pairs; b++) {
        mean_log_softmax(log_q, features, b, s.tokens);
        mean_log_softmax(log_p, features, s.pairs + b, s.tokens);
        double sum = 0;
        for (int64_t c = 0; c < features.cols; c++)
            sum += (exp(log_q[c]) - exp(log_p[c])) * (log_q[c] - log_p[c]);
        loss[b] = 0.5 * sum;
        add_kl_gradient(dfeatures, b, s.tokens, log_q, log_p, s.weight);
        add_kl_gradient(dfeatures, s.pairs + b, s.tokens, log_p, log_q, s.weight);
    }
    mem_free(log_q);
}

void ref_image(Backend *be) {
    be->patchify = patchify;
    be->unpatchify = unpatchify;
    be->embed_forward = embed_forward;
    be->embed_backward = embed_backward;
    be->image_loss = image_loss;
    be->consistency_loss = consistency_loss;
}
