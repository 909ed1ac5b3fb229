#include <math.h>

#include "video/frame.h"

/* Weights have 11 bits, as in OpenCV. Two passes on 8-bit grey levels need 30 bits. */
enum { BITS = 11, ONE = 1 << BITS, TILE = PIXELS_TILE };

/* Rows or columns of the stored picture, and how many of them are wanted. */
typedef struct {
    int in, out;
    bool backwards; /* they are counted from the last one */
} Axis;

/* Where results go: bytes from one stored row, or column, to the next. */
typedef struct {
    uint8_t *to;
    int64_t row, column;
    bool grey; /* one byte a pixel, else B, G and R */
} Target;

static void put(Target t, uint8_t *out, int blue, int green, int red) {
    if (t.grey) {
        out[0] = (uint8_t)((29 * blue + 150 * green + 77 * red + 128) >> 8);
        return;
    }
    out[0] = (uint8_t)blue;
    out[1] = (uint8_t)green;
    out[2] = (uint8_t)red;
}

/* One output position: the first of two neighbours in the source, and the weight of the second. */
typedef struct {
    int at, weight;
} Tap;

static Tap tap_at(Axis axis, int i) {
    double at = (i + 0.5) * ((double)axis.in / axis.out) - 0.5;
    double whole = floor(at);
    int first = (int)whole, last = axis.in > 1 ? axis.in - 2 : 0;
    int weight = (int)lrint((at - whole) * ONE);
    Tap tap = first < 0 ? (Tap){0, 0} : first > last ? (Tap){last, ONE} : (Tap){first, weight};
    return axis.backwards ? (Tap){last - tap.at, ONE - tap.weight} : tap;
}

static void blend_pairs(int *restrict out, const uint8_t *restrict a, const uint8_t *restrict b,
                        const int16_t *restrict weight, int n) {
    for (int i = 0; i < n; i++)
        out[i] = (int16_t)a[i] * (int16_t)(ONE - weight[i]) + (int16_t)b[i] * weight[i];
}

static void blend_rows(uint8_t *restrict out, const int *restrict a, const int *restrict b,
                       int weight, int n) {
    int keep = ONE - weight, half = 1 << (2 * BITS - 1);
    for (int i = 0; i < n; i++)
        out[i] = (uint8_t)((a[i] * keep + b[i] * weight + half) >> (2 * BITS));
}

static void store(Target t, int y, int x, const uint8_t *blue, const uint8_t *green,
                  const uint8_t *red, int n) {
    uint8_t *out = t.to + y * t.row + x * t.column;
    for (int i = 0; i < n; i++, out += t.column)
        put(t, out, blue[i], green[i], red[i]);
}

/* Blended rows of the source: an even and an odd one. */
typedef struct {
    int have[2];
    int level[2][3][TILE];
    int16_t weight[TILE];
    PixelReader reader;
} Lines;

static void read_line(Lines *l, int y, int n) {
    PixelRow row;
    if (l->have[y & 1] == y)
        return;
    pixels_read(&l->reader, y, row);
    for (int c = 0; c < 3; c++)
        blend_pairs(l->level[y & 1][c], row[c], row[c] + n, l->weight, n);
    l->have[y & 1] = y;
}

/* Columns x to x + n, in all rows. */
static void resize_tile(Target t, const Pixels *p, Axis rows, Axis columns, int x, int n) {
    Lines lines = {.have = {-1, -1}};
    int left[TILE];
    uint8_t out[3][TILE];
    for (int i = 0; i < n; i++) {
        Tap tap = tap_at(columns, x + i);
        left[i] = tap.at;
        lines.weight[i] = (int16_t)tap.weight;
    }
    pixels_begin(&lines.reader, p, left, n);
    for (int y = 0; y < rows.out; y++) {
        Tap tap = tap_at(rows, y);
        int next = tap.at + (rows.in > 1);
        read_line(&lines, tap.at, n);
        read_line(&lines, next, n);
        for (int c = 0; c < 3; c++)
            blend_rows(out[c], lines.level[tap.at & 1][c], lines.level[next & 1][c], tap.weight, n);
        store(t, y, x, out[0], out[1], out[2], n);
    }
}

static void store_pairs(Target t, int y, const int *left, const PixelRow row, int n, bool both) {
    for (int i = 0; i < n; i++) {
        uint8_t *out = t.to + y * t.row + left[i] * t.column;
        put(t, out, row[0][i], row[1][i], row[2][i]);
        if (both)
            put(t, out + t.column, row[0][n + i], row[1][n + i], row[2][n + i]);
    }
}

/* Takes n pairs of columns from x as they are. */
static void copy_tile(Target t, const Pixels *p, int x, int n) {
    PixelReader reader;
    PixelRow row;
    int left[TILE], last = p->width > 1 ? p->width - 2 : 0;
    for (int i = 0; i < n; i++)
        left[i] = x + 2 * i < last ? x + 2 * i : last;
    pixels_begin(&reader, p, left, n);
    for (int y = 0; y < p->height; y++) {
        pixels_read(&reader, y, row);
        store_pairs(t, y, left, row, n, p->width > 1);
    }
}

static void copy(Target t, const Frame *f) {
    const Pixels *p = &f->pixels;
    if (f->orientation & FRAME_MIRRORED)
        t = (Target){t.to + (p->width - 1) * t.column, t.row, -t.column, t.grey};
    if (f->orientation & FRAME_UPSIDE_DOWN)
        t = (Target){t.to + (p->height - 1) * t.row, -t.row, t.column, t.grey};
    for (int x = 0; x < p->width; x += 2 * TILE)
        copy_tile(t, p, x, p->width - x < 2 * TILE ? (p->width - x + 1) / 2 : TILE);
}

static void resize(Target t, const Frame *f, int width, int height) {
    Axis columns = {f->pixels.width, width, f->orientation & FRAME_MIRRORED};
    Axis rows = {f->pixels.height, height, f->orientation & FRAME_UPSIDE_DOWN};
    for (int x = 0; x < width; x += TILE)
        resize_tile(t, &f->pixels, rows, columns, x, width - x < TILE ? width - x : TILE);
}

static void resize_to(Target t, int width, int height, const Frame *in) {
    bool turned = in->orientation & FRAME_TRANSPOSED;
    if (in->width == width && in->height == height)
        copy(t, in);
    else
        resize(t, in, turned ? height : width, turned ? width : height);
}

static Target target(uint8_t *out, int width, const Frame *in, bool grey) {
    int64_t bytes = grey ? 1 : 3, line = bytes * width;
    bool turned = in->orientation & FRAME_TRANSPOSED;
    return (Target){out, turned ? bytes : line, turned ? line : bytes, grey};
}

void frame_resize(uint8_t *out, int width, int height, const Frame *in) {
    resize_to(target(out, width, in, false), width, height, in);
    if (in->ignore)
        ignore_paint(in->ignore, out, width, height, 3, in->width, in->height);
}

void frame_resize_grey(uint8_t *out, int width, int height, const Frame *in) {
    Frame luma = *in;
    if (luma.pixels.kind == PIXELS_YUV)
        luma.pixels.kind = PIXELS_GREY;
    resize_to(target(out, width, in, true), width, height, &luma);
    if (in->ignore)
        ignore_paint(in->ignore, out, width, height, 1, in->width, in->height);
}
