#include "score/variant.h"

#include <math.h>
#include <stdlib.h>

const char *const score_names[] = {"frame",  "max-patch", "top-patches", "window",
                                   "motion", "surprise",  "steady",      NULL};

enum { PATCH = 2, WINDOW = 4 }; /* cells a side */

/* Writes to out the means over squares of cells x cells cells, one at every `stride`-th cell.
 * Returns their number. */
static int squares(float *out, const float *map, int side, int cells, int stride) {
    int n = 0;
    cells = cells < side ? cells : side;
    for (int y = 0; y + cells <= side; y += stride)
        for (int x = 0; x + cells <= side; x += stride) {
            double sum = 0;
            for (int i = 0; i < cells * cells; i++)
                sum += map[(y + i / cells) * side + x + i % cells];
            out[n++] = (float)(sum / (cells * cells));
        }
    return n;
}

static int descending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

static double decibel(double error) {
    return -10 * log10(error);
}

int variant_cell(int64_t image) {
    return image < 28 ? 1 : (int)((image + 14) / 28);
}

void variant_scores(double out[SCORE_KINDS], const float *map, int side, int k, float *patches) {
    int n = squares(patches, map, side, WINDOW, 1);
    qsort(patches, (size_t)n, sizeof *patches, descending);
    out[SCORE_WINDOW] = decibel(patches[0]);

    n = squares(patches, map, side, PATCH, PATCH);
    qsort(patches, (size_t)n, sizeof *patches, descending);
    out[SCORE_MAX_PATCH] = decibel(patches[0]);
    double sum = 0;
    k = k < n ? k : n;
    for (int i = 0; i < k; i++)
        sum += patches[i];
    out[SCORE_TOP_PATCHES] = decibel(sum / k);
}
