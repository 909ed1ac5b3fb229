/* Loops over plain values: conversions, sums, dropout, the optimizer and losses on pixels. */
#include "compute/cpu/isa_value.h"

static void narrow(void *restrict out, DType type, const float *restrict x, int64_t n) {
    if (type == F32)
        memcpy(out, x, (size_t)n * sizeof(float));
    else
        for (int64_t i = 0; i < n; i++)
            isa_store(out, BF16, i, x[i]);
}

static void widen(float *restrict out, const void *restrict x, DType type, int64_t n) {
    if (type == F32)
        memcpy(out, x, (size_t)n * sizeof(float));
    else
        for (int64_t i = 0; i < n; i++)
            out[i] = isa_load(x, BF16, i);
}

static void add(float *restrict sum, const float *restrict x, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        sum[i] += x[i];
}

INLINE void drop_as(float *restrict out, const void *restrict x, DType type, const Noise *noise,
                    int64_t first, int64_t n) {
    Noise place = *noise; /* no store can change a copy; else the draws would not vectorise */
    uint32_t threshold = noise_threshold(noise);
    float scale = noise_scale(noise);
    for (int64_t i = 0; i < n; i += NOISE_LANES) {
        float factors[NOISE_LANES];
        noise_factors(&place, threshold, scale, (first + i) / NOISE_LANES, factors);
        for (int k = 0; k < NOISE_LANES; k++)
            out[i + k] = isa_load(x, type, i + k) * factors[k];
    }
}

static void drop(float *out, const void *x, DType type, const Noise *noise, int64_t first,
                 int64_t n) {
    if (noise->drop <= 0)
        widen(out, x, type, n);
    else if (type == F32)
        drop_as(out, x, F32, noise, first, n);
    else
        drop_as(out, x, BF16, noise, first, n);
}

static double squares(const float *x, int64_t n) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i] * x[i];
    return sum;
}

static void adamw(float *restrict p, const float *restrict g, float *restrict m, float *restrict v,
                  int64_t n, AdamStep s) {
    for (int64_t i = 0; i < n; i++) {
        float grad = g[i] * s.grad_scale;
        m[i] = s.beta1 * m[i] + s.rest1 * grad;
        v[i] = s.beta2 * v[i] + s.rest2 * grad * grad;
        p[i] = p[i] * s.keep - s.rate * m[i] / (sqrtf(v[i]) * s.root + s.eps);
    }
}

/* ---- losses on pixels. */

/* x times the sign of y. */
static inline float signed_by(float x, float y) {
    return y > 0 ? x : y < 0 ? -x : 0;
}

static double distance(float *restrict d, const float *restrict p, const float *restrict t,
                       float weight, int64_t n) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) {
        float e = p[i] - t[i];
        sum += fabsf(e);
        d[i] = signed_by(weight, e);
    }
    return sum;
}

/* One difference g of the prediction and u of the target. Adds | |g| - |u| | to sum and returns its
 * derivative by g. */
INLINE float difference(float *sum, float g, float u, float weight) {
    float e = fabsf(g) - fabsf(u);
    *sum += fabsf(e);
    return signed_by(signed_by(weight, g), e);
}

/* Adds the losses of a line: of its pixels, and of their differences to the right and down. `below`
 * and `t_below` are the next line, or zeros at the end. A pixel's gradient comes from four
 * differences. `right` holds those of this line, after a zero before its start. `down` holds those
 * of the line above on entry, and those of this line on return. */
INLINE void line_loss(double loss[2], float *restrict d, const float *restrict p,
                      const float *restrict t, const float *restrict below,
                      const float *restrict t_below, float square_weight, float gd_weight,
                      float *restrict right, float *restrict down, int64_t n, bool gradient) {
    float squares_sum = 0, right_sum = 0, down_sum = 0;
#pragma omp simd reduction(+ : right_sum)
    for (int64_t x = 0; x < n - 1; x++)
        right[x] = difference(&right_sum, p[x + 1] - p[x], t[x + 1] - t[x], gd_weight);
    right[n - 1] = difference(&right_sum, -p[n - 1], -t[n - 1], gd_weight);
#pragma omp simd reduction(+ : squares_sum, down_sum)
    for (int64_t x = 0; x < n; x++) {
        float e = p[x] - t[x], above = down[x];
        squares_sum += e * e;
        down[x] = difference(&down_sum, below[x] - p[x], t_below[x] - t[x], gd_weight);
        if (gradient)
            d[x] = square_weight * e + (right[x - 1] - right[x]) + (above - down[x]);
    }
    loss[0] += squares_sum;
    loss[1] += right_sum + down_sum;
}

static void plane_loss(double loss[2], float *d, const float *p, const float *t,
                       float square_weight, float gd_weight, float *line, int64_t n) {
    const float *zeros = line;
    float *right = line + n, *down = line + 2 * n;
    memset(line, 0, (size_t)(3 * n) * sizeof(float));
    loss[0] = loss[1] = 0;
    for (int64_t y = 0; y < n; y++, p += n, t += n) {
        const float *below = y < n - 1 ? p + n : zeros, *t_below = y < n - 1 ? t + n : zeros;
        if (d)
            line_loss(loss, d + y * n, p, t, below, t_below, square_weight, gd_weight, right, down,
                      n, true);
        else
            line_loss(loss, NULL, p, t, below, t_below, square_weight, gd_weight, right, down, n,
                      false);
    }
}

void ISA(isa_values)(Kernels *kn) {
    kn->round = narrow;
    kn->widen = widen;
    kn->add = add;
    kn->drop = drop;
    kn->squares = squares;
    kn->adamw = adamw;
    kn->distance = distance;
    kn->plane_loss = plane_loss;
}
