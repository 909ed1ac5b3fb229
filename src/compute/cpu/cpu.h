/* Shared declarations of the cpu backend. */
#ifndef COMPUTE_CPU_CPU_H
#define COMPUTE_CPU_CPU_H

#include "compute/backend.h"
#include "compute/cpu/kernels.h"
#include "compute/cpu/pool.h"

typedef struct {
    Kernels table;
    const Kernels *kn; /* the table */
    Pool *pool;
    int64_t panel_budget; /* bytes of panels that stay in the second-level cache */
    char *scratch;
    size_t scratch_bytes;
} Cpu;

static inline Cpu *cpu_of(Backend *be) {
    return be->state;
}

/* Rows of a matrix in one task: 64 rows of any width stay in the second-level cache. */
enum { CPU_ROWS = 64 };

static inline int64_t cpu_tasks(int64_t rows) {
    return (rows + CPU_ROWS - 1) / CPU_ROWS;
}

/* The end of task t's rows. */
static inline int64_t cpu_rows_end(int64_t t, int64_t rows) {
    return (t + 1) * CPU_ROWS < rows ? (t + 1) * CPU_ROWS : rows;
}

/* `bytes` rounded up so that what follows in a scratch block is aligned. */
static inline size_t cpu_aligned(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

/* Returns the backend's scratch: at least `bytes`, aligned to 64, of any content. The backend owns
 * it; it is valid until the next call. When memory is out, returns NULL and latches the failure. */
void *cpu_scratch(Backend *be, size_t bytes);

/* sum[c] += the sum of column c over parts (count, cols), in the order of the parts. */
void cpu_add_parts(Backend *be, float *sum, const float *parts, int64_t count, int64_t cols);

/* Overrides entries of a table that ref_open has filled. Returns ERR_USAGE if NORMALCY_ISA names no
 * level. be->close cleans up after a failure too. */
int cpu_open(Backend *be);

/* Called by cpu_open; each overrides the entries of its file. */
void cpu_linear(Backend *be);
void cpu_memory(Backend *be);
void cpu_norm(Backend *be);
void cpu_attention(Backend *be);
void cpu_image(Backend *be);
void cpu_optimizer(Backend *be);
void cpu_flow(Backend *be);

#endif
