/* Gradient norm and AdamW. */
#include <math.h>

#include "compute/cpu.h"

enum { CHUNK = 1 << 14 }; /* values a task */

CPU_CLONES
static double squares(const float *g, int64_t n) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++)
        sum += (double)g[i] * g[i];
    return sum;
}

static double sum_squares(Backend *be, const float *g, int64_t n) {
    int64_t tasks = (n + CHUNK - 1) / CHUNK;
    double *part = (double *)(void *)cpu_scratch(be, 2 * tasks);
    if (!part)
        return 0;
#pragma omp parallel for num_threads(be->threads)
    for (int64_t t = 0; t < tasks; t++)
        part[t] = squares(g + t * CHUNK, n - t * CHUNK < CHUNK ? n - t * CHUNK : CHUNK);
    double sum = 0; /* in the tasks' order, whatever the number of threads */
    for (int64_t t = 0; t < tasks; t++)
        sum += part[t];
    return sum;
}

typedef struct {
    float beta1, rest1, beta2, rest2; /* rest: 1 - beta, which float would cancel */
    float grad_scale, keep, rate, eps, root;
} Step;

CPU_CLONES
static void update(float *restrict p, const float *restrict g, float *restrict m, float *restrict v,
                   int64_t n, Step s) {
    for (int64_t i = 0; i < n; i++) {
        float grad = g[i] * s.grad_scale;
        m[i] = s.beta1 * m[i] + s.rest1 * grad;
        v[i] = s.beta2 * v[i] + s.rest2 * grad * grad;
        p[i] = p[i] * s.keep - s.rate * m[i] / (sqrtf(v[i]) * s.root + s.eps);
    }
}

static void adamw(Backend *be, float *p, const float *g, float *m, float *v, int64_t n,
                  const AdamW *h) {
    Step s = {(float)h->beta1,
              (float)(1 - h->beta1),
              (float)h->beta2,
              (float)(1 - h->beta2),
              (float)h->grad_scale,
              (float)(1 - h->lr * h->decay),
              (float)(h->lr / h->correction1),
              (float)h->eps,
              (float)(1 / sqrt(h->correction2))};
#pragma omp parallel for num_threads(be->threads)
    for (int64_t t = 0; t < (n + CHUNK - 1) / CHUNK; t++) {
        int64_t i = t * CHUNK, count = n - i < CHUNK ? n - i : CHUNK;
        update(p + i, g + i, m + i, v + i, count, s);
    }
}

void cpu_optimizer(Backend *be) {
    be->sum_squares = sum_squares;
    be->adamw = adamw;
}
