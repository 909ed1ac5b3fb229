/* Linear layers with their epilogues, and layer norm. */
#include <math.h>
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

#include "compute/cpu.h"

/* c (m, n) = op(a) op(b) + beta c, row-major; 'T' transposes. oneDNN takes as many threads as the
 * calling thread's OpenMP setting says. */
static void matmul(Backend *be, char ta, char tb, int64_t m, int64_t n, int64_t k, const float *a,
                   const float *b, float beta, float *c) {
    omp_set_num_threads(be->threads);
    dnnl_status_t status =
        dnnl_sgemm(ta, tb, m, n, k, 1, a, ta == 'N' ? k : m, b, tb == 'N' ? n : k, beta, c, n);
    if (status != dnnl_success)
        backend_fail(be, "oneDNN matrix product %lld x %lld x %lld failed with status %d",
                     (long long)m, (long long)n, (long long)k, (int)status);
}

CPU_CLONES
static void add_bias_rows(float *restrict out, const float *restrict bias, int64_t rows,
                          int64_t cols) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c++)
            out[r * cols + c] += bias[c];
}

CPU_CLONES
static void gelu_rows(float *restrict out, float *restrict pre, const float *restrict bias,
                      int64_t rows, int64_t cols) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c++) {
            float x = pre[r * cols + c] + bias[c];
            pre[r * cols + c] = x;
            out[r * cols + c] = 0.5f * x * (1 + cpu_erf(x * (float)M_SQRT1_2));
        }
}

CPU_CLONES
static void gelu_backward_rows(float *restrict dout, const float *restrict pre, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        float x = pre[i];
        float slope =
            0.5f * (1 + cpu_erf(x * (float)M_SQRT1_2)) + x * 0.39894228f * cpu_exp(-0.5f * x * x);
        dout[i] *= slope;
    }
}

/* Dropout factors of `blocks` RNG blocks from `first` on. */
CPU_CLONES
static void draw_factors(float *restrict out, const Noise *noise, uint32_t threshold, float scale,
                         int64_t first, int64_t blocks) {
    for (int64_t b = 0; b < blocks; b++)
        noise_factors(noise, threshold, scale, first + b, out + b * NOISE_LANES);
}

/* A row's factors of dropout and drop-path together; cols is a multiple of NOISE_LANES. */
static void row_factors(float *factors, const Noise *noise, int64_t row, int64_t cols) {
    float path = noise_path(noise, row);
    if (noise->drop > 0 && path != 0)
        draw_factors(factors, noise, noise_threshold(noise), noise_scale(noise) * path,
                     row * cols / NOISE_LANES, cols / NOISE_LANES);
    else
        for (int64_t c = 0; c < cols; c++)
            factors[c] = path;
}

CPU_CLONES
static void residual_row(float *out, float *restrict branch, const float *x,
                         const float *restrict bias, const float *restrict gamma,
                         const float *restrict factors, int64_t cols) {
    for (int64_t c = 0; c < cols; c++) {
        branch[c] += bias[c];
        out[c] = x[c] + factors[c] * gamma[c] * branch[c];
    }
}

CPU_CLONES
static void residual_backward_row(float *restrict dbranch, float *restrict dgamma,
                                  const float *restrict dx, const float *restrict branch,
                                  const float *restrict gamma, const float *restrict factors,
                                  int64_t cols) {
    for (int64_t c = 0; c < cols; c++) {
        float through = dx[c] * factors[c];
        dgamma[c] += through * branch[c];
        dbranch[c] = through * gamma[c];
    }
}

static void linear_forward(Backend *be, Tensor out, Tensor in, const float *w, const float *bias) {
    matmul(be, 'N', 'T', out.rows, out.cols, in.cols, in.data, w, 0, out.data);
    if (!bias)
        return;
#pragma omp parallel for num_threads(be->threads)
    for (int64_t t = 0; t < cpu_tasks(out.rows); t++) {
        int64_t r = t * CPU_ROWS, n = out.rows - r < CPU_ROWS ? out.rows - r : CPU_ROWS;
        add_bias_rows(out.data + r * out.cols, bias, n, out.cols);
    }
}

static void linear_gelu_forward(Backend *be, Tensor out, Tensor pre, Tensor in, const float *w,
                                const float *bias) {
    matmul(be, 'N', 'T', out.rows, out.cols, in.cols, in.data, w, 0, pre.data);
#pragma omp parallel for num_threads(be->threads)
    for (int64_t t = 0; t < cpu_tasks(out.rows); t++) {
        int64_t r = t * CPU_ROWS, n = out.rows - r < CPU_ROWS ? out.rows - r : CPU_ROWS;
        gelu_rows(out.data + r * out.cols, pre.data + r * out.cols, bias, n, out.cols);
    }
}

static void linear_residual_forward(Backend *be, Tensor out, Tensor branch, Tensor x, Tensor in,
                                    const float *w, const float *bias, const float *gamma,
                                    const Noise *noise) {
    int64_t cols = out.cols;
    matmul(be, 'N', 'T', out.rows, cols, in.cols, in.data, w, 0, branch.data);
    float *scratch = cpu_scratch(be, cpu_tasks(out.rows) * cols);
    if (!scratch)
        return;
#pragma omp parallel for num_threads(be->threads)
    for (int64_t t = 0; t < cpu_tasks(out.rows); t++)
        for (int64_t r = t * CPU_ROWS; r < out.rows && r < (t + 1) * CPU_ROWS; r++) {
            row_factors(scratch + t * cols, noise, r, cols);
            residual_row(out.data + r * cols, branch.data + r * cols, x.data + r * cols, bias,
                         gamma, scratch + t * cols, cols);
        }
}

CPU_CLONES
static void add_rows(float *restrict sum, const float *restrict x, int64_t rows, int64_t cols,
                     int64_t stride) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c++)
            sum[c] += x[r * stride + c];
}

/* sum[c] += the column sums; tasks own columns, so the order of additions never changes. */
static void add_columns(Backend *be, float *sum, Tensor x) {
    enum { COLS = 64 };
#pragma omp parallel for num_threads(be->threads)
    for (int64_t t = 0; t < (x.cols + COLS - 1) / COLS; t++) {
        int64_t c = t * COLS, n = x.cols - c < COLS ? x.cols - c : COLS;
        add_rows(sum + c, x.data + c, x.rows, n, x.cols);
    }
}

static void linear_backward(Backend *be, Tensor din, float *dw, float *db, Tensor dout, Tensor in,
                            const float *w) {
    if (din.data)
        matmul(be, 'N', 'N', dout.rows, in.cols, dout.cols, dout.data, w, 0, din.data);
    matmul(be, 'T', 'N', dout.cols, in.cols, dout.rows, dout.data, in.data, 1, dw);
    if (db)
        add_columns(be, db, dout);
}

static void linear_gelu_backward(Backend *be, Tensor din, float *dw, float *db, Tensor dout,
                                 Tensor pre, Tensor in, const float *w) {
#pragma omp parallel for num_threads(be->threads)
    for (int64_t t = 0; t < cpu_tasks(dout.rows); t++) {
        int64_t r = t * CPU_ROWS, n = dout.rows - r < CPU_ROWS ? dout.rows - r : CPU_ROWS;
        gelu_backward_rows(dout.data + r * dout.cols, pre.data + r * dout.cols, n * dout.cols);
    }
    linear_backward(be, din, dw, db, dout, in, w);
}

/* Adds each task's partial sums (tasks, cols) in the tasks' order. */
static void reduce_tasks(Backend *be, float *sum, const float *parts, int64_t tasks, int64_t cols) {
    add_columns(be, sum, (Tensor){(float *)(uintptr_t)parts, tasks, cols});
}

static void linear_residual_backward(Backend *be, Tensor din, float *dw, float *db, float *dgamma,
                                     Tensor dbranch, Tensor dx, Tensor branch, Tensor in,
                                     const float *w, const float *gamma, const Noise *noise) {
    int64_t cols = dx.cols, tasks = cpu_tasks(dx.rows);
    float *scratch = cpu_scratch(be, 2 * tasks * cols);
    if (!scratch)
        return;
    float *part = scratch + tasks * cols;
    be->zero(be, part, (size_t)(tasks * cols) * sizeof(float));
#pragma omp parallel for num_threads(be->threads)
    for (int64_t t = 0; t < tasks; t++)
        for (int64_t r = t * CPU_ROWS; r < dx.rows && r < (t + 1) * CPU_ROWS; r++) {
            row_factors(scratch + t * cols, noise, r, cols);
            residual_backward_row(dbranch.data + r * cols, part + t * cols, dx.data + r * cols,
                                  branch.data + r * cols, gamma, scratch + t * cols, cols);
        }
    reduce_tasks(be, dgamma, part, tasks, cols);
    linear_backward(be, din, dw, db, dbranch, in, w);
}

CPU_CLONES
static void layernorm_row(float *restrict out, float *mean, float *rstd, const float *restrict x,
                          const float *restrict w, const float *restrict b, int64_t cols) {
    float m = 0, v = 0;
#pragma omp simd reduction(+ : m)
    for (int64_t c = 0; c < cols; c++)
        m += x[c];
    m /= (float)cols;
#pragma omp simd reduction(+ : v)
    for (int64_t c = 0; c < cols; c++)
        v += (x[c] - m) * (x[c] - m);
    float s = 1 / sqrtf(v / (float)cols + 1e-6f);
    for (int64_t c = 0; c < cols; c++)
        out[c] = (x[c] - m) * s * w[c] + b[c];
    *mean = m;
    *rstd = s;
}

static void layernorm_forward(Backend *be, Tensor out, float *mean, float *rstd, Tensor x,
                              const float *w, const float *b) {
#pragma omp parallel for num_threads(be->threads)
    for (int64_t r = 0; r < x.rows; r++)
        layernorm_row(out.data + r * x.cols, mean + r, rstd + r, x.data + r * x.cols, w, b, x.cols);
}

CPU_CLONES
static void layernorm_backward_row(float *restrict dx, float *restrict dw, float *restrict db,
                                   const float *restrict dy, const float *restrict x, float mean,
                                   float rstd, const float *restrict w, int64_t cols) {
    float sum = 0, dot = 0;
#pragma omp simd reduction(+ : sum, dot)
    for (int64_t c = 0; c < cols; c++) {
        float norm = (x[c] - mean) * rstd, dnorm = dy[c] * w[c];
        sum += dnorm;
        dot += dnorm * norm;
        dw[c] += dy[c] * norm;
        db[c] += dy[c];
    }
    sum /= (float)cols;
    dot /= (float)cols;
    for (int64_t c = 0; c < cols; c++)
        dx[c] += (dy[c] * w[c] - sum - (x[c] - mean) * rstd * dot) * rstd;
}

static void layernorm_backward(Backend *be, Tensor dx, float *dw, float *db, Tensor dout, Tensor x,
                               const float *mean, const float *rstd, const float *w) {
    int64_t cols = x.cols, tasks = cpu_tasks(x.rows);
    float *part = cpu_scratch(be, 2 * tasks * cols);
    if (!part)
        return;
    be->zero(be, part, (size_t)(2 * tasks * cols) * sizeof(float));
#pragma omp parallel for num_threads(be->threads)
    for (int64_t t = 0; t < tasks; t++)
        for (int64_t r = t * CPU_ROWS; r < x.rows && r < (t + 1) * CPU_ROWS; r++)
            layernorm_backward_row(dx.data + r * cols, part + t * cols, part + (tasks + t) * cols,
                                   dout.data + r * cols, x.data + r * cols, mean[r], rstd[r], w,
                                   cols);
    reduce_tasks(be, dw, part, tasks, cols);
    reduce_tasks(be, db, part + tasks * cols, tasks, cols);
}

void cpu_linear(Backend *be) {
    be->linear_forward = linear_forward;
    be->linear_gelu_forward = linear_gelu_forward;
    be->linear_residual_forward = linear_residual_forward;
    be->linear_backward = linear_backward;
    be->linear_gelu_backward = linear_gelu_backward;
    be->linear_residual_backward = linear_residual_backward;
    be->layernorm_forward = layernorm_forward;
    be->layernorm_backward = layernorm_backward;
}
