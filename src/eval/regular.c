#include "eval/regular.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

const char *const normalise_names[] = {"per-clip", "global", "none", NULL};

typedef struct {
    double psnr, anomaly;
    int64_t frame;
} Item;

static int descending(const void *a, const void *b) {
    double x = ((const Item *)a)->psnr, y = ((const Item *)b)->psnr;
    return (x < y) - (x > y);
}

/* Separates anomalies that rounding made equal although their PSNRs differ: they become
 * neighbouring numbers. One pass goes up from 0, one down from 1. Items are sorted, highest PSNR
 * first. */
static void keep_order(Item *item, int64_t n) {
    for (int64_t i = 1; i < n; i++) {
        double next = nextafter(item[i - 1].anomaly, INFINITY);
        item[i].anomaly =
            item[i].psnr == item[i - 1].psnr ? item[i - 1].anomaly : fmax(item[i].anomaly, next);
    }
    item[n - 1].anomaly = 1;
    for (int64_t i = n - 2; i >= 0; i--) {
        double next = nextafter(item[i + 1].anomaly, -INFINITY);
        item[i].anomaly =
            item[i].psnr == item[i + 1].psnr ? item[i + 1].anomaly : fmin(item[i].anomaly, next);
    }
}

/* Fills the items of those of n frames whose PSNR is not NaN, highest first, and returns their
 * number. An infinite PSNR (equal frames) takes the nearest finite value. */
static int64_t sort_items(Item *item, const double *psnr, int64_t n) {
    double min = INFINITY, max = -INFINITY;
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(psnr[i])) {
            min = fmin(min, psnr[i]);
            max = fmax(max, psnr[i]);
        }
    for (int64_t i = 0; i < n; i++)
        if (!isnan(psnr[i]))
            item[count++] = (Item){fmin(fmax(psnr[i], min), max), 0, i};
    qsort(item, (size_t)count, sizeof *item, descending);
    return count;
}

/* NaN stays NaN; auroc refuses it later. */
static void normalise(double *anomaly, const double *psnr, int64_t n, Item *item) {
    int64_t count = sort_items(item, psnr, n);
    for (int64_t i = 0; i < n; i++)
        anomaly[i] = NAN;
    if (!count)
        return;
    double max = item[0].psnr, min = item[count - 1].psnr;
    double unit = isfinite(max - min) ? 1 : 0.5; /* the difference of the halves is always finite */
    if (max > min) {
        for (int64_t i = 0; i < count; i++)
            item[i].anomaly = (unit * max - unit * item[i].psnr) / (unit * max - unit * min);
        keep_order(item, count);
    }
    for (int64_t i = 0; i < count; i++)
        anomaly[item[i].frame] = item[i].anomaly;
}

int regular_normalise(double *anomaly, const double *psnr, const int64_t *clip_length, int clips,
                      Normalise how) {
    int64_t n = 0;
    for (int c = 0; c < clips; c++)
        n += clip_length[c];
    if (how == NORMALISE_NONE) {
        for (int64_t i = 0; i < n; i++)
            anomaly[i] = -psnr[i];
        return 0;
    }
    Item *item = mem_alloc((size_t)n + 1, sizeof *item);
    if (!item)
        return ERR_FAIL;
    if (how == NORMALISE_GLOBAL)
        normalise(anomaly, psnr, n, item);
    for (int64_t c = 0, start = 0; how == NORMALISE_CLIP && c < clips; start += clip_length[c++])
        normalise(anomaly + start, psnr + start, clip_length[c], item);
    mem_free(item);
    return 0;
}
