#include "eval/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "eval/interval.h"

enum { REPLICATES = 1000, SEED = 2022 };

typedef struct {
    double score;
    int32_t clip;
    uint8_t label;
} Item;

static int descending(const void *a, const void *b) {
    double x = ((const Item *)a)->score, y = ((const Item *)b)->score;
    return (x < y) - (x > y);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The AUROC if each frame counts as often as its clip was drawn; NaN if one class is absent. The
 * sum is twice the area in pairs of frames: a whole number, so exact. */
static double weighted_area(const Item *items, int64_t n, const int64_t *drawn) {
    uint64_t twice = 0;
    int64_t tp = 0, fp = 0;
    for (int64_t i = 0; i < n;) {
        int64_t old_tp = tp, old_fp = fp;
        for (double score = items[i].score; i < n && items[i].score == score; i++)
            *(items[i].label ? &tp : &fp) += drawn[items[i].clip];
        twice += (uint64_t)(fp - old_fp) * (uint64_t)(tp + old_tp);
    }
    return tp && fp ? (double)twice / (2.0 * (double)tp * (double)fp) : NAN;
}

/* The areas of all replicates. */
static void replicate(double *area, const Item *items, int64_t n, int64_t *drawn, int clips) {
    uint32_t attempt = 0;
    for (int r = 0; r < REPLICATES; r++) {
        do {
            Rng rng = rng_stream(SEED, RNG_BOOTSTRAP, attempt++, 0);
            memset(drawn, 0, (size_t)clips * sizeof *drawn);
            for (int c = 0; c < clips; c++)
                drawn[(int)(rng_uniform(&rng, (uint64_t)c) * clips)]++;
            area[r] = weighted_area(items, n, drawn);
        } while (isnan(area[r]));
    }
}

/* Interpolates between the two neighbours in the sorted areas. */
static double quantile(const double *area, double q) {
    double at = q * (REPLICATES - 1);
    int i = (int)at;
    return area[i] + (at - i) * (area[i + 1] - area[i]);
}

/* Fills the items of all frames, highest score first. Returns the number of clips with frames. */
static int fill_items(Item *items, const double *score, const uint8_t *label,
                      const int64_t *clip_length, int clips) {
    int64_t n = 0;
    int used = 0;
    for (int c = 0; c < clips; c++) {
        for (int64_t end = n + clip_length[c]; n < end; n++)
            items[n] = (Item){score[n], used, label[n] != 0};
        used += clip_length[c] > 0;
    }
    qsort(items, (size_t)n, sizeof *items, descending);
    return used;
}

/* Measures items that have both classes. */
static int measure(Bootstrap *out, const Item *items, int64_t n) {
    double *area = mem_alloc(REPLICATES, sizeof *area);
    int64_t *drawn = mem_alloc((size_t)out->clips, sizeof *drawn);
    int code = area && drawn ? 0 : ERR_FAIL;
    if (!code) {
        for (int c = 0; c < out->clips; c++)
            drawn[c] = 1;
        out->estimate = weighted_area(items, n, drawn);
        replicate(area, items, n, drawn, out->clips);
        qsort(area, REPLICATES, sizeof *area, ascending);
        out->low = quantile(area, 0.025);
        out->high = quantile(area, 0.975);
    }
    mem_free(drawn);
    mem_free(area);
    return code;
}

int bootstrap_percentiles(Bootstrap *out, const double *score, const uint8_t *label,
                          const int64_t *clip_length, int clips) {
    int64_t n = 0, abnormal = 0;
    for (int c = 0; c < clips; c++)
        n += clip_length[c];
    for (int64_t i = 0; i < n; i++)
        abnormal += label[i] != 0;
    Item *items = mem_alloc((size_t)n + 1, sizeof *items);
    if (!items)
        return ERR_FAIL;
    Bootstrap b = {NAN, NAN, NAN, fill_items(items, score, label, clip_length, clips)};
    int code = b.clips >= 2 && abnormal && abnormal < n ? measure(&b, items, n) : 0;
    mem_free(items);
    if (!code)
        *out = b;
    return code;
}

int bootstrap_auroc(double *low, double *high, const double *score, const uint8_t *label,
                    const int64_t *clip_length, int clips) {
    Bootstrap b;
    int code = bootstrap_percentiles(&b, score, label, clip_length, clips);
    if (code)
        return code;
    interval_widen(&b.low, &b.high, b.estimate, b.clips);
    *low = b.low;
    *high = b.high;
    return 0;
}
