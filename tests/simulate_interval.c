/* How often two 95 % intervals of the micro AUROC hold the true value: the bootstrap's percentiles,
 * and these widened (eval/interval.h), on made-up clips whose true AUROC is known.
 *
 * Frames of a clip differ by a deviation of 1. Each clip adds an effect to all of its scores
 * (deviation 0.5) and another one to its abnormal scores. Frames of endlessly many clips are of
 * different clips, so the true AUROC follows from the deviations.
 *
 * usage: simulate_interval [REPETITIONS]    exit 1 where the widened intervals of clips that differ
 * as much as their frames hold in less than 93 % over all rows */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "eval/bootstrap.h"
#include "eval/interval.h"
#include "random.h"

enum { LENGTH = 60, MOST_CLIPS = 36, MOST = MOST_CLIPS * LENGTH };

static const int clip_counts[] = {12, 21, 36};
static const double areas[] = {0.80, 0.90, 0.98};
static const double shared = 0.5, abnormal_only[] = {1, 2}; /* deviations of the two effects */

typedef struct {
    double score[MOST];
    uint8_t label[MOST];
    int64_t length[MOST_CLIPS];
} Clips;

typedef struct {
    int clips;
    double area, effect;
    uint32_t number;
} Cell;

typedef struct {
    int held[2];
    double width[2];
} Tally;

/* The number that a standard normal one stays below with probability p. */
static double normal_quantile(double p) {
    double low = -10, high = 10;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        *(0.5 * erfc(-middle / M_SQRT2) < p ? &low : &high) = middle;
    }
    return low;
}

/* The last 20 to 90 % of each clip are abnormal. */
static void draw(Clips *d, const Cell *cell, uint32_t trial) {
    Rng r = rng_stream(2022, RNG_TEST, 2 * cell->number, trial);
    Rng starts = rng_stream(2022, RNG_TEST, 2 * cell->number + 1, trial);
    double spread = sqrt(2 * (1 + shared * shared) + cell->effect * cell->effect);
    double distance = normal_quantile(cell->area) * spread;
    for (int c = 0; c < cell->clips; c++) {
        uint64_t at = (uint64_t)(c * (LENGTH + 2));
        double all = shared * rng_normal(&r, at);
        double abnormal = distance + cell->effect * rng_normal(&r, at + 1);
        int first = (int)(LENGTH * (0.8 - 0.7 * rng_uniform(&starts, (uint64_t)c)));
        for (int t = 0; t < LENGTH; t++) {
            int i = c * LENGTH + t;
            d->label[i] = t >= first;
            d->score[i] = all + rng_normal(&r, at + 2 + (uint64_t)t) + (d->label[i] ? abnormal : 0);
        }
        d->length[c] = LENGTH;
    }
}

static void count(Tally *t, int which, double low, double high, double area) {
    t->held[which] += low <= area && area <= high;
    t->width[which] += high - low;
}

static int simulate(Tally *t, const Cell *cell, int repetitions) {
    static Clips d;
    *t = (Tally){{0, 0}, {0, 0}};
    for (int i = 0; i < repetitions; i++) {
        Bootstrap b;
        draw(&d, cell, (uint32_t)i);
        if (bootstrap_percentiles(&b, d.score, d.label, d.length, cell->clips))
            return ERR_FAIL;
        count(t, 0, b.low, b.high, cell->area);
        interval_widen(&b.low, &b.high, b.estimate, b.clips);
        count(t, 1, b.low, b.high, cell->area);
    }
    return 0;
}

int main(int argc, char **argv) {
    int repetitions = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1000, held = 0, all = 0;
    printf("| clips differ by | AUROC | clips | percentiles hold | width | widened hold | width |\n"
           "| --- | --- | --- | --- | --- | --- | --- |\n");
    for (uint32_t k = 0; k < 18; k++) {
        Cell cell = {clip_counts[k % 3], areas[k / 3 % 3], abnormal_only[k / 9], k};
        Tally t;
        if (simulate(&t, &cell, repetitions)) {
            fprintf(stderr, "%s\n", err_text());
            return 1;
        }
        double n = repetitions / 100.0;
        printf("| %.0f | %.0f | %d | %.1f %% | %.1f | %.1f %% | %.1f |\n", cell.effect,
               100 * cell.area, cell.clips, t.held[0] / n, t.width[0] / n, t.held[1] / n,
               t.width[1] / n);
        held += k < 9 ? t.held[1] : 0;
        all += k < 9 ? repetitions : 0;
    }
    return held < 0.93 * all;
}
