/* The reference: plain loops that define every operation. Slow on purpose, kept for ever; the
 * tests compare all other backends with it. This file: linear layers, layer norm, optimizer. */
#include <math.h>

#include "compute/backend.h"

static void linear_forward(Backend *be, Tensor out, Tensor in, const float *w, const float *bias) {
    (void)be;
    for (int64_t r = 0; r < out.rows; r++)
        for (int64_t o = 0; o < out.cols; o++) {
            const float *x = in.data + r * in.cols, *wo = w + o * in.cols;
            double sum = bias ? bias[o] : 0;
            for (int64_t i = 0; i < in.cols; i++)
                sum += (double)x[i] * wo[i];
            out.data[r * out.cols + o] = (float)sum;
        }
}

static double gelu(double x) {
    return 0.5 * x * (1 + erf(x * M_SQRT1_2));
}

static double gelu_slope(double x) {
    return 0.5 * (1 + erf(x * M_SQRT1_2)) + x * exp(-0.5 * x * x) / sqrt(2 * M_PI);
}

static void linear_gelu_forward(Backend *be, Tensor out, Tensor pre, Tensor in, const float *w,
                                const float *bias) {
    linear_forward(be, pre, in, w, bias);
    for (int64_t i = 0; i < tensor_count(pre); i++)
        out.data[i] = (float)gelu(pre.data[i]);
}

static void linear_residual_forward(Backend *be, Tensor out, Tensor branch, Tensor x, Tensor in,
                                    const float *w, const float *bias, const float *gamma,
                                    const Noise *noise) {
    linear_forward(be, branch, in, w, bias);
    for (int64_t r = 0, i = 0; r < out.rows; r++)
        for (int64_t c = 0; c < out.cols; c++, i++)
            out.data[i] = x.data[i] + noise_path(noise, r) * gamma[c] * noise_element(noise, i) *
                                          branch.data[i];
}

static void linear_backward(Backend *be, Tensor din, float *dw, float *db, Tensor dout, Tensor in,
                            const float *w) {
    (void)be;
    for (int64_t r = 0; din.data && r < dout.rows; r++)
        for (int64_t i = 0; i < in.cols; i++) {
            double sum = 0;
            for (int64_t o = 0; o < dout.cols; o++)
                sum += (double)dout.data[r * dout.cols + o] * w[o * in.cols + i];
            din.data[r * in.cols + i] = (float)sum;
        }
    for (int64_t o = 0; o < dout.cols; o++) {
        for (int64_t i = 0; i < in.cols; i++) {
            double sum = 0;
            for (int64_t r = 0; r < dout.rows; r++)
                sum += (double)dout.data[r * dout.cols + o] * in.data[r * in.cols + i];
            dw[o * in.cols + i] += (float)sum;
        }
        double sum = 0;
        for (int64_t r = 0; db && r < dout.rows; r++)
            sum += dout.data[r * dout.cols + o];
        if (db)
            db[o] += (float)sum;
    }
}

static void linear_gelu_backward(Backend *be, Tensor din, float *dw, float *db, Tensor dout,
                                 Tensor pre, Tensor in, const float *w) {
    for (int64_t i = 0; i < tensor_count(dout); i++)
        dout.data[i] = (float)(dout.data[i] * gelu_slope(pre.data[i]));
    linear_backward(be, din, dw, db, dout, in, w);
}

static void linear_residual_backward(Backend *be, Tensor din, float *dw, float *db, float *dgamma,
                                     Tensor dbranch, Tensor dx, Tensor branch, Tensor in,
                                     const float *w, const float *gamma, const Noise *noise) {
    for (int64_t c = 0; c < dx.cols; c++) {
        double sum = 0;
        for (int64_t r = 0; r < dx.rows; r++) {
            int64_t i = r * dx.cols + c;
            float through = dx.data[i] * noise_path(noise, r) * noise_element(noise, i);
            sum += (double)through * branch.data[i];
            dbranch.data[i] = through * gamma[c];
        }
        dgamma[c] += (float)sum;
    }
    linear_backward(be, din, dw, db, dbranch, in, w);
}

static void layernorm_forward(Backend *be, Tensor out, float *mean, float *rstd, Tensor x,
                              const float *w, const float *b) {
    (void)be;
    for (int64_t r = 0; r < x.rows; r++) {
        const float *in = x.data + r * x.cols;
        double m = 0, v = 0;
        for (int64_t c = 0; c < x.cols; c++)
            m += in[c];
        m /= (double)x.cols;
        for (int64_t c = 0; c < x.cols; c++)
            v += (in[c] - m) * (in[c] - m);
        double s = 1 / sqrt(v / (double)x.cols + 1e-6);
        for (int64_t c = 0; c < x.cols; c++)
            out.data[r * x.cols + c] = (float)((in[c] - m) * s * w[c] + b[c]);
        mean[r] = (float)m;
        rstd[r] = (float)s;
    }
}

static void layernorm_backward(Backend *be, Tensor dx, float *dw, float *db, Tensor dout, Tensor x,
                               const float *mean, const float *rstd, const float *w) {
    (void)be;
    for (int64_t r = 0; r < x.rows; r++) {
        const float *in = x.data + r * x.cols, *dy = dout.data + r * x.cols;
        double sum = 0, dot = 0; /* of dnorm, and of dnorm with the normalised input */
        for (int64_t c = 0; c < x.cols; c++) {
            double norm = ((double)in[c] - mean[r]) * rstd[r], dnorm = (double)dy[c] * w[c];
            sum += dnorm;
            dot += dnorm * norm;
            dw[c] += (float)(dy[c] * norm);
            db[c] += dy[c];
        }
        for (int64_t c = 0; c < x.cols; c++) {
            double norm = ((double)in[c] - mean[r]) * rstd[r], dnorm = (double)dy[c] * w[c];
            dx.data[r * x.cols + c] +=
                (float)((dnorm - (sum + norm * dot) / (double)x.cols) * rstd[r]);
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
    be->linear_gelu_backward = linear_gelu_backward;
    be->linear_residual_backward = linear_residual_backward;
    be->layernorm_forward = layernorm_forward;
    be->layernorm_backward = layernorm_backward;
    be->sum_squares = sum_squares;
    be->adamw = adamw;
}

void backend_ref(Backend *be) {
    be->name = "ref";
    be->description = "plain C, one thread";
    ref_linear(be);
    ref_attention(be);
    ref_image(be);
}
