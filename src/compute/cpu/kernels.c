#include "compute/cpu/kernels.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* The levels. Each names the objects that CMake compiles from isa_*.c. */
#if defined(__x86_64__)
#define LEVELS(X) X(plain) X(avx2) X(avx2_vnni) X(avx512) X(avx512_vnni) X(avx512_bf16)
#else
#define LEVELS(X) X(plain)
#endif

#define DECLARE(level)                                                                             \
    void isa_tile_##level(Kernels *kn);                                                            \
    void isa_pack_##level(Kernels *kn);                                                            \
    void isa_linear_##level(Kernels *kn);                                                          \
    void isa_norm_##level(Kernels *kn);                                                            \
    void isa_attention_##level(Kernels *kn);                                                       \
    void isa_values_##level(Kernels *kn);                                                          \
    void isa_flow_##level(Kernels *kn);                                                            \
    void isa_refine_##level(Kernels *kn);
LEVELS(DECLARE)

#define FILL(level)                                                                                \
    static void fill_##level(Kernels *kn) {                                                        \
        kn->name = #level;                                                                         \
        isa_tile_##level(kn);                                                                      \
        isa_pack_##level(kn);                                                                      \
        isa_linear_##level(kn);                                                                    \
        isa_norm_##level(kn);                                                                      \
        isa_attention_##level(kn);                                                                 \
        isa_values_##level(kn);                                                                    \
        isa_flow_##level(kn);                                                                      \
        isa_refine_##level(kn);                                                                    \
    }
LEVELS(FILL)

#if defined(__x86_64__)
void isa_amx(Kernels *kn);
static void fill_amx(Kernels *kn) {
    fill_avx512_bf16(kn);
    kn->name = "amx";
    isa_amx(kn);
}
#endif

/* The instruction sets that the compiler's flags of a level assume (CMakeLists.txt). */
static bool has_plain(void) {
    return true;
}
#if defined(__x86_64__)
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("bmi");
}

/* Asks cpuid, leaf 7.1: clang 14 does not know the name. */
static bool has_avx2_vnni(void) {
    unsigned a = 0, b, c, d;
    return has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}

static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512cd");
}

static bool has_avx512_vnni(void) {
    return has_avx512() && __builtin_cpu_supports("avx512vnni");
}

static bool has_avx512_bf16(void) {
    return has_avx512_vnni() && __builtin_cpu_supports("avx512bf16");
}

/* Asks cpuid, leaf 7, for tiles with products of bf16 and bytes. Then asks the system, once for the
 * process, to let it use the tile registers. */
static bool has_amx(void) {
    enum { ASK = 0x1023, TILES = 18 }; /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA */
    unsigned a, b, c, d = 0, all = 1u << 22 | 1u << 24 | 1u << 25;
    return has_avx512_bf16() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & all) == all &&
           syscall(SYS_arch_prctl, ASK, TILES) == 0;
}
#endif

int kernels_choose(Kernels *kn, const char *cap) {
#define TAKE(level)                                                                                \
    if (has_##level())                                                                             \
        fill_##level(kn);                                                                          \
    if (cap && strcmp(cap, #level) == 0)                                                           \
        return 0;
    LEVELS(TAKE)
#if defined(__x86_64__)
    TAKE(amx)
#endif
    return cap ? -1 : 0;
}
