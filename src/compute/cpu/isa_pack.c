/* Packs operands of matrix products into the layouts of kernels.h. */
#include "compute/cpu/isa_groups.h"
#include "compute/weight.h"

INLINE uint32_t word(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Makes a group of two values from `from`; an F32 group takes only the first. */
INLINE uint32_t group(DType type, DType from, const void *x, int64_t i, const void *y, int64_t j) {
    const float *fx = x, *fy = y;
    const uint16_t *hx = x, *hy = y;
    if (type == F32)
        return word(fx[i]);
    if (from == F32)
        return bf16_round(fx[i]) | (uint32_t)bf16_round(fy[j]) << 16;
    return hx[i] | (uint32_t)hy[j] << 16;
}

/* Loads LANES groups. Their values are at a; the second values of pairs are at b. */
INLINE Words groups_at(DType type, DType from, const char *a, const char *b) {
    const Unaligned *va = (const Unaligned *)(const void *)a,
                    *vb = (const Unaligned *)(const void *)b;
    return type == BF16 && from == F32 ? isa_round_groups(va[0], vb[0]) : isa_groups_at(type, a, b);
}

/* Loads LANES groups of consecutive values. */
INLINE Words groups_along(DType type, DType from, const char *x) {
    Words w[2]; /* copied: rows of bf16 can begin at any even address */
    memcpy(w, x, type == BF16 && from == F32 ? sizeof w : sizeof *w);
    return type == BF16 && from == F32 ? isa_round((Floats)w[0], (Floats)w[1]) : w[0];
}

/* ---- rows become columns. A block of groups from each row is transposed in registers at a
 * time. */

/* How far ahead weights are prefetched while they are packed, in bytes of each row. The processor
 * does not recognise the streams of so many rows by itself. Packing from memory is twice as fast
 * with this on a Zen 5. */
enum { AHEAD = 256 };

INLINE void pack_rows_as(uint32_t *panel, DType type, DType from, const char *x, int64_t ld,
                         int64_t n, int64_t k) {
    int64_t size = type == F32 ? 1 : 2, groups = k / size;
    size_t bytes = dtype_bytes(from);
    for (int64_t half = 0; half < NR; half += LANES)
        for (int64_t g = 0; g < groups; g += LANES) {
            Words block[LANES] = {0};
            int64_t count = groups - g < LANES ? groups - g : LANES;
            int64_t rows = n - half < LANES ? n - half : LANES;
            for (int64_t r = 0; r < rows; r++) {
                const char *at = x + (size_t)((half + r) * ld + g * size) * bytes;
                if (from == F32) {
                    __builtin_prefetch(at + AHEAD);
                    __builtin_prefetch(at + AHEAD + 64);
                }
                if (count == LANES) {
                    block[r] = groups_along(type, from, at);
                    continue;
                }
                uint32_t row[LANES] = {0};
                for (int64_t i = 0; i < count; i++)
                    row[i] = group(type, from, at, size * i, at, size * i + 1);
                memcpy(&block[r], row, sizeof row);
            }
            isa_transpose(block);
            for (int64_t i = 0; i < count; i++)
                *(Unaligned *)(panel + (g + i) * NR + half) = (Floats)block[i];
        }
    if (k % size == 0)
        return;
    for (int64_t r = 0; r < NR; r++) { /* the last group is half full */
        const char *at = x + (size_t)(r * ld + k - 1) * bytes;
        uint32_t last = 0;
        if (r < n)
            last = from == F32 ? bf16_round(*(const float *)(const void *)at)
                               : *(const uint16_t *)(const void *)at;
        panel[groups * NR + r] = last;
    }
}

static void pack_rows(void *panel, DType type, const void *x, DType from, int64_t ld, int64_t n,
                      int64_t k) {
    if (type == F32)
        pack_rows_as(panel, F32, F32, x, ld, n, k);
    else if (from == F32)
        pack_rows_as(panel, BF16, F32, x, ld, n, k);
    else
        pack_rows_as(panel, BF16, BF16, x, ld, n, k);
}

enum { BLOCK = 16 };

static void pack_bytes(void *panel, const float *x, int64_t ld, int64_t n, int64_t k,
                       const float *scales, int32_t *sums) {
    Byte *to = panel;
    int64_t groups = (k + BYTES - 1) / BYTES;
    memset(to, 0, (size_t)(groups * NR * 4));
    for (int64_t r = 0; r < n; r++) {
        Byte row[BYTES * BLOCK];
        int32_t sum = 0;
        for (int64_t i = 0; i < k; i += BYTES * BLOCK) {
            int64_t count = k - i < BYTES * BLOCK ? k - i : BYTES * BLOCK;
            memset(row, 0, sizeof row);
            for (int64_t c = 0; c < count; c++) {
                row[c] = weight_round(x[r * ld + i + c], scales[r]);
                sum += row[c];
            }
            for (int64_t c = 0; c < count; c += BYTES)
                memcpy(to + ((i + c) / BYTES * NR + r) * BYTES, row + c, 4);
        }
        sums[r] = sum;
    }
}

/* ---- columns stay columns. */

/* Panels packed together: their part of a row is adjacent cache lines. */
enum { WIDE = 4 };

/* How far ahead rows are prefetched. The processor does not prefetch lines so far apart by
 * itself. */
enum { AHEAD_ROWS = 8 };

/* Packs `count` panels of n columns together. `count` is a constant in each call. */
INLINE void pack_panels(char *panels, int64_t stride, DType type, DType from, const char *x,
                        int64_t ld, int64_t count, int64_t n, int64_t k) {
    int64_t size = type == F32 ? 1 : 2;
    size_t bytes = dtype_bytes(from);
    _Alignas(4) static const char zeros[WIDE * NR * 4];
    for (int64_t g = 0; g * size < k; g++) {
        const char *a = x + (size_t)(g * size * ld) * bytes;
        const char *b = g * size + 1 < k ? a + (size_t)ld * bytes : zeros;
        for (size_t i = 0; i < (size_t)(count * NR) * bytes; i += 64)
            for (int64_t row = 0; row < size; row++)
                __builtin_prefetch(a + (size_t)((AHEAD_ROWS + row) * ld) * bytes + i);
        for (int64_t i = 0; i < count; i++) {
            uint32_t *to = (uint32_t *)(void *)(panels + i * stride) + g * NR;
            if (n == count * NR)
                for (int64_t c = 0; c < NR; c += LANES) {
                    size_t at = (size_t)(i * NR + c) * bytes;
                    *(Unaligned *)(to + c) = (Floats)groups_at(type, from, a + at, b + at);
                }
            else
                for (int64_t c = 0; c < NR; c++)
                    to[c] = i * NR + c < n ? group(type, from, a, i * NR + c, b, i * NR + c) : 0;
        }
    }
}

INLINE void pack_cols_as(char *panels, int64_t stride, DType type, DType from, const char *x,
                         int64_t ld, int64_t n, int64_t k) {
    int64_t bytes = (int64_t)dtype_bytes(from);
    for (; n >= WIDE * NR; n -= WIDE * NR, x += WIDE * NR * bytes, panels += WIDE * stride)
        pack_panels(panels, stride, type, from, x, ld, WIDE, WIDE * NR, k);
    for (; n > 0; n -= NR, x += NR * bytes, panels += stride)
        pack_panels(panels, stride, type, from, x, ld, 1, n < NR ? n : NR, k);
}

static void pack_cols(void *panels, int64_t stride, DType type, const void *x, DType from,
                      int64_t ld, int64_t n, int64_t k) {
    if (type == F32)
        pack_cols_as(panels, stride, F32, F32, x, ld, n, k);
    else if (from == F32)
        pack_cols_as(panels, stride, BF16, F32, x, ld, n, k);
    else
        pack_cols_as(panels, stride, BF16, BF16, x, ld, n, k);
}

/* ---- the left operand of x^T y. */

enum { TILES = 8 };
_Static_assert((int)MR <= (int)LANES, "a tile's group is packed as one vector");

/* Packs `tiles` tiles of n columns together. It writes whole vectors; the next group overwrites
 * what goes beyond a group. `inside` (a constant in each call): LANES - MR more columns can be read
 * behind the last. Otherwise there is one tile, and zeros follow its n columns. */
INLINE void pack_tiles(char *to, int64_t tile_bytes, DType type, bool inside, const char *x,
                       int64_t ld, int64_t tiles, int64_t n, int64_t k, float *sums) {
    Floats sum[TILES] = {{0}};
    int64_t size = type == F32 ? 1 : 2;
    size_t bytes = dtype_bytes(type);
    _Alignas(4) static const char zeros[(TILES * MR + LANES) * 4];
    _Alignas(4) char edge[2][LANES * 4] = {{0}};
    for (int64_t g = 0; g * size < k; g++) {
        const char *a = x + (size_t)(g * size * ld) * bytes;
        const char *b = g * size + 1 < k ? a + (size_t)ld * bytes : zeros;
        if (!inside) {
            a = memcpy(edge[0], a, (size_t)n * bytes);
            b = memcpy(edge[1], b, (size_t)n * bytes);
        }
        for (int64_t t = 0; t < tiles; t++) {
            size_t at = (size_t)(t * MR) * bytes;
            Words w = isa_groups_at(type, a + at, b + at);
            *(Unaligned *)(void *)(to + t * tile_bytes + g * MR * 4) = (Floats)w;
            sum[t] += isa_group_sums(type, w);
        }
    }
    for (int64_t t = 0; sums && t < tiles; t++)
        for (int64_t c = 0; c < (inside ? MR : n); c++)
            sums[t * MR + c] += sum[t][c];
}

INLINE void pack_left_as(char *to, int64_t tile_bytes, DType type, const char *x, int64_t ld,
                         int64_t n, int64_t k, float *sums) {
    int64_t col = 0;
    size_t bytes = dtype_bytes(type);
    while (n - col >= LANES) {
        int64_t tiles = (n - col - (LANES - MR)) / MR;
        tiles = tiles < TILES ? tiles : TILES;
        pack_tiles(to, tile_bytes, type, true, x + (size_t)col * bytes, ld, tiles, tiles * MR, k,
                   sums ? sums + col : NULL);
        to += tiles * tile_bytes;
        col += tiles * MR;
    }
    for (; col < n; col += MR, to += tile_bytes)
        pack_tiles(to, tile_bytes, type, false, x + (size_t)col * bytes, ld, 1,
                   n - col < MR ? n - col : MR, k, sums ? sums + col : NULL);
}

static void pack_left_f32(void *tiles, int64_t tile_bytes, const void *x, int64_t ld, int64_t n,
                          int64_t k, float *sums) {
    pack_left_as(tiles, tile_bytes, F32, x, ld, n, k, sums);
}

static void pack_left_bf16(void *tiles, int64_t tile_bytes, const void *x, int64_t ld, int64_t n,
                           int64_t k, float *sums) {
    pack_left_as(tiles, tile_bytes, BF16, x, ld, n, k, sums);
}

void ISA(isa_pack)(Kernels *kn) {
    kn->pack_rows = pack_rows;
    kn->pack_bytes = pack_bytes;
    kn->pack_cols = pack_cols;
    kn->pack_left[F32] = pack_left_f32;
    kn->pack_left[BF16] = pack_left_bf16;
}
