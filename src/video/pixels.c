#include "video/pixels.h"

#include <math.h>
#include <string.h>

Pixels pixels_of_bgr(const uint8_t *bgr, int width, int height) {
    Pixels p = {.kind = PIXELS_BGR, .width = width, .height = height, .depth = 8, .full = true};
    for (int c = 0; c < 3; c++)
        p.part[c] = (Samples){bgr + c, 3, 3 * width};
    return p;
}

/* ---- what is read, and how much it weighs ---- */

/* U and V come times 2^sums. Factors have 16 bits below the point, as in libjpeg: their sums over
 * samples of 8 bits are exact. A full range of 10 bits is 0 to 1023, but a short one is 4 times
 * that of 8 bits. */
static void set_matrix(PixelReader *r, const Pixels *p) {
    int sums = 2 + p->narrow[0] + p->narrow[1];
    double unit = 1 << (p->depth - 8), most = (1 << p->depth) - 1;
    double level = p->full ? 255 / most : 1 / unit;
    r->luma = (float)(p->full ? level : level * 255 / 219);
    r->offset = 0.5F - r->luma * (float)(p->full ? 0 : 16 * unit);
    r->grey = 128 << (p->depth - 8 + sums);
    for (int k = 0; k < 4; k++) {
        double fixed = rint(p->matrix[k] * (p->full ? 224.0 / 255 : 1)) / 65536;
        r->factor[k] = (float)(fixed * level / (1 << sums));
    }
}

/* The first of the two of `size` samples that a pixel lies between, and the weight of the second:
 * both weigh 2 << narrow. A sample lies amid its pixels, or on the last of them. */
static int between(int pixel, int narrow, bool amid, int size, int *second) {
    int twice = 2 << narrow, at = 2 * pixel - ((1 << narrow) - 1) * (amid ? 1 : 2);
    int first = at >> (narrow + 1), last = size > 1 ? size - 2 : 0;
    *second = first < 0 ? 0 : first > last ? twice : at & (twice - 1);
    return first < 0 ? 0 : first > last ? last : first;
}

static int narrowed(int size, int narrow) {
    return (size + (1 << narrow) - 1) >> narrow;
}

static void set_chroma(PixelReader *r, const Pixels *p, const int *left) {
    int size = narrowed(p->width, p->narrow[0]);
    for (int i = 0; i < 2 * r->pairs; i++) {
        int second, column = i < r->pairs ? left[i] : left[i - r->pairs] + (p->width > 1);
        int first = between(column, p->narrow[0], true, size, &second);
        r->chroma_at[i] = (uint32_t)(first * p->part[1].step);
        r->weight[0][i] = (uint16_t)((2 << p->narrow[0]) - second);
        r->weight[1][i] = (uint16_t)second;
        r->rounding[i] = (uint16_t)(8 - (column & 1)); /* up and down in turn */
    }
}

void pixels_begin(PixelReader *r, const Pixels *p, const int *left, int pairs) {
    r->pixels = p;
    r->pairs = pairs;
    r->have[0] = r->have[1] = -1;
    for (int i = 0; i < pairs; i++)
        r->at[i] = (uint32_t)(left[i] * p->part[0].step);
    if (p->kind == PIXELS_YUV)
        set_chroma(r, p, left);
    set_matrix(r, p);
}

/* ---- samples ---- */

static const uint8_t *row_of(const Samples *s, int y) {
    return s->from + (int64_t)y * s->stride;
}

static void split(uint16_t *restrict first, uint16_t *restrict second,
                  const uint16_t *restrict both, int n) {
    for (int i = 0; i < n; i++) {
        first[i] = both[i] & 255;
        second[i] = both[i] >> 8;
    }
}

static void gather_touching(uint16_t *restrict first, uint16_t *restrict second,
                            const uint8_t *restrict row, const uint32_t *restrict at, int n) {
    uint16_t both[2 * PIXELS_TILE];
    for (int i = 0; i < n; i++) {
        const uint8_t *p = row + at[i];
        both[i] = (uint16_t)(p[0] | p[1] << 8); /* one load */
    }
    split(first, second, both, n);
}

/* Two neighbours of two bytes each. */
static void gather_deep(uint16_t *restrict first, uint16_t *restrict second, const Pixels *p,
                        const uint8_t *restrict row, const uint8_t *restrict next,
                        const uint32_t *restrict at, int n) {
    uint32_t both[2 * PIXELS_TILE];
    int shift = p->shift, mask = (1 << p->depth) - 1;
    if (next == row + 2)
        for (int i = 0; i < n; i++) {
            const uint8_t *q = row + at[i];
            both[i] = q[0] | q[1] << 8 | q[2] << 16 | (uint32_t)q[3] << 24; /* one load */
        }
    else
        for (int i = 0; i < n; i++) {
            const uint8_t *a = row + at[i], *b = next + at[i];
            both[i] = a[0] | a[1] << 8 | b[0] << 16 | (uint32_t)b[1] << 24;
        }
    for (int i = 0; i < n; i++) {
        first[i] = (uint16_t)(both[i] >> shift & (uint32_t)mask);
        second[i] = (uint16_t)(both[i] >> (16 + shift) & (uint32_t)mask);
    }
}

/* Reads n samples and the one after each, of a row of `size`. */
static void gather(uint16_t *restrict first, uint16_t *restrict second, const Pixels *p,
                   const Samples *s, int y, int size, const uint32_t *restrict at, int n) {
    const uint8_t *row = row_of(s, y), *next = row + (size > 1 ? s->step : 0);
    if (p->depth > 8) {
        gather_deep(first, second, p, row, next, at, n);
    } else if (next == row + 1) {
        gather_touching(first, second, row, at, n);
    } else {
        for (int i = 0; i < n; i++) {
            first[i] = row[at[i]];
            second[i] = next[at[i]];
        }
    }
}

/* ---- colour ---- */

static void blend(uint16_t *restrict out, const uint16_t *restrict a, const uint16_t *restrict b,
                  const uint16_t *restrict weight_a, const uint16_t *restrict weight_b, int n) {
    for (int i = 0; i < n; i++)
        out[i] = (uint16_t)(a[i] * weight_a[i] + b[i] * weight_b[i]);
}

static void mix(uint16_t *restrict out, const uint16_t *restrict a, const uint16_t *restrict b,
                int weight_a, int weight_b, int n) {
    for (int i = 0; i < n; i++)
        out[i] = (uint16_t)(a[i] * weight_a + b[i] * weight_b);
}

static void round_levels(uint16_t *restrict out, const uint16_t *restrict rounding, int n) {
    for (int i = 0; i < n; i++)
        out[i] = (uint16_t)((out[i] + rounding[i]) & ~15);
}

/* A row of U and V at the columns. */
static void fetch(PixelReader *r, int y) {
    const Pixels *p = r->pixels;
    uint16_t first[2 * PIXELS_TILE], second[2 * PIXELS_TILE];
    int n = 2 * r->pairs, size = narrowed(p->width, p->narrow[0]);
    if (r->have[y & 1] == y)
        return;
    for (int c = 0; c < 2; c++) {
        gather(first, second, p, &p->part[1 + c], y, size, r->chroma_at, n);
        blend(r->chroma[y & 1][c], first, second, r->weight[0], r->weight[1], n);
    }
    r->have[y & 1] = y;
}

/* Computes U and V, times 2^(2 + both `narrow`), at row y. */
static void read_chroma(PixelReader *r, int y, uint16_t out[2][2 * PIXELS_TILE]) {
    const Pixels *p = r->pixels;
    int narrow = p->narrow[1], size = narrowed(p->height, narrow), weight;
    if (narrow && !p->jpeg && y && y == p->height - 1)
        y--; /* swscale's last row has the U and V of the one above */
    int row = between(y, narrow, p->jpeg, size, &weight), next = row + (size > 1);
    fetch(r, row);
    fetch(r, next);
    for (int c = 0; c < 2; c++) {
        mix(out[c], r->chroma[row & 1][c], r->chroma[next & 1][c], (2 << narrow) - weight, weight,
            2 * r->pairs);
        if (p->jpeg)
            round_levels(out[c], r->rounding, 2 * r->pairs);
    }
}

/* Vectors of 16 bits have a minimum and a maximum in every instruction set. */
static uint8_t level(float v) {
    int16_t i = (int16_t)(int)v;
    i = i < 0 ? 0 : i;
    return (uint8_t)(i > 255 ? 255 : i);
}

static void convert(const PixelReader *r, const uint16_t *restrict y, const uint16_t *restrict u,
                    const uint16_t *restrict v, uint8_t *restrict blue, uint8_t *restrict green,
                    uint8_t *restrict red) {
    float luma = r->luma, offset = r->offset;
    float vr = r->factor[0], ub = r->factor[1], ug = r->factor[2], vg = r->factor[3];
    int grey = r->grey;
    for (int i = 0, n = 2 * r->pairs; i < n; i++) {
        float bright = luma * (float)y[i] + offset;
        float cb = (float)(u[i] - grey), cr = (float)(v[i] - grey);
        blue[i] = level(bright + ub * cb);
        green[i] = level(bright - ug * cb - vg * cr);
        red[i] = level(bright + vr * cr);
    }
}

/* One value that takes no part in a matrix: B, G, R or grey. */
static void read_plain(const PixelReader *r, const Samples *s, int y, uint8_t *restrict out) {
    uint16_t value[2 * PIXELS_TILE];
    float luma = r->luma, offset = r->offset;
    gather(value, value + r->pairs, r->pixels, s, y, r->pixels->width, r->at, r->pairs);
    if (r->pixels->depth == 8 && r->pixels->full)
        for (int i = 0; i < 2 * r->pairs; i++)
            out[i] = (uint8_t)value[i];
    else
        for (int i = 0; i < 2 * r->pairs; i++)
            out[i] = level(luma * value[i] + offset);
}

void pixels_read(PixelReader *r, int y, PixelRow out) {
    const Pixels *p = r->pixels;
    uint16_t luma[2 * PIXELS_TILE], chroma[2][2 * PIXELS_TILE];
    if (p->kind == PIXELS_YUV) {
        gather(luma, luma + r->pairs, p, &p->part[0], y, p->width, r->at, r->pairs);
        read_chroma(r, y, chroma);
        convert(r, luma, chroma[0], chroma[1], out[0], out[1], out[2]);
        return;
    }
    read_plain(r, &p->part[0], y, out[0]);
    for (int c = 1; c < 3; c++)
        if (p->kind == PIXELS_BGR)
            read_plain(r, &p->part[c], y, out[c]);
        else
            memcpy(out[c], out[0], 2 * (size_t)r->pairs);
}
