/* Layer norm of one row. */
#include "compute/cpu/isa_value.h"

/* `type` is a constant in each call. */
INLINE void affine(Tensor out, DType type, void *restrict at, const float *restrict x, float mean,
                   float rstd, const float *restrict w, const float *restrict b, int64_t cols) {
    float inverse = isa_inverse_scale(out);
    for (int64_t c = 0; c < cols; c++)
        isa_store_as(at, out, type, inverse, c, (x[c] - mean) * rstd * w[c] + b[c]);
}

static void layernorm(Tensor out, void *out_at, float *mean, float *rstd, const float *x,
                      const float *w, const float *b, int64_t cols) {
    float m = 0, v = 0;
#pragma omp simd reduction(+ : m)
    for (int64_t c = 0; c < cols; c++)
        m += x[c];
    m /= (float)cols;
#pragma omp simd reduction(+ : v)
    for (int64_t c = 0; c < cols; c++)
        v += (x[c] - m) * (x[c] - m);
    float s = 1 / sqrtf(v / (float)cols + 1e-6f);
    if (out.type == F32)
        affine(out, F32, out_at, x, m, s, w, b, cols);
    else if (out.type == BF16)
        affine(out, BF16, out_at, x, m, s, w, b, cols);
    else
        affine(out, U8, out_at, x, m, s, w, b, cols);
    *mean = m;
    *rstd = s;
}

INLINE void backward(float *restrict dx, float *restrict dw, float *restrict db,
                     const void *restrict dy, DType type, const float *restrict x, float mean,
                     float rstd, const float *restrict w, int64_t cols) {
    float sum = 0, dot = 0; /* of the normalised input's gradient; of it times that input */
#pragma omp simd reduction(+ : sum, dot)
    for (int64_t c = 0; c < cols; c++) {
        float d = isa_load(dy, type, c), norm = (x[c] - mean) * rstd;
        sum += d * w[c];
        dot += d * w[c] * norm;
        dw[c] += d * norm;
        db[c] += d;
    }
    sum /= (float)cols;
    dot /= (float)cols;
    for (int64_t c = 0; c < cols; c++) {
        float norm = (x[c] - mean) * rstd;
        dx[c] += (isa_load(dy, type, c) * w[c] - sum - norm * dot) * rstd;
    }
}

static void layernorm_backward(float *dx, float *dw, float *db, const void *dout, DType type,
                               const float *x, float mean, float rstd, const float *w,
                               int64_t cols) {
    if (type == F32)
        backward(dx, dw, db, dout, F32, x, mean, rstd, w, cols);
    else
        backward(dx, dw, db, dout, BF16, x, mean, rstd, w, cols);
}

void ISA(isa_norm)(Kernels *kn) {
    kn->layernorm = layernorm;
    kn->layernorm_backward = layernorm_backward;
}
