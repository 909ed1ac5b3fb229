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

/* Marks the patches of a cell: a square of them. */
static void mark(uint8_t *mask, const TrainSettings *t, const VitConfig *v, int64_t cell) {
    int64_t cells = v->image / t->mask_cell, grid = v->image / v->patch;
    int64_t side = t->mask_cell / v->patch, y0 = cell / cells * side, x0 = cell % cells * side;
    for (int64_t y = y0; y < y0 + side; y++)
        memset(mask + y * grid + x0, 1, (size_t)side);
}

void pseudo_draw(uint8_t *mask, const TrainSettings *t, const VitConfig *v, int64_t epoch,
                 int64_t index) {
    Rng r = rng_stream((uint64_t)t->seed, RNG_MASK, (uint32_t)epoch, (uint32_t)index);
    int64_t cells = pseudo_cells(t, v), wanted = pseudo_masked_cells(t, v);
    memset(mask, 0, (size_t)vit_patches(v));
    /* Selection sampling: each cell is taken with probability (still wanted) / (still to come),
     * which gives every subset of that size the same chance. */
    for (int64_t cell = 0; cell < cells; cell++)
        if (rng_uniform(&r, (uint64_t)cell) * (double)(cells - cell) < (double)wanted) {
            mark(mask, t, v, cell);
            wanted--;
        }
}
