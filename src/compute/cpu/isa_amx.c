/* Matrix products of bf16 and bytes in AMX's tile registers. A result of 32 x 32 is four tiles of
 * 16 x 16. A unit is 16 groups: the width of the left operand's two tiles, one below the other, and
 * the height of the panel's two tiles, side by side. A packed left tile is unit after unit, each 32
 * rows of 64 bytes. The other functions of this level are avx512_bf16's. */
#include <immintrin.h>

#include "compute/cpu/isa_groups.h"

enum { SIDE = 16, UNIT = 16, CHUNK = 192, ROWS = 2 * SIDE, ROW_BYTES = 4 * UNIT };
_Static_assert((int)SIDE == (int)LANES && (int)ROWS <= (int)MAX_MR && 2 * SIDE == NR, "layouts");

/* The registers: results (by halves of rows and columns), left operand, panel. GCC pastes these
 * numbers into register names. */
#define C00 0
#define C01 1
#define C10 2
#define C11 3
#define LEFT0 4
#define LEFT1 5
#define PANEL0 6
#define PANEL1 7

/* Sets the registers' shapes for `rows` rows, 1 .. 32. A thread starts without shapes, and no other
 * code here uses these registers. */
static void shape(int rows) {
    static _Thread_local int shaped;
    if (shaped == rows)
        return;
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } s = {.palette = 1};
    uint8_t upper = (uint8_t)(rows < SIDE ? rows : SIDE);
    uint8_t lower = (uint8_t)(rows > SIDE ? rows - SIDE : SIDE); /* unused if no rows are left */
    uint8_t each[] = {[C00] = upper,   [C01] = upper,   [C10] = lower,   [C11] = lower,
                      [LEFT0] = upper, [LEFT1] = lower, [PANEL0] = UNIT, [PANEL1] = UNIT};
    for (int i = 0; i < 8; i++) {
        s.bytes[i] = ROW_BYTES;
        s.rows[i] = each[i];
    }
    __asm__ volatile("" : : "r"(&s) : "memory"); /* GCC 12 thinks only 8 bytes are read */
    _tile_loadconfig(&s);
    shaped = rows;
}

#define MULTIPLY(type, c, a, b)                                                                    \
    do {                                                                                           \
        if ((type) == BF16)                                                                        \
            _tile_dpbf16ps(c, a, b);                                                               \
        else                                                                                       \
            _tile_dpbusd(c, a, b);                                                                 \
    } while (0)

/* Prefetches the bytes that belong to one unit. */
INLINE void fetch(const char *next) {
    for (int i = 0; i < UNIT * FETCHED; i += 64)
        __builtin_prefetch(next + i, 0, 2);
}

/* The left operand's rows are `row` bytes apart. Their second half begins `half` bytes after the
 * first, the next unit `step` bytes further. The panel streams past the first-level cache, so that
 * the rows stay there for the next panel. This raises 1.5 TFLOP/s to 2.5. */
INLINE void product(float *out, const char *a, size_t row, int64_t half, int64_t step,
                    const char *panel, int64_t groups, int rows, DType type, bool add,
                    const char *next) {
    enum { GROUP = 4 * NR };
    shape(rows);
    if (add) {
        _tile_loadd(C00, out, GROUP);
        _tile_loadd(C01, out + SIDE, GROUP);
    } else {
        _tile_zero(C00);
        _tile_zero(C01);
    }
    if (rows <= SIDE) {
        for (int64_t g = 0; g < groups; g += UNIT, a += step, panel += UNIT * GROUP) {
            if (next)
                fetch(next + g * FETCHED);
            _tile_loadd(LEFT0, a, row);
            _tile_stream_loadd(PANEL0, panel, GROUP);
            _tile_stream_loadd(PANEL1, panel + GROUP / 2, GROUP);
            MULTIPLY(type, C00, LEFT0, PANEL0);
            MULTIPLY(type, C01, LEFT0, PANEL1);
        }
    } else {
        if (add) {
            _tile_loadd(C10, out + SIDE * NR, GROUP);
            _tile_loadd(C11, out + SIDE * NR + SIDE, GROUP);
        } else {
            _tile_zero(C10);
            _tile_zero(C11);
        }
        for (int64_t g = 0; g < groups; g += UNIT, a += step, panel += UNIT * GROUP) {
            if (next)
                fetch(next + g * FETCHED);
            _tile_loadd(LEFT0, a, row);
            _tile_stream_loadd(PANEL0, panel, GROUP);
            _tile_loadd(LEFT1, a + half, row);
            _tile_stream_loadd(PANEL1, panel + GROUP / 2, GROUP);
            MULTIPLY(type, C00, LEFT0, PANEL0);
            MULTIPLY(type, C10, LEFT1, PANEL0);
            MULTIPLY(type, C01, LEFT0, PANEL1);
            MULTIPLY(type, C11, LEFT1, PANEL1);
        }
        _tile_stored(C10, out + SIDE * NR, NR * 4);
        _tile_stored(C11, out + SIDE * NR + SIDE, NR * 4);
    }
    _tile_stored(C00, out, NR * 4);
    _tile_stored(C01, out + SIDE, NR * 4);
}

static void tile_bf16(float *out, const void *a, int64_t a_bytes, const void *panel, int64_t groups,
                      int rows, bool add, const char *next) {
    product(out, a, (size_t)a_bytes, SIDE * a_bytes, ROW_BYTES, panel, groups, rows, BF16, add,
            next);
}

static void tile_u8(float *out, const void *a, int64_t a_bytes, const void *panel, int64_t groups,
                    int rows, bool add, const char *next) {
    product(out, a, (size_t)a_bytes, SIDE * a_bytes, ROW_BYTES, panel, groups, rows, U8, add, next);
}

static void tile_bf16_packed(float *out, const void *a, const void *panel, int64_t groups) {
    product(out, a, ROW_BYTES, SIDE * ROW_BYTES, ROWS * ROW_BYTES, panel, groups, ROWS, BF16, false,
            NULL);
}

/* Packs one unit of one half of a tile: up to SIDE columns of x, from its rows k .. k + 31. */
static void pack_half(char *to, const uint16_t *x, int64_t ld, int64_t cols, int64_t k,
                      float *sums) {
    static const uint16_t zeros[SIDE];
    uint16_t edge[2][SIDE] = {{0}};
    Words block[UNIT];
    Floats sum = {0};
    for (int64_t g = 0; g < UNIT; g++) {
        const uint16_t *row[2];
        for (int i = 0; i < 2; i++) {
            row[i] = 2 * g + i < k ? x + (2 * g + i) * ld : zeros;
            if (cols < SIDE)
                row[i] = memcpy(edge[i], row[i], (size_t)cols * sizeof *x);
        }
        block[g] = isa_groups_at(BF16, row[0], row[1]);
        sum += isa_group_sums(BF16, block[g]);
    }
    isa_transpose(block);
    for (int r = 0; r < SIDE; r++)
        *(Unaligned *)(void *)(to + r * ROW_BYTES) = (Floats)block[r];
    for (int64_t c = 0; sums && c < cols; c++)
        sums[c] += sum[c];
}

static void pack_left_bf16(void *tiles, int64_t tile_bytes, const void *x, int64_t ld, int64_t n,
                           int64_t k, float *sums) {
    for (int64_t unit = 0; unit * 2 * UNIT < k; unit++)
        for (int64_t col = 0; col < (n + ROWS - 1) / ROWS * ROWS; col += SIDE) {
            int64_t cols = n - col < 0 ? 0 : n - col < SIDE ? n - col : SIDE;
            char *to = (char *)tiles + col / ROWS * tile_bytes;
            pack_half(to + unit * ROWS * ROW_BYTES + col % ROWS * ROW_BYTES,
                      (const uint16_t *)x + unit * 2 * UNIT * ld + (cols ? col : 0), ld, cols,
                      k - unit * 2 * UNIT, sums && cols ? sums + col : NULL);
        }
}

void isa_amx(Kernels *kn) {
    kn->mr[BF16] = kn->mr[U8] = ROWS;
    kn->unit[BF16] = kn->unit[U8] = UNIT;
    kn->chunk[BF16] = kn->chunk[U8] = CHUNK;
    kn->tile[BF16] = tile_bf16;
    kn->tile[U8] = tile_u8;
    kn->tile_packed[BF16] = tile_bf16_packed;
    kn->pack_left[BF16] = pack_left_bf16;
}
