/* Finishes a tile of a linear layer: bias, GELU, residual, and their gradients. */
#include "compute/cpu/isa_math.h"
#include "compute/cpu/isa_value.h"

static void scale_bytes(float *t, const int32_t *sums, const float *scales, float scale,
                        int32_t zero, int rows, int cols) {
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) {
            int32_t dot;
            memcpy(&dot, t + r * NR + c, sizeof dot);
            t[r * NR + c] = (float)(dot - zero * sums[c]) * (scale * scales[c]);
        }
}

INLINE void put_as(Tensor out, DType type, void *restrict at, const float *restrict bias,
                   const float *restrict t, int rows, int cols) {
    float inverse = isa_inverse_scale(out);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++)
            isa_store_as(at, out, type, inverse, r * out.cols + c,
                         t[r * NR + c] + (bias ? bias[c] : 0));
}

static void put(Tensor out, void *at, const float *bias, const float *t, int rows, int cols) {
    if (out.type == F32)
        put_as(out, F32, at, bias, t, rows, cols);
    else if (out.type == BF16)
        put_as(out, BF16, at, bias, t, rows, cols);
    else
        put_as(out, U8, at, bias, t, rows, cols);
}

INLINE void put_gelu_as(Tensor out, DType type, void *restrict at, void *restrict pre,
                        DType pre_type, const float *restrict bias, const float *restrict t,
                        int rows, int cols) {
    float inverse = isa_inverse_scale(out);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) {
            float x = t[r * NR + c] + bias[c];
            if (pre)
                isa_store(pre, pre_type, r * out.cols + c, x);
            isa_store_as(at, out, type, inverse, r * out.cols + c,
                         type == F32 ? isa_gelu(x) : isa_gelu_bf16(x));
        }
}

static void put_gelu(Tensor out, void *at, void *pre, DType pre_type, const float *bias,
                     const float *t, int rows, int cols) {
    if (out.type == F32)
        put_gelu_as(out, F32, at, pre, F32, bias, t, rows, cols);
    else if (out.type == U8)
        put_gelu_as(out, U8, at, NULL, F32, bias, t, rows, cols);
    else if (pre_type == BF16 && pre)
        put_gelu_as(out, BF16, at, pre, BF16, bias, t, rows, cols);
    else
        put_gelu_as(out, BF16, at, NULL, F32, bias, t, rows, cols);
}

/* The factor of element c: `scale` if its bit is set or `kept` is NULL, else 0. `bits` holds the
 * next 32 elements. */
INLINE float factor(const uint8_t *kept, uint32_t bits, int c, float scale) {
    return !kept || bits >> c & 1 ? scale : 0;
}

INLINE uint32_t load_bits(const uint8_t *kept, int cols) {
    uint32_t bits = 0;
    if (kept && cols == 32)
        memcpy(&bits, kept, 4);
    else if (kept)
        memcpy(&bits, kept, (size_t)(cols + 7) / 8);
    return bits;
}

INLINE void put_residual_as(float *out, const float *x, void *restrict branch, DType type,
                            const float *restrict bias, const float *restrict gamma,
                            const uint8_t *kept, float scale, const float *restrict t, int cols) {
    uint32_t bits = load_bits(kept, cols);
    for (int c = 0; c < cols; c++) {
        float y = t[c] + bias[c];
        if (branch)
            isa_store(branch, type, c, y);
        out[c] = x[c] + factor(kept, bits, c, scale) * gamma[c] * y;
    }
}

INLINE void put_residual_typed(float *out, const float *x, void *branch, DType type,
                               const float *bias, const float *gamma, const uint8_t *kept,
                               float scale, const float *t, int cols) {
    if (kept)
        put_residual_as(out, x, branch, type, bias, gamma, kept, scale, t, cols);
    else
        put_residual_as(out, x, branch, type, bias, gamma, NULL, scale, t, cols);
}

static void put_residual(float *out, const float *x, void *branch, DType type, const float *bias,
                         const float *gamma, const uint8_t *kept, float scale, const float *t,
                         int cols) {
    if (!branch)
        put_residual_typed(out, x, NULL, F32, bias, gamma, kept, scale, t, cols);
    else if (type == F32)
        put_residual_typed(out, x, branch, F32, bias, gamma, kept, scale, t, cols);
    else
        put_residual_typed(out, x, branch, BF16, bias, gamma, kept, scale, t, cols);
}

INLINE void put_dgelu_as(void *restrict out, const void *restrict pre, const float *restrict t,
                         DType type, int64_t ld, int rows, int cols) {
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) {
            float x = isa_load(pre, type, r * ld + c);
            float slope = type == F32 ? isa_gelu_slope(x) : isa_gelu_slope_bf16(x);
            isa_store(out, type, r * ld + c, t[r * NR + c] * slope);
        }
}

static void put_dgelu(void *out, const void *pre, const float *t, DType type, int64_t ld, int rows,
                      int cols) {
    if (type == F32)
        put_dgelu_as(out, pre, t, F32, ld, rows, cols);
    else
        put_dgelu_as(out, pre, t, BF16, ld, rows, cols);
}

static void draw_kept(uint8_t *restrict kept, const Noise *noise, int64_t first, int64_t n) {
    Rng r = rng_stream(noise->seed, RNG_DROPOUT, noise->step, noise->site);
    uint32_t threshold = noise_threshold(noise);
    for (int64_t b = 0; b < n / NOISE_LANES; b++) {
        uint32_t words[4], bits = 0;
        rng_block(&r, (uint32_t)(first / NOISE_LANES + b), words);
        for (int i = 0; i < 4; i++) {
            bits |= (uint32_t)((words[i] & 0xffff) >= threshold) << 2 * i;
            bits |= (uint32_t)((words[i] >> 16) >= threshold) << (2 * i + 1);
        }
        kept[b] = (uint8_t)bits;
    }
}

INLINE void residual_backward_as(void *restrict dbranch, float *restrict dgamma,
                                 const float *restrict dx, const void *restrict branch, DType type,
                                 const float *restrict gamma, const uint8_t *kept, float scale,
                                 int64_t cols) {
    for (int64_t c0 = 0; c0 < cols; c0 += 32) {
        int n = (int)(cols - c0 < 32 ? cols - c0 : 32);
        uint32_t bits = load_bits(kept ? kept + c0 / 8 : NULL, n);
        for (int c = 0; c < n; c++) {
            float through = dx[c0 + c] * factor(kept, bits, c, scale);
            dgamma[c0 + c] += through * isa_load(branch, type, c0 + c);
            isa_store(dbranch, type, c0 + c, through * gamma[c0 + c]);
        }
    }
}

static void residual_backward(void *dbranch, float *dgamma, const float *dx, const void *branch,
                              DType type, const float *gamma, const uint8_t *kept, float scale,
                              int64_t cols) {
    if (type == F32 && kept)
        residual_backward_as(dbranch, dgamma, dx, branch, F32, gamma, kept, scale, cols);
    else if (type == F32)
        residual_backward_as(dbranch, dgamma, dx, branch, F32, gamma, NULL, scale, cols);
    else if (kept)
        residual_backward_as(dbranch, dgamma, dx, branch, BF16, gamma, kept, scale, cols);
    else
        residual_backward_as(dbranch, dgamma, dx, branch, BF16, gamma, NULL, scale, cols);
}

void ISA(isa_linear)(Kernels *kn) {
    kn->scale_bytes = scale_bytes;
    kn->put = put;
    kn->put_gelu = put_gelu;
    kn->put_residual = put_residual;
    kn->put_dgelu = put_dgelu;
    kn->draw_kept = draw_kept;
    kn->residual_backward = residual_backward;
}
