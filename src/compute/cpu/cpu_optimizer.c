/* Gradient norm and AdamW. A task takes a fixed number of values. */
#include <math.h>

#include "compute/cpu/cpu.h"

enum { CHUNK = 1 << 14 };

static int64_t chunks(int64_t n) {
    return (n + CHUNK - 1) / CHUNK;
}

static int64_t chunk_size(int64_t t, int64_t n) {
    return n - t * CHUNK < CHUNK ? n - t * CHUNK : CHUNK;
}

typedef struct {
    const Kernels *kn;
    const float *g;
    int64_t n;
    double *part; /* one for each task */
} Squares;

static void squares_task(void *arg, int64_t t, int thread) {
    (void)thread;
    const Squares *s = arg;
    s->part[t] = s->kn->squares(s->g + t * CHUNK, chunk_size(t, s->n));
}

static void sum_squares(Backend *be, double *sum, const float *g, int64_t n) {
    Cpu *cpu = cpu_of(be);
    int64_t tasks = chunks(n);
    Squares s = {cpu->kn, g, n, cpu_scratch(be, (size_t)tasks * sizeof(double))};
    if (!s.part)
        return;
    pool_run(cpu->pool, tasks, squares_task, &s);
    *sum = 0;
    for (int64_t t = 0; t < tasks; t++)
        *sum += s.part[t];
}

typedef struct {
    const Kernels *kn;
    float *p, *m, *v;
    const float *g;
    int64_t n;
    AdamStep step;
} Update;

static void update_task(void *arg, int64_t t, int thread) {
    (void)thread;
    const Update *u = arg;
    int64_t i = t * CHUNK;
    u->kn->adamw(u->p + i, u->g + i, u->m + i, u->v + i, chunk_size(t, u->n), u->step);
}

static void adamw(Backend *be, float *p, const float *g, float *m, float *v, int64_t n,
                  const AdamW *h) {
    Cpu *cpu = cpu_of(be);
    AdamStep step = {.beta1 = (float)h->beta1,
                     .rest1 = (float)(1 - h->beta1),
                     .beta2 = (float)h->beta2,
                     .rest2 = (float)(1 - h->beta2),
                     .grad_scale = (float)h->grad_scale,
                     .keep = (float)(1 - h->lr * h->decay),
                     .rate = (float)(h->lr / h->correction1),
                     .eps = (float)h->eps,
                     .root = (float)(1 / sqrt(h->correction2))};
    Update u = {cpu->kn, p, m, v, g, n, step};
    pool_run(cpu->pool, chunks(n), update_task, &u);
}

void cpu_optimizer(Backend *be) {
    be->sum_squares = sum_squares;
    be->adamw = adamw;
}
