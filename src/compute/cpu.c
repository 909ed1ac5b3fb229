/* The cpu backend: oneDNN f32 matrix products and OpenMP loops. Whatever it does not override stays
 * the reference's. */
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "compute/cpu.h"

typedef struct {
    float *scratch;
    int64_t floats;
    char description[96];
} Cpu;

float *cpu_scratch(Backend *be, int64_t floats) {
    Cpu *cpu = be->state;
    if (floats > cpu->floats) {
        mem_free(cpu->scratch);
        cpu->scratch = mem_alloc((size_t)floats, sizeof(float));
        cpu->floats = cpu->scratch ? floats : 0;
        if (!cpu->scratch)
            backend_fail(be, "%s", err_text());
    }
    return cpu->scratch;
}

static void cpu_close(Backend *be) {
    Cpu *cpu = be->state;
    if (cpu)
        mem_free(cpu->scratch);
    mem_free(cpu);
}

static const char *isa_name(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return "AVX-512";
    if (__builtin_cpu_supports("avx2"))
        return "AVX2";
#endif
    return "baseline";
}

int backend_cpu(Backend *be) {
    Cpu *cpu = mem_alloc(1, sizeof *cpu);
    if (!cpu)
        return ERR_FAIL;
    const dnnl_version_t *v = dnnl_version();
    snprintf(cpu->description, sizeof cpu->description, "oneDNN %d.%d.%d f32, %s, %d threads",
             v->major, v->minor, v->patch, isa_name(), be->threads);
    be->name = "cpu";
    be->description = cpu->description;
    be->state = cpu;
    be->close = cpu_close;
    cpu_linear(be);
    cpu_attention(be);
    cpu_image(be);
    cpu_optimizer(be);
    return 0;
}
