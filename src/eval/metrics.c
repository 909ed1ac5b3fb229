#include "eval/metrics.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

typedef struct {
    double score;
    uint8_t label;
} Item;

static int descending(const void *a, const void *b) {
    double x = ((const Item *)a)->score, y = ((const Item *)b)->score;
    return (x < y) - (x > y);
}

/* Fills items with the scores, highest first, and counts the abnormal ones. */
static int sort_items(Item *items, int64_t *abnormal, const double *score, const uint8_t *label,
                      int64_t n) {
    *abnormal = 0;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(score[i]))
            return err_set(ERR_FAIL, "score %lld of %lld is not a number; scores must be ordered",
                           (long long)i, (long long)n);
        items[i] = (Item){score[i], label[i] != 0};
        *abnormal += items[i].label;
    }
    qsort(items, (size_t)n, sizeof *items, descending);
    return 0;
}

/* Steps along the ROC curve: adds the group of equal scores that starts at i to the counts of
 * abnormal (tp) and normal (fp) frames so far. Returns the index after the group. */
static int64_t next_group(const Item *items, int64_t n, int64_t i, int64_t *tp, int64_t *fp) {
    double score = items[i].score;
    for (; i < n && items[i].score == score; i++) {
        *tp += items[i].label;
        *fp += !items[i].label;
    }
    return i;
}

/* The AUROC; NaN if one class is absent. The sum is twice the area in units of one normal x one
 * abnormal frame. It is a whole number, so nothing is rounded before the division. */
static double area(const Item *items, int64_t n, int64_t abnormal) {
    int64_t normal = n - abnormal, tp = 0, fp = 0;
    if (!abnormal || !normal)
        return NAN;
    uint64_t twice = 0;
    for (int64_t i = 0; i < n;) {
        int64_t old_tp = tp, old_fp = fp;
        i = next_group(items, n, i, &tp, &fp);
        twice += (uint64_t)(fp - old_fp) * (uint64_t)(tp + old_tp);
    }
    return (double)twice / (2.0 * (double)abnormal * (double)normal);
}

int roc_curve(RocPoint **points, int64_t *count, const double *score, const uint8_t *label,
              int64_t n) {
    Item *items = mem_alloc((size_t)n + 1, sizeof *items);
    RocPoint *curve = mem_alloc((size_t)n + 1, sizeof *curve);
    int64_t abnormal, used = 0;
    int rc = items && curve ? sort_items(items, &abnormal, score, label, n) : ERR_FAIL;
    if (!rc && (!abnormal || abnormal == n))
        rc = err_set(ERR_FAIL, "a ROC curve needs both classes; all %lld frames are %s",
                     (long long)n, abnormal ? "abnormal" : "normal");
    if (!rc) {
        curve[used++] = (RocPoint){0, 0, INFINITY};
        int64_t tp = 0, fp = 0;
        for (int64_t i = 0; i < n;) {
            double threshold = items[i].score;
            i = next_group(items, n, i, &tp, &fp);
            curve[used++] = (RocPoint){(double)fp / (double)(n - abnormal),
                                       (double)tp / (double)abnormal, threshold};
        }
        *points = curve;
        *count = used;
        curve = NULL;
    }
    mem_free(curve);
    mem_free(items);
    return rc;
}

int auroc_macro(double *out, const double *score, const uint8_t *label, const int64_t *clip_length,
                int clips) {
    int64_t n = 0, longest = 0;
    for (int c = 0; c < clips; c++) {
        n += clip_length[c];
        longest = clip_length[c] > longest ? clip_length[c] : longest;
    }
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        low = fmin(low, score[i]);
        high = fmax(high, score[i]);
    }
    Item *items = mem_alloc((size_t)longest + 2, sizeof *items);
    if (!items)
        return ERR_FAIL;
    double sum = 0;
    int rc = 0, used = 0;
    for (int c = 0; c < clips && !rc; c++) {
        int64_t length = clip_length[c], abnormal;
        rc = sort_items(items, &abnormal, score, label, length);
        if (!rc && length) {
            items[length] = (Item){low, 0};
            items[length + 1] = (Item){high, 1};
            qsort(items, (size_t)length + 2, sizeof *items, descending);
            sum += area(items, length + 2, abnormal + 1);
            used++;
        }
        score += length;
        label += length;
    }
    if (!rc)
        *out = used ? sum / used : NAN;
    mem_free(items);
    return rc;
}

/* The average precision, summed over groups of equal scores, highest first. */
static double precision_sum(const Item *items, int64_t n, int64_t abnormal) {
    int64_t tp = 0, fp = 0;
    double sum = 0;
    for (int64_t i = 0; i < n;) {
        int64_t old_tp = tp;
        i = next_group(items, n, i, &tp, &fp);
        sum += (double)(tp - old_tp) * ((double)tp / (double)(tp + fp));
    }
    return abnormal ? sum / (double)abnormal : NAN;
}

static double equal_error(const Item *items, int64_t n, int64_t abnormal) {
    int64_t normal = n - abnormal, tp = 0, fp = 0;
    if (!abnormal || !normal)
        return NAN;
    double fpr = 0, gap = -1; /* gap: fpr - (1 - tpr), from -1 to 1 along the curve */
    for (int64_t i = 0; i < n;) {
        i = next_group(items, n, i, &tp, &fp);
        double next = (double)fp / (double)normal;
        double next_gap = next - (double)(abnormal - tp) / (double)abnormal;
        if (next_gap >= 0)
            return fpr + (next - fpr) * gap / (gap - next_gap);
        fpr = next;
        gap = next_gap;
    }
    return NAN; /* not reached: the last gap is 1 */
}

static int over_sorted(double *out, const double *score, const uint8_t *label, int64_t n,
                       double (*figure)(const Item *, int64_t, int64_t)) {
    Item *items = mem_alloc((size_t)n + 1, sizeof *items);
    if (!items)
        return ERR_FAIL;
    int64_t abnormal;
    int code = sort_items(items, &abnormal, score, label, n);
    if (!code)
        *out = figure(items, n, abnormal);
    mem_free(items);
    return code;
}

int auroc(double *out, const double *score, const uint8_t *label, int64_t n) {
    return over_sorted(out, score, label, n, area);
}

int average_precision(double *out, const double *score, const uint8_t *label, int64_t n) {
    return over_sorted(out, score, label, n, precision_sum);
}

int equal_error_rate(double *out, const double *score, const uint8_t *label, int64_t n) {
    return over_sorted(out, score, label, n, equal_error);
}
