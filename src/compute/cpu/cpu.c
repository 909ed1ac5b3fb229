/* The cpu backend: own kernels for the instruction sets of this processor, on a team of threads.
 * The reference does every operation that it does not override. */
#include "compute/cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

void *cpu_scratch(Backend *be, size_t bytes) {
    Cpu *cpu = cpu_of(be);
    if (bytes > cpu->scratch_bytes || !cpu->scratch) {
        mem_free_pages(cpu->scratch);
        cpu->scratch = mem_alloc_pages(bytes ? bytes : 1);
        cpu->scratch_bytes = cpu->scratch ? bytes : 0;
        if (!cpu->scratch)
            backend_fail(be, "%s", err_text());
    }
    return cpu->scratch;
}

enum { COLUMNS = 256 }; /* columns of one task that adds parts */

typedef struct {
    const Kernels *kn;
    float *sum;
    const float *parts;
    int64_t count, cols;
} Parts;

static void parts_task(void *arg, int64_t t, int thread) {
    (void)thread;
    const Parts *s = arg;
    int64_t c = t * COLUMNS, n = s->cols - c < COLUMNS ? s->cols - c : COLUMNS;
    for (int64_t i = 0; i < s->count; i++)
        s->kn->add(s->sum + c, s->parts + i * s->cols + c, n);
}

void cpu_add_parts(Backend *be, float *sum, const float *parts, int64_t count, int64_t cols) {
    Cpu *cpu = cpu_of(be);
    Parts s = {cpu->kn, sum, parts, count, cols};
    pool_run(cpu->pool, (cols + COLUMNS - 1) / COLUMNS, parts_task, &s);
}

static void cpu_close(Backend *be) {
    Cpu *cpu = cpu_of(be);
    if (!cpu)
        return;
    pool_free(&cpu->pool);
    mem_free_pages(cpu->scratch);
    mem_free(cpu);
}

/* Two fifths of the second-level cache; half a megabyte if the system does not report its size. */
static int64_t panel_budget(void) {
    long cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return (cache > 0 ? cache : 512 << 10) * 2 / 5;
}

int cpu_open(Backend *be) {
    const char *cap = getenv("NORMALCY_ISA");
    Cpu *cpu = mem_alloc(1, sizeof *cpu);
    if (!cpu)
        return ERR_FAIL;
    be->name = "cpu";
    be->state = cpu;
    be->close = cpu_close;
    if (kernels_choose(&cpu->table, cap))
        return err_set(
            ERR_USAGE,
            "NORMALCY_ISA: expected plain, avx2, avx2_vnni, avx512, avx512_vnni, avx512_bf16 or "
            "amx; found \"%s\"",
            cap);
    cpu->kn = &cpu->table;
    cpu->panel_budget = panel_budget();
    be->type = cpu->kn->fast_bf16 ? BF16 : F32;
    be->packed_byte = 4 / cpu->kn->group[U8];
    int code = pool_open(&cpu->pool, be->threads);
    if (code)
        return code;
    be->description = cpu->kn->name;
    cpu_linear(be);
    cpu_memory(be);
    cpu_norm(be);
    cpu_attention(be);
    cpu_image(be);
    cpu_optimizer(be);
    cpu_flow(be);
    return 0;
}
