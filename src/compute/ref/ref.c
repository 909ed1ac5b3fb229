/* The reference: plain loops that define every operation. They are slow on purpose and stay that
 * way: the tests compare all other backends with them. This file: linear layers, layer norm,
 * optimizer. */
#include <math.h>

#include "compute/ref/ref.h"
#include "compute/ref/ref_element.h"

static double product(Tensor in, int64_t r, const float *row, float scale, double bias) {
    double sum = bias;
    for (int64_t i = 0; i < in.cols; i++)
        sum += ref_get(in, r, i) * ref_weight(row[i], in.type, scale);
    return sum;
}

/* Calls body for every element of input W^T + bias, with its row, its column and its value. */
#define FOR_EACH_PRODUCT(input, weight, bias_, r, o, value, body)                                  \
    for (int64_t o = 0; o < (weight)->out; o++) {                                                  \
        const float *row_ = (weight)->data + o * (weight)->in;                                     \
        float scale_ = weight_scale(row_, (weight)->in);                                           \
        for (int64_t r = 0; r < (input).rows; r++) {                                               \
            double value = product(input, r, row_, scale_, (bias_) ? (bias_)[o] : 0);              \
            body;                                                                                  \
        }                                                                                          \
    }

static void linear_forward(Backend *be, Tensor out, Tensor in, const Weight *w, const float *bias) {
    (void)be;
    FOR_EACH_PRODUCT(in, w, bias, r, o, value, ref_put(out, r, o, value));
}

static double gelu(double x) {
    return 0.5 * x * (1 + erf(x * M_SQRT1_2));
}

static double gelu_slope(double x) {
    return 0.5 * (1 + erf(x * M_SQRT1_2)) + x * exp(-0.5 * x * x) / sqrt(2 * M_PI);
}

static void linear_gelu_forward(Backend *be, Tensor out, Tensor pre, Tensor in, const Weight *w,
                                const float *bias) {
    (void)be;
    FOR_EACH_PRODUCT(in, w, bias, r, o, value, {
        if (pre.data)
            ref_put(pre, r, o, value);
        ref_put(out, r, o, gelu(value));
    });
}

/* The factor of dropout and drop-path for an element of a kept row of the residual stream. */
static float kept_factor(const Noise *noise, int64_t row, int64_t cols, int64_t col) {
    return noise_element(noise, row, cols, col) * (float)(1 / (1 - noise->drop_path));
}

static void linear_residual_forward(Backend *be, const LinearResidualForward *a) {
    (void)be;
    for (int64_t r = 0; r < a->x.rows; r++)
        for (int64_t c = 0; c < a->x.cols; c++)
            ref_put(a->out, r, c, ref_get(a->x, r, c));
    FOR_EACH_PRODUCT(a->in, a->w, a->bias, r, o, value, {
        int64_t to = kept_row(a->kept, r);
        double through = (double)kept_factor(a->noise, to, a->x.cols, o) * a->gamma[o] * value;
        ref_put(a->out, to, o, ref_get(a->x, to, o) + through);
        if (a->branch.data)
            ref_put(a->branch, r, o, value);
    });
}

/* din = dout W, times GELU'(pre) where pre has data; dw = dout^T in; db += the sum of dout. */
static void backward(Tensor din, float *dw, float *db, Tensor dout, Tensor in, Tensor pre,
                     const Weight *w) {
    for (int64_t r = 0; din.data && r < dout.rows; r++)
        for (int64_t i = 0; i < w->in; i++) {
            double sum = 0;
            for (int64_t o = 0; o < w->out; o++)
                sum += ref_get(dout, r, o) * ref_weight(w->data[o * w->in + i], in.type, 0);
            ref_put(din, r, i, pre.data ? sum * gelu_slope(ref_get(pre, r, i)) : sum);
        }
    for (int64_t o = 0; o < w->out; o++) {
        for (int64_t i = 0; i < w->in; i++) {
            double sum = 0;
            for (int64_t r = 0; r < dout.rows; r++)
                sum += (double)ref_get(dout, r, o) * ref_get(in, r, i);
            dw[o * w->in + i] = (float)sum;
        }
        double sum = 0;
        for (int64_t r = 0; db && r < dout.rows; r++)
            sum += ref_get(dout, r, o);
        if (db)
            db[o] += (float)sum;
    }
}

static void linear_backward(Backend *be, Tensor din, float *dw, float *db, Tensor dout, Tensor in,
                            const Weight *w) {
    (void)be;
    backward(din, dw, db, dout, in, (Tensor){0}, w);
}

static void linear_residual_backward(Backend *be, const LinearResidualBackward *a) {
    (void)be;
    for (int64_t c = 0; c < a->dx.cols; c++) {
        double sum = 0;
        for (int64_t r = 0; r < a->branch.rows; r++) {
            int64_t from = kept_row(a->kept, r);
            float through = ref_get(a->dx, from, c) * kept_factor(a->noise, from, a->dx.cols, c);
            sum += (double)through * ref_get(a->branch, r, c);
            ref_put(a->dbranch, r, c, through * a->gamma[c]);
        }
        a->dgamma[c] += (float)sum;
    }
    backward(a->din, a->dw, a->db, a->dbranch, a->in, a->pre, a->w);
}

/* The reference reads w->data. */
static int weight_pack(Backend *be, Weight *w, DType type) {
    (void)be, (void)w, (void)type;
    return 0;
}

static void weight_release(Backend *be, Weight *w) {
    (void)be, (void)w;
}

static void layernorm_forward(Backend *be, const LayerNormForward *a) {
    (void)be;
    for (int64_t r = 0; r < a->out.rows; r++) {
        int64_t from = kept_row(a->kept, r), cols = a->x.cols;
        double mean = 0, variance = 0;
        for (int64_t c = 0; c < cols; c++)
            mean += ref_get(a->x, from, c);
        mean /= (double)cols;
        for (int64_t c = 0; c < cols; c++)
            variance += (ref_get(a->x, from, c) - mean) * (ref_get(a->x, from, c) - mean);
        double rstd = 1 / sqrt(variance / (double)cols + 1e-6);
        for (int64_t c = 0; c < cols; c++)
            ref_put(a->out, r, c, (ref_get(a->x, from, c) - mean) * rstd * a->w[c] + a->b[c]);
        a->mean[r] = (float)mean;
        a->rstd[r] = (float)rstd;
    }
}

static void layernorm_backward(Backend *be, const LayerNormBackward *a) {
    (void)be;
    for (int64_t r = 0; r < a->dout.rows; r++) {
        int64_t to = kept_row(a->kept, r), cols = a->x.cols;
        double sum = 0, dot = 0; /* sums of dnorm, and of dnorm times the normalised input */
        for (int64_t c = 0; c < cols; c++) {
            float dy = ref_get(a->dout, r, c);
            double norm = ((double)ref_get(a->x, to, c) - a->mean[r]) * a->rstd[r],
                   dnorm = (double)dy * a->w[c];
            sum += dnorm;
            dot += dnorm * norm;
            a->dw[c] += (float)(dy * norm);
            a->db[c] += dy;
        }
        for (int64_t c = 0; c < cols; c++) {
            double norm = ((double)ref_get(a->x, to, c) - a->mean[r]) * a->rstd[r];
            double dnorm = (double)ref_get(a->dout, r, c) * a->w[c];
            double d = (dnorm - (sum + norm * dot) / (double)cols) * a->rstd[r];
            ref_put(a->dx, to, c, ref_get(a->dx, to, c) + d);
        }
    }
}

static void sum_squares(Backend *be, double *sum, const float *g, int64_t n) {
    (void)be;
    *sum = 0;
    for (int64_t i = 0; i < n; i++)
        *sum += (double)g[i] * g[i];
}

/* Decoupled decay first, then the bias-corrected step (method A.8). */
static void adamw(Backend *be, float *p, const float *g, float *m, float *v, int64_t n,
                  const AdamW *h) {
    (void)be;
    for (int64_t i = 0; i < n; i++) {
        double grad = g[i] * h->grad_scale;
        m[i] = (float)(h->beta1 * m[i] + (1 - h->beta1) * grad);
        v[i] = (float)(h->beta2 * v[i] + (1 - h->beta2) * grad * grad);
        double step = (m[i] / h->correction1) / (sqrt(v[i] / h->correction2) + h->eps);
        p[i] = (float)(p[i] * (1 - h->lr * h->decay) - h->lr * step);
    }
}

void ref_linear(Backend *be) {
    be->linear_forward = linear_forward;
    be->linear_gelu_forward = linear_gelu_forward;
    be->linear_residual_forward = linear_residual_forward;
    be->linear_backward = linear_backward;
    be->linear_residual_backward = linear_residual_backward;
    be->weight_pack = weight_pack;
    be->weight_release = weight_release;
    be->layernorm_forward = layernorm_forward;
    be->layernorm_backward = layernorm_backward;
    be->sum_squares = sum_squares;
    be->adamw = adamw;
}

int ref_open(Backend *be) {
    be->name = "ref";
    be->description = "plain C";
    be->packed_byte = sizeof(float); /* nothing is packed */
    ref_linear(be);
    ref_attention(be);
    ref_image(be);
    ref_memory(be);
    ref_flow(be);
    return 0;
}
