/* Shared by the files that are compiled once for each level of instruction sets. CMake gives
 * ISA_NAME and the compiler's flags. Other files call these functions only through the table of
 * kernels.h. */
#ifndef COMPUTE_CPU_ISA_H
#define COMPUTE_CPU_ISA_H

#include "compute/cpu/kernels.h"

#define ISA_JOIN2(a, b) a##_##b
#define ISA_JOIN(a, b) ISA_JOIN2(a, b)
#define ISA(name) ISA_JOIN(name, ISA_NAME)

/* Bytes of a vector, and rows of a product's tile. The registers of a level hold mr x 2 vectors of
 * accumulators, two vectors of the panel and one broadcast value. */
#if defined(__AVX512F__)
enum { VECTOR = 64, MR = 14 };
#elif defined(__AVX2__)
enum { VECTOR = 32, MR = 6 };
#else
enum { VECTOR = 16, MR = 4 };
#endif
enum { LANES = VECTOR / 4, NR = 2 * LANES };

/* The type of a right operand's byte in its group; the left operand's has the same size. */
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
typedef int8_t Byte;
#else
typedef int16_t Byte;
#endif
enum { BYTES = 4 / sizeof(Byte) };

typedef float Floats __attribute__((vector_size(VECTOR)));
typedef uint32_t Words __attribute__((vector_size(VECTOR)));
/* A vector in memory. With memcpy, GCC would not hold accumulators in registers. */
typedef Floats Unaligned __attribute__((aligned(4), may_alias));

/* For functions with constant arguments: each call gets a loop of its own. */
#define INLINE static inline __attribute__((always_inline))

/* Each fills its part of the table. */
void ISA(isa_tile)(Kernels *kn);
void ISA(isa_pack)(Kernels *kn);
void ISA(isa_linear)(Kernels *kn);
void ISA(isa_norm)(Kernels *kn);
void ISA(isa_attention)(Kernels *kn);
void ISA(isa_values)(Kernels *kn);
void ISA(isa_flow)(Kernels *kn);
void ISA(isa_refine)(Kernels *kn);

/* Takes over the products of bf16 and bytes in a table that avx512_bf16 filled. */
void isa_amx(Kernels *kn);

#endif
