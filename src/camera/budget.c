#include "camera/budget.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

enum { MOST_PEAKS = 200, LEAST_PEAKS = 5 };
static const double BLOCKS_AN_HOUR = 3600.0 / PEAKS_BLOCK;

static int descending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* The tail is of the greatest quarter of all cells, or fewer. */
static void fit_tail(BudgetFootage *f, const Peaks *p, double *sorted, double *peaks) {
    int64_t seen = 0;
    for (int64_t i = 0; i < p->cells; i++)
        if (!isnan(p->cell[i]))
            sorted[seen++] = p->cell[i];
    qsort(sorted, (size_t)seen, sizeof *sorted, descending);
    f->greatest = sorted[0];
    int64_t at = seen / 4 < MOST_PEAKS ? seen / 4 : MOST_PEAKS;
    int64_t count = at ? peaks_above(p, sorted[at], peaks) : 0;
    if (count >= LEAST_PEAKS)
        tail_fit(&f->tail, peaks, count, sorted[at], f->hours);
}

int budget_footage(BudgetFootage *out, const Peaks *p) {
    BudgetFootage f = {.hours = peaks_hours(p)};
    if (!(f.hours > 0))
        return err_set(ERR_FAIL, "no frame has a surprise: there is nothing to calibrate with");
    double *room = mem_alloc((size_t)(2 * p->cells), sizeof *room);
    f.block = mem_alloc((size_t)p->cells, sizeof *f.block);
    if (!room || !f.block) {
        mem_free(room);
        mem_free(f.block);
        return ERR_FAIL;
    }
    f.blocks = peaks_blocks(p, f.block);
    qsort(f.block, (size_t)f.blocks, sizeof *f.block, descending);
    fit_tail(&f, p, room, room + p->cells);
    mem_free(room);
    *out = f;
    return 0;
}

void budget_footage_free(BudgetFootage *f) {
    mem_free(f->block);
    *f = (BudgetFootage){0};
}

/* ln of the chance that j of m further blocks exceed the k-th greatest of n: all orders of the
 * n + m are equally likely. */
static double ln_exceed(double j, double m, double k, double n) {
    return lgamma(k + j) - lgamma(k) - lgamma(j + 1) + lgamma(n - k + m - j + 1) -
           lgamma(n - k + 1) - lgamma(m - j + 1) - lgamma(n + m + 1) + lgamma(n + 1) +
           lgamma(m + 1);
}

static Budget by_ranks(const BudgetFootage *f, int64_t k, double hours) {
    double n = (double)f->blocks, m = floor(hours * BLOCKS_AN_HOUR), below = 0;
    Budget b = {.level = f->block[k - 1],
                .by_ranks = true,
                .week = (double)k / (n + 1) * hours * BLOCKS_AN_HOUR,
                .low = -1,
                .high = (int64_t)m};
    for (int64_t j = 0; j <= b.high; j++) {
        below += exp(ln_exceed((double)j, m, (double)k, n));
        b.low = b.low < 0 && below > 0.025 ? j : b.low;
        if (below >= 0.975)
            b.high = j;
    }
    return b;
}

static Budget by_tail(const BudgetFootage *f, double level, double hours) {
    Budget b = {.level = level, .week = tail_rate(&f->tail, level) * hours};
    tail_counts(&f->tail, level, hours, &b.low, &b.high);
    return b;
}

/* Footage that says nothing about levels it has not reached. */
static Budget unknown(double level) {
    return (Budget){.level = level, .week = NAN, .low = 0, .high = -1};
}

Budget budget_level(const BudgetFootage *f, double alarms, double hours) {
    double blocks = hours * BLOCKS_AN_HOUR, n = (double)f->blocks;
    int64_t k = (int64_t)fmin(alarms * (n + 1) / blocks, n);
    Budget b = k >= 1          ? by_ranks(f, k, hours)
               : f->tail.peaks ? by_tail(f, tail_level(&f->tail, alarms / hours), hours)
                               : unknown(f->greatest);
    b.rank_hours = fmax(ceil(blocks / alarms) - 1, 1) / BLOCKS_AN_HOUR;
    return b;
}
