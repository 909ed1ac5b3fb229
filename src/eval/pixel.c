#include "eval/pixel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/metrics.h"

/* The bits of a positive float rise with its value. Its exponent and the next 12 bits number its
 * bin. */
enum { BIN_SHIFT = 11, BINS = 1 << (31 - BIN_SHIFT) };

typedef struct {
    float error;
    int32_t pixels;
} Cell;

int pixel_tally_open(PixelTally *t, int cells) {
    *t = (PixelTally){.normal = mem_alloc(BINS, sizeof *t->normal),
                      .abnormal = mem_alloc(BINS, sizeof *t->abnormal),
                      .sorted = mem_alloc((size_t)cells, sizeof(Cell)),
                      .cells = cells};
    return t->normal && t->abnormal && t->sorted ? 0 : ERR_FAIL;
}

void pixel_tally_free(PixelTally *t) {
    mem_free(t->normal);
    mem_free(t->abnormal);
    mem_free(t->sorted);
    mem_free(t->score);
    mem_free(t->label);
    *t = (PixelTally){0};
}

static uint32_t bin_of(float error) {
    uint32_t bits;
    memcpy(&bits, &error, sizeof bits);
    return error > 0 ? bits >> BIN_SHIFT : 0;
}

static int descending(const void *a, const void *b) {
    float x = ((const Cell *)a)->error, y = ((const Cell *)b)->error;
    return (x < y) - (x > y);
}

/* The highest error that at least 40 % of the frame's abnormal pixels reach. */
static double found_at(Cell *cell, const float *map, const int32_t *abnormal, int cells,
                       int64_t total) {
    int count = 0;
    for (int i = 0; i < cells; i++)
        if (abnormal[i])
            cell[count++] = (Cell){map[i], abnormal[i]};
    qsort(cell, (size_t)count, sizeof *cell, descending);
    int64_t reach = 0;
    int i = 0;
    while (5 * (reach += cell[i].pixels) < 2 * total)
        i++;
    return cell[i].error;
}

static int make_room(PixelTally *t) {
    if (t->frames < t->capacity)
        return 0;
    size_t old = (size_t)t->capacity, more = old ? 2 * old : 1024;
    double *score = mem_grow(t->score, old, more, sizeof *score);
    if (!score)
        return ERR_FAIL;
    t->score = score;
    uint8_t *label = mem_grow(t->label, old, more, 1);
    if (!label)
        return ERR_FAIL;
    t->label = label;
    t->capacity = (int64_t)more;
    return 0;
}

int pixel_tally_add(PixelTally *t, const float *map, const int32_t *pixels,
                    const int32_t *abnormal) {
    if (make_room(t))
        return ERR_FAIL;
    int64_t total = 0;
    float highest = 0;
    for (int i = 0; i < t->cells; i++) {
        uint32_t bin = bin_of(map[i]);
        t->abnormal[bin] += abnormal[i];
        t->normal[bin] += pixels[i] - abnormal[i];
        total += abnormal[i];
        highest = pixels[i] ? fmaxf(highest, map[i]) : highest;
    }
    t->score[t->frames] = total ? found_at(t->sorted, map, abnormal, t->cells, total) : highest;
    t->label[t->frames] = total > 0;
    t->frames++;
    return 0;
}

int pixel_tally_figures(const PixelTally *t, PixelFigures *out) {
    double normal = 0, abnormal = 0, below = 0, tied = 0;
    for (int i = 0; i < BINS; i++) { /* pairs: normal pixel below; tied */
        below += t->abnormal[i] * normal;
        tied += t->abnormal[i] * t->normal[i];
        normal += t->normal[i];
        abnormal += t->abnormal[i];
    }
    double pairs = normal * abnormal;
    out->auroc = pairs > 0 ? (below + tied / 2) / pairs : NAN;
    out->auroc_error = pairs > 0 ? tied / 2 / pairs : NAN;
    int code = auroc(&out->frame_auroc, t->score, t->label, t->frames);
    return code ? code : equal_error_rate(&out->frame_eer, t->score, t->label, t->frames);
}
