/* Layer norm over the kept rows, a block of rows a task. */
#include <string.h>

#include "compute/cpu/cpu.h"

typedef struct {
    const Kernels *kn;
    Tensor out, x;
    float *mean, *rstd;
    const float *w, *b;
    const Kept *kept;
} Forward;

static void forward_task(void *arg, int64_t t, int thread) {
    (void)thread;
    const Forward *f = arg;
    for (int64_t r = t * CPU_ROWS; r < cpu_rows_end(t, f->out.rows); r++)
        f->kn->layernorm(f->out, tensor_at(f->out, r, 0), f->mean + r, f->rstd + r,
                         tensor_at(f->x, kept_row(f->kept, r), 0), f->w, f->b, f->x.cols);
}

static void layernorm_forward(Backend *be, Tensor out, float *mean, float *rstd, Tensor x,
                              const float *w, const float *b, const Kept *kept) {
    Cpu *cpu = cpu_of(be);
    Forward f = {cpu->kn, out, x, mean, rstd, w, b, kept};
    pool_run(cpu->pool, cpu_tasks(out.rows), forward_task, &f);
}

typedef struct {
    const Kernels *kn;
    Tensor dx, dout, x;
    const float *mean, *rstd, *w;
    const Kept *kept;
    float *dw, *db; /* a row for each task */
} Backward;

static void backward_task(void *arg, int64_t t, int thread) {
    (void)thread;
    const Backward *f = arg;
    int64_t cols = f->x.cols;
    float *dw = f->dw + t * cols, *db = f->db + t * cols;
    memset(dw, 0, (size_t)cols * sizeof(float));
    memset(db, 0, (size_t)cols * sizeof(float));
    for (int64_t r = t * CPU_ROWS; r < cpu_rows_end(t, f->dout.rows); r++) {
        int64_t row = kept_row(f->kept, r);
        f->kn->layernorm_backward(tensor_at(f->dx, row, 0), dw, db, tensor_at(f->dout, r, 0),
                                  f->dout.type, tensor_at(f->x, row, 0), f->mean[r], f->rstd[r],
                                  f->w, cols);
    }
}

static void layernorm_backward(Backend *be, Tensor dx, float *dw, float *db, Tensor dout, Tensor x,
                               const float *mean, const float *rstd, const float *w,
                               const Kept *kept) {
    Cpu *cpu = cpu_of(be);
    int64_t tasks = cpu_tasks(dout.rows), parts = tasks * x.cols;
    float *part = cpu_scratch(be, (size_t)(2 * parts) * sizeof(float));
    if (!part)
        return;
    Backward f = {cpu->kn, dx, dout, x, mean, rstd, w, kept, part, part + parts};
    pool_run(cpu->pool, tasks, backward_task, &f);
    cpu_add_parts(be, dw, f.dw, tasks, x.cols);
    cpu_add_parts(be, db, f.db, tasks, x.cols);
}

void cpu_norm(Backend *be) {
    be->layernorm_forward = layernorm_forward;
    be->layernorm_backward = layernorm_backward;
}
