/* Matrix products of one tile. The accumulators stay in registers; a group of the left operand is
 * broadcast; a group of the panel is two vectors. See kernels.h for the layouts. */
#include "compute/cpu/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define IN_VECTOR(v) __asm__("" : "+v"(v)) /* keeps the compiler from taking v apart */
#else
#define IN_VECTOR(v) ((void)0)
#endif

/* A tile with fewer rows is cut into products of these sizes. Without an instruction for bf16, a
 * bf16 tile is cut in two, since the halves of each group need registers. */
#if defined(__AVX512F__)
#define TILE_ROWS(X, type) X(14, type) X(8, type) X(7, type) X(4, type) X(1, type)
#elif defined(__AVX2__)
#define TILE_ROWS(X, type) X(6, type) X(4, type) X(3, type) X(2, type) X(1, type)
#else
#define TILE_ROWS(X, type) X(4, type) X(2, type) X(1, type)
#endif

#if defined(__AVX512BF16__)
enum { FAST_BF16 = true };
#else
enum { FAST_BF16 = false };
#endif

INLINE int most_rows(DType type) {
    return type == BF16 && !FAST_BF16 ? MR / 2 : MR;
}

typedef int32_t Ints __attribute__((vector_size(VECTOR)));

/* ---- one group: acc += a . b in each lane. Bytes accumulate as integers in the bits of acc. */

static inline Floats dot_f32(Floats acc, Words a, Words b) {
    return acc + (Floats)a * (Floats)b;
}

static inline Floats dot_bf16(Floats acc, Words a, Words b) {
#if defined(__AVX512BF16__)
    return (Floats)_mm512_dpbf16_ps((__m512)acc, (__m512bh)a, (__m512bh)b);
#else
    acc += (Floats)(a << 16) * (Floats)(b << 16);
    return acc + (Floats)(a & 0xffff0000u) * (Floats)(b & 0xffff0000u);
#endif
}

/* Multiplies a's unsigned bytes by b's signed bytes, or pairs of 16-bit integers. */
static inline Floats dot_u8(Floats acc, Words a, Words b) {
#if defined(__AVX512VNNI__)
    return (Floats)_mm512_dpbusd_epi32((__m512i)acc, (__m512i)a, (__m512i)b);
#elif defined(__AVX512F__)
    return (Floats)((Ints)acc + (Ints)_mm512_madd_epi16((__m512i)a, (__m512i)b));
#elif defined(__AVXVNNI__)
    return (Floats)_mm256_dpbusd_avx_epi32((__m256i)acc, (__m256i)a, (__m256i)b);
#elif defined(__AVX2__)
    return (Floats)((Ints)acc + (Ints)_mm256_madd_epi16((__m256i)a, (__m256i)b));
#elif defined(__x86_64__)
    return (Floats)((Ints)acc + (Ints)_mm_madd_epi16((__m128i)a, (__m128i)b));
#else
    return (Floats)((Ints)acc + ((Ints)a << 16 >> 16) * ((Ints)b << 16 >> 16) +
                    ((Ints)a >> 16) * ((Ints)b >> 16));
#endif
}

/* ---- products. */

/* How far ahead a panel is prefetched from the second-level cache into the first, in bytes. Past
 * the panel's end this is the next panel. A frame in f32 takes 5 to 9 % less time with it on a
 * Xeon. */
enum { AHEAD = 3072 };

/* Groups of a chunk: 14 rows of one chunk stay in a first-level cache of 48 KB. */
enum { CHUNK = 768 };

/* The halves of x are split after the broadcast. Split before it, they would need moves from other
 * registers. */
INLINE Words broadcast(const char *p, DType type) {
    uint32_t x;
    memcpy(&x, p, sizeof x);
    Words v = (Words){0} + x;
    if (most_rows(type) < MR)
        IN_VECTOR(v);
    return v;
}

/* `rows`, `type` and `step` (bytes from a group to the next) are constants in each call; `row` is
 * the bytes from a row to the next. Row i is addressed from base i / 4, so that one index register
 * serves all rows. The empty asm keeps the compiler from making a pointer for each row; those would
 * not fit the registers. */
INLINE void product(float *out, const char *a, int64_t row, int64_t step, const char *panel,
                    int64_t groups, int rows, DType type, bool add, const char *next) {
    Floats acc[MR][2];
    const char *base[(MR + 3) / 4];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
        acc[i][0] = acc[i][1] = (Floats){0};
#pragma GCC unroll 16
    for (int i = 0; add && i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++)
            acc[i][j] = ((const Unaligned *)(out + i * NR))[j];
#pragma GCC unroll 4
    for (int i = 0; i < (rows + 3) / 4; i++)
        base[i] = a + 4 * i * row;
    for (int64_t g = 0; g < groups; g++) {
        const Unaligned *p = (const Unaligned *)panel;
        Words b[2] = {(Words)p[0], (Words)p[1]};
        panel += sizeof b;
        for (size_t i = 0; i < sizeof b; i += 64)
            __builtin_prefetch(panel + AHEAD + i);
        if (next)
            __builtin_prefetch(next + g * FETCHED, 0, 2);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            Words x = broadcast(base[i / 4] + i % 4 * row, type);
#pragma GCC unroll 2
            for (int j = 0; j < 2; j++)
                acc[i][j] = type == F32    ? dot_f32(acc[i][j], x, b[j])
                            : type == BF16 ? dot_bf16(acc[i][j], x, b[j])
                                           : dot_u8(acc[i][j], x, b[j]);
        }
#pragma GCC unroll 4
        for (int i = 0; i < (rows + 3) / 4; i++) {
            base[i] += step;
            __asm__("" : "+r"(base[i]));
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        Unaligned *to = (Unaligned *)(out + i * NR);
        to[0] = acc[i][0];
        to[1] = acc[i][1];
    }
}

#define CUT(R, type)                                                                               \
    for (; rows >= R && R <= most_rows(type); rows -= R, a += R * a_bytes, out += R * NR)          \
        product(out, a, a_bytes, 4, panel, groups, R, type, add, next);

#define TILE(name, type)                                                                           \
    static void name(float *out, const void *left, int64_t a_bytes, const void *panel,             \
                     int64_t groups, int rows, bool add, const char *next) {                       \
        const char *a = left;                                                                      \
        TILE_ROWS(CUT, type)                                                                       \
    }

#define PACKED(name, type)                                                                         \
    static void name(float *out, const void *a, const void *panel, int64_t groups) {               \
        int each = most_rows(type);                                                                \
        for (int i = 0; i < MR; i += each)                                                         \
            product(out + i * NR, (const char *)a + 4 * i, 4, MR * 4, panel, groups, each, type,   \
                    false, NULL);                                                                  \
    }

TILE(tile_f32, F32)
TILE(tile_bf16, BF16)
TILE(tile_u8, U8)
PACKED(tile_f32_packed, F32)
PACKED(tile_bf16_packed, BF16)

void ISA(isa_tile)(Kernels *kn) {
    kn->nr = NR;
    for (int type = 0; type < TYPES; type++) {
        kn->mr[type] = MR;
        kn->unit[type] = 1;
        kn->chunk[type] = CHUNK;
    }
    kn->group[F32] = 1;
    kn->group[BF16] = 2;
    kn->group[U8] = BYTES;
    kn->fast_bf16 = FAST_BF16;
    kn->tile[F32] = tile_f32;
    kn->tile[BF16] = tile_bf16;
    kn->tile[U8] = tile_u8;
    kn->tile_packed[F32] = tile_f32_packed;
    kn->tile_packed[BF16] = tile_bf16_packed;
}
