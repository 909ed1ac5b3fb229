/* What the files have in common that are compiled once for each level of instruction sets. CMake
 * gives ISA_NAME and the compiler's flags; nothing here is called from other files but through
 * the table of kernels.h. */
#ifndef COMPUTE_CPU_ISA_H
#define COMPUTE_CPU_ISA_H

#include "compute/cpu/kernels.h"

#define ISA_JOIN2(a, b) a##_##b
#define ISA_JOIN(a, b) ISA_JOIN2(a, b)
#define ISA(name) ISA_JOIN(name, ISA_NAME)

/* A vector, and the tile of a product: mr x 2 vectors of accumulators, two of the panel and one
 * broadcast value fill the registers of the level. */
#if defined(__AVX512F__)
enum { VECTOR = 64, MR = 14 };
#elif defined(__AVX2__)
enum { VECTOR = 32, MR = 6 };
#else
enum { VECTOR = 16, MR = 4 };
#endif
enum { LANES = VECTOR / 4, NR = 2 * LANES };

/* How a byte of the right operand stands in its group; the left one's is of the same size. */
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
typedef int8_t Byte;
#else
typedef int16_t Byte;
#endif
enum { BYTES = 4 / sizeof(Byte) };

typedef float Floats __attribute__((vector_size(VECTOR)));
typedef uint32_t Words __attribute__((vector_size(VECTOR)));
/* In memory; memcpy of accumulators would keep GCC from holding them in registers. */
typedef Floats Unaligned __attribute__((aligned(4), may_alias));

/* For bodies whose constant arguments make one loop each. */
#define INLINE static inline __attribute__((always_inline))

/* Each fills its part of the table. */
void ISA(isa_tile)(Kernels *kn);
void ISA(isa_pack)(Kernels *kn);
void ISA(isa_linear)(Kernels *kn);
void ISA(isa_norm)(Kernels *kn);
void ISA(isa_attention)(Kernels *kn);
void ISA(isa_values)(Kernels *kn);

/* Takes over the products of bf16 and bytes in a table that avx512_bf16 filled. */
void isa_amx(Kernels *kn);

#endif
