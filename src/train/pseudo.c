#include "train/pseudo.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

int64_t pseudo_cells(const TrainSettings *t, const VitConfig *v) {
    return (v->image / t->mask_cell) * (v->image / t->mask_cell);
}

int64_t pseudo_masked_cells(const TrainSettings *t, const VitConfig *v) {
    return (int64_t)ceil((double)pseudo_cells(t, v) * t->mask_ratio);
}

/* Marks the patches of a cell, which is a square of patches. */
static void mark(uint8_t *mask, const TrainSettings *t, const VitConfig *v, int64_t cell) {
    int64_t cells = v->image / t->mask_cell, grid = v->image / v->patch;
    int64_t side = t->mask_cell / v->patch, y0 = cell / cells * side, x0 = cell % cells * side;
    for (int64_t y = y0; y < y0 + side; y++)
        memset(mask + y * grid + x0, 1, (size_t)side);
}

bool pseudo_chosen(const TrainSettings *t, int64_t epoch, int64_t index) {
    Rng r = rng_stream((uint64_t)t->seed, RNG_PSEUDO, (uint32_t)epoch, (uint32_t)index);
    return rng_uniform(&r, 0) < t->pseudo_p;
}

/* The cells of a pair, in order. Selection sampling takes each one with probability (still wanted)
 * / (still to come), so every subset of that size has the same chance. */
typedef struct {
    Rng rng;
    int64_t cells, wanted, next;
} Draw;

static Draw draw_cells(const TrainSettings *t, const VitConfig *v, int64_t epoch, int64_t index) {
    return (Draw){rng_stream((uint64_t)t->seed, RNG_MASK, (uint32_t)epoch, (uint32_t)index),
                  pseudo_cells(t, v), pseudo_masked_cells(t, v), 0};
}

/* The next cell that is taken; -1 after the last. */
static int64_t next_cell(Draw *d) {
    while (d->next < d->cells) {
        int64_t cell = d->next++, left = d->cells - cell;
        if (rng_uniform(&d->rng, (uint64_t)cell) * (double)left < (double)d->wanted) {
            d->wanted--;
            return cell;
        }
    }
    return -1;
}

void pseudo_draw(uint8_t *mask, const TrainSettings *t, const VitConfig *v, int64_t epoch,
                 int64_t index) {
    Draw d = draw_cells(t, v, epoch, index);
    memset(mask, 0, (size_t)vit_patches(v));
    for (int64_t cell; (cell = next_cell(&d)) >= 0;)
        mark(mask, t, v, cell);
}

void pseudo_stale(float *frames, int64_t count, const TrainSettings *t, const VitConfig *v,
                  int64_t epoch, int64_t index) {
    int64_t size = v->image, side = t->mask_cell, frame = VIT_COLOURS * size * size;
    const float *before = frames + (count - 2) * frame;
    float *newest = frames + (count - 1) * frame;
    Draw d = draw_cells(t, v, epoch, index);
    for (int64_t cell; (cell = next_cell(&d)) >= 0;) {
        int64_t x = cell % (size / side) * side, y = cell / (size / side) * side;
        for (int64_t row = 0; row < VIT_COLOURS * side; row++) {
            int64_t at = (row / side * size + y + row % side) * size + x;
            memcpy(newest + at, before + at, (size_t)side * sizeof *newest);
        }
    }
}

/* ---- SmoothMixS. */

static double clamp(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

/* The window in one direction: 1 inside, 0 beyond a ramp of a tenth of half its length. */
static float window_at(int64_t x, int64_t centre, int64_t length, int64_t size) {
    double from = clamp((double)(centre - length / 2), 0, (double)size);
    double to = clamp((double)(centre + length / 2), 0, (double)size);
    double ramp = 0.1 * (double)(length / 2);
    double rise = x < centre ? (double)x - (from - ramp) : to + ramp - (double)x;
    return (float)clamp(rise / ramp, 0, 1);
}

static void blend(float *frame, const uint8_t *intruder, int64_t size, int64_t cx, int64_t cy,
                  int64_t width, int64_t height) {
    int64_t plane = size * size;
    for (int64_t i = 0; i < plane; i++) {
        float m = window_at(i % size, cx, width, size) * window_at(i / size, cy, height, size);
        if (m == 0)
            continue;
        const uint8_t *bgr = intruder + 3 * i;
        float grey = (0.114f * bgr[0] + 0.587f * bgr[1] + 0.299f * bgr[2]) / 127.5f - 1;
        for (int c = 0; c < 3; c++)
            frame[c * plane + i] = m * grey + (1 - m) * frame[c * plane + i];
    }
}

/* Element `n` of a stream as an integer in [0, count). */
static int64_t draw_below(const Rng *r, uint64_t n, int64_t count) {
    return (int64_t)(rng_uniform(r, n) * (double)count);
}

static int64_t draw_side(const Rng *r, uint64_t n, const TrainSettings *t, int64_t size) {
    int64_t side = (int64_t)(rng_uniform(r, n) * t->patch_size * (double)size);
    return side < 10 ? 10 : side;
}

void pseudo_patch(float *frames, int64_t count, const uint8_t *intruder, int64_t size,
                  const TrainSettings *t, int64_t epoch, int64_t index) {
    enum { MOVE = 10 };
    Rng r = rng_stream((uint64_t)t->seed, RNG_PSEUDO, (uint32_t)epoch, (uint32_t)index);
    int64_t cx = draw_below(&r, 1, size), cy = draw_below(&r, 2, size); /* pseudo_chosen draws 0 */
    int64_t width = draw_side(&r, 3, t, size), height = draw_side(&r, 4, t, size);
    for (int64_t k = 0; k < count; k++) {
        uint64_t n = 5 + 2 * (uint64_t)k;
        blend(frames + k * 3 * size * size, intruder, size, cx, cy, width, height);
        cx = (int64_t)clamp((double)(cx + draw_below(&r, n, 2 * MOVE + 1) - MOVE), 0, (double)size);
        cy = (int64_t)clamp((double)(cy + draw_below(&r, n + 1, 2 * MOVE + 1) - MOVE), 0,
                            (double)size);
    }
}

int64_t pseudo_intruder(const TrainSettings *t, int64_t epoch, int64_t index, int64_t count) {
    Rng r = rng_stream((uint64_t)t->seed, RNG_SECOND, (uint32_t)epoch, (uint32_t)index);
    return draw_below(&r, 0, count);
}
