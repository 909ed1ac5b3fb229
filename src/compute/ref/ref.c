/* The reference: plain loops that define every operation. Slow on purpose, kept for ever; the
 * tests compare all other backends with it. This file: linear layers, layer norm, optimizer. */
#include <math.h>

#include "compute/ref/ref.h"
#include "compute/ref/ref_element.h"

static double product(Tensor in, int64_t r, const float *row, float scale, double bias) {
    double sum = bias;
    for (int64_t i = 0; i < in.cols; i++)
        sum += ref_get(in, r, i) * ref_weight(row[i], in.type, scale);
    return sum;
}

/* For every element of in W^T + bias: calls body with its row, its column and its value. */
#define FOR_EACH_PRODUCT(in, w, bias, r, o, value, body)                                           \
    for (int64_t o = 0; o < (w)->out; o++) {                                                       \
        const float *row_ = (w)->data + o * (w)->in;                                               \
        float scale_ = weight_scale(row_, (w)->in);                                                \
        for (int64_t r = 0; r < (in).rows; r++) {                                                  \
            double value = product(in, r, row_, scale_, (bias) ? (bias)[o] : 0);                   \
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

/* What dropout and drop-path multiply an element of the residual stream by, in a kept row. */
static float kept_factor(const Noise *noise, int64_t element) {
    return noise_element(noise, element) * (float)(1 / (1 - noise->drop_path));
}

static void linear_residual_forward(Backend *be, Tensor out, Tensor branch, Tensor x, Tensor in,
                                    const Weight *w, const float *bias, const float *gamma,
                                    const Noise *noise, const Kept *kept) {
    (void)be;
    for (int64_t r = 0; r < x.rows; r++)
        for (int64_t c = 0; c < x.cols; c++)
            ref_put(out, r, c, ref_get(x, r, c));
    FOR_EACH_PRODUCT(in, w, bias, r, o, value, {
        int64_t to = kept_row(kept, r);
        double through = (double)kept_factor(noise, to * x.cols + o) * gamma[o] * value;
        ref_put(out, to, o, ref_get(x, to, o) + through);
        if (branch.data)
            ref_put(branch, r, o, value);
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

static void linear_residual_backward(Backend *be, Tensor din, float *dw, float *db, float *dgamma,
                                     Tensor dbranch, Tensor dx, Tensor branch, Tensor in,
                                     Tensor pre, const Weight *w, const float *gamma,
                                     const Noise *noise, const Kept *kept) {
    (void)be;
    for (int64_t c = 0; c < dx.cols; c++) {
        double sum = 0;
        for (int64_t r = 0; r < branch.rows; r++) {
            int64_t from = kept_row(kept, r);
            float through = ref_get(dx, from, c) * kept_factor(noise, from * dx.cols + c);
            sum += (double)through * ref_get(branch, r, c);
            ref_put(dbranch, r, c, through * gamma[c]);
        }
        dgamma[c] += (float)sum;
    }
    backward(din, dw, db, dbranch, in, pre, w);
}

/* The reference reads w->data. */
static int weight_pack(Backend *be, Weight *w, DType type) {
    (void)be, (void)w, (void)type;
    return 0;
}

static void weight_release(Backend *be, Weight *w) {
    (void)be, (void)w;
}

static void layernorm_forward(Backend *be, Tensor out, float *mean, float *rstd, Tensor x,
                              const float *w, const float *b, const Kept *kept) {
    (void)be;
    for (int64_t r = 0; r < out.rows; r++) {
        int64_t from = kept_row(kept, r);
        double m = 0, v = 0;
        for (int64_t c = 0; c < x.cols; c++)
            m += ref_get(x, from, c);
        m /= (double)x.cols;
        for (int64_t c = 0; c < x.cols; c++)
            v += (ref_get(x, from, c) - m) * (ref_get(x, from, c) - m);
        double s = 1 / sqrt(v / (double)x.cols + 1e-6);
        for (int64_t c = 0; c < x.cols; c++)
            ref_put(out, r, c, (ref_get(x, from, c) - m) * s * w[c] + b[c]);
        mean[r] = (float)m;
        rstd[r] = (float)s;
    }
}

static void layernorm_backward(Backend *be, Tensor dx, float *dw, float *db, Tensor dout, Tensor x,
                               const float *mean, const float *rstd, const float *w,
                               const Kept *kept) {
    (void)be;
    for (int64_t r = 0; r < dout.rows; r++) {
        int64_t to = kept_row(kept, r);
        double sum = 0, dot = 0; /* of dnorm, and of dnorm with the normalised input */
        for (int64_t c = 0; c < x.cols; c++) {
            float dy = ref_get(dout, r, c);
            double norm = ((double)ref_get(x, to, c) - mean[r]) * rstd[r],
                   dnorm = (double)dy * w[c];
            sum += dnorm;
            dot += dnorm * norm;
            dw[c] += (float)(dy * norm);
            db[c] += dy;
        }
        for (int64_t c = 0; c < x.cols; c++) {
            double norm = ((double)ref_get(x, to, c) - mean[r]) * rstd[r];
            double dnorm = (double)ref_get(dout, r, c) * w[c];
            double d = (dnorm - (sum + norm * dot) / (double)x.cols) * rstd[r];
            ref_put(dx, to, c, ref_get(dx, to, c) + d);
        }
    }
}

static double sum_squares(Backend *be, const float *g, int64_t n) {
    (void)be;
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)g[i] * g[i];
    return sum;
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
    return 0;
}
