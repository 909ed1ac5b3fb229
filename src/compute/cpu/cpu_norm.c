/* Layer norm over the kept rows. A task takes a block of rows. */
#include <string.h>

#include "compute/cpu/cpu.h"

typedef struct {
    const Kernels *kn;
    const LayerNormForward *a;
} Forward;

static void forward_task(void *arg, int64_t t, int thread) {
    (void)thread;
    const Forward *f = arg;
    const LayerNormForward *a = f->a;
    for (int64_t r = t * CPU_ROWS; r < cpu_rows_end(t, a->out.rows); r++)
        f->kn->layernorm(a->out, tensor_at(a->out, r, 0), a->mean + r, a->rstd + r,
                         tensor_at(a->x, kept_row(a->kept, r), 0), a->w, a->b, a->x.cols);
}

static void layernorm_forward(Backend *be, const LayerNormForward *a) {
    Cpu *cpu = cpu_of(be);
    Forward f = {cpu->kn, a};
    pool_run(cpu->pool, cpu_tasks(a->out.rows), forward_task, &f);
}

typedef struct {
    const Kernels *kn;
    const LayerNormBackward *a;
    float *dw, *db; /* a row for each task */
} Backward;

static void backward_task(void *arg, int64_t t, int thread) {
    (void)thread;
    const Backward *f = arg;
    const LayerNormBackward *a = f->a;
    int64_t cols = a->x.cols;
    float *dw = f->dw + t * cols, *db = f->db + t * cols;
    memset(dw, 0, (size_t)cols * sizeof(float));
    memset(db, 0, (size_t)cols * sizeof(float));
    for (int64_t r = t * CPU_ROWS; r < cpu_rows_end(t, a->dout.rows); r++) {
        int64_t row = kept_row(a->kept, r);
        f->kn->layernorm_backward(tensor_at(a->dx, row, 0), dw, db, tensor_at(a->dout, r, 0),
                                  a->dout.type, tensor_at(a->x, row, 0), a->mean[r], a->rstd[r],
                                  a->w, cols);
    }
}

static void layernorm_backward(Backend *be, const LayerNormBackward *a) {
    Cpu *cpu = cpu_of(be);
    int64_t tasks = cpu_tasks(a->dout.rows), parts = tasks * a->x.cols;
    float *part = cpu_scratch(be, (size_t)(2 * parts) * sizeof(float));
    if (!part)
        return;
    Backward f = {cpu->kn, a, part, part + parts};
    pool_run(cpu->pool, tasks, backward_task, &f);
    cpu_add_parts(be, a->dw, f.dw, tasks, a->x.cols);
    cpu_add_parts(be, a->db, f.db, tasks, a->x.cols);
}

void cpu_norm(Backend *be) {
    be->layernorm_forward = layernorm_forward;
    be->layernorm_backward = layernorm_backward;
}
