/* How often rare peaks come: a Poisson process of peaks above a level, whose excesses have a
 * generalised Pareto distribution (Coles 2001, chapters 4 and 7; method J.3). All that is told
 * is of the distributions together, each in the share of its likelihood, so little footage makes
 * wide statements. Any thread. */
#ifndef CAMERA_TAIL_H
#define CAMERA_TAIL_H

#include <stdint.h>

enum { TAIL_SHAPES = 25, TAIL_SCALES = 60, TAIL_MOST = 10000 };

typedef struct {
    double from;   /* peaks above it are described */
    double hours;  /* in which they were seen */
    int64_t peaks; /* how many */
    double scale[TAIL_SCALES];
    double share[TAIL_SHAPES][TAIL_SCALES]; /* of the likelihood; the sum is 1 */
} Tail;

/* Fits to `count` >= 1 peaks, all above `from`, seen in `hours` > 0. */
void tail_fit(Tail *t, const double *peaks, int64_t count, double from, double hours);

/* How many peaks an hour are expected above `level` >= from. */
double tail_rate(const Tail *t, double level);

/* The least level, at least `from`, above which no more are expected. */
double tail_level(const Tail *t, double peaks_an_hour);

/* How many peaks exceed `level` in so many hours to come, in 95 % of cases. TAIL_MOST stands for
 * all that is more. */
void tail_counts(const Tail *t, double level, double hours, int64_t *low, int64_t *high);

#endif
