#include "score/motion_learn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* Speeds are kept in steps of 1 / STEPS. */
enum { STEPS = 256 };

struct MotionLearner {
    MovementSize picture;
    int cells;
    int64_t seen, stride; /* every stride-th frame is kept */
    int64_t count, most;
    uint16_t *speed; /* [most][cells]; pages take memory once they are touched */
    int32_t *clip;   /* [most] */
};

int motion_learner_open(MotionLearner **out, MovementSize picture, int64_t bytes) {
    MotionLearner *l = mem_alloc(1, sizeof *l);
    if (!l)
        return ERR_FAIL;
    l->picture = picture;
    l->cells = picture.width / MOVEMENT_CELL * (picture.height / MOVEMENT_CELL);
    l->stride = 1;
    l->most = bytes / (l->cells * (int64_t)sizeof *l->speed) / 2 * 2;
    l->most = l->most < 2 ? 2 : l->most;
    l->speed = mem_alloc_pages((size_t)(l->most * l->cells) * sizeof *l->speed);
    l->clip = mem_alloc_pages((size_t)l->most * sizeof *l->clip);
    if (!l->speed || !l->clip) {
        motion_learner_free(&l);
        return ERR_FAIL;
    }
    *out = l;
    return 0;
}

void motion_learner_free(MotionLearner **out) {
    MotionLearner *l = *out;
    if (!l)
        return;
    mem_free_pages(l->speed);
    mem_free_pages(l->clip);
    mem_free(l);
    *out = NULL;
}

static void forget_every_second(MotionLearner *l) {
    size_t bytes = (size_t)l->cells * sizeof *l->speed;
    for (int64_t i = 0; 2 * i < l->count; i++) {
        memmove(l->speed + i * l->cells, l->speed + 2 * i * l->cells, bytes);
        l->clip[i] = l->clip[2 * i];
    }
    l->count /= 2;
    l->stride *= 2;
}

void motion_learner_add(MotionLearner *l, const float *speed, int clip) {
    if (l->count == l->most)
        forget_every_second(l);
    if (l->seen++ % l->stride)
        return;
    uint16_t *to = l->speed + l->count * l->cells;
    for (int i = 0; i < l->cells; i++)
        to[i] = (uint16_t)fminf(speed[i] * STEPS + 0.5F, UINT16_MAX);
    l->clip[l->count++] = clip;
}

/* ---- what is learned ---- */

enum { LEVELS = 4096, LEVEL_STEPS = 64 }; /* of a window's speed, for quantiles: to 64 pixels */

typedef struct {
    const MotionLearner *l;
    MotionModel *m;
    float *cells, *windows, *map; /* of one frame */
    double *sums;
    double *counts; /* [places][MOTION_BINS]: frames with a speed in the bin */
    double *smooth; /* the same, spread over neighbouring places */
    float *rarity;  /* of one half, to judge the other */
    int32_t *level; /* [rows][LEVELS] */
} Study;

static int places_of(const MotionModel *m) {
    return m->rows * m->cols;
}

static void read_windows(Study *s, int64_t frame) {
    const uint16_t *from = s->l->speed + frame * s->l->cells;
    for (int i = 0; i < s->l->cells; i++)
        s->cells[i] = (float)from[i] / STEPS;
    motion_windows(s->windows, s->m, s->cells, s->sums);
}

/* ---- sizes: people far away move less and are smaller ---- */

static const float MOVES = 0.25F; /* pixels in a tenth of a second: a window that moves */

static void count_levels(Study *s) {
    int places = places_of(s->m);
    memset(s->level, 0, (size_t)(s->m->rows * LEVELS) * sizeof *s->level);
    for (int64_t f = 0; f < s->l->count; f++) {
        read_windows(s, f);
        for (int i = 0; i < places; i++)
            if (s->windows[i] > MOVES) {
                int level = (int)fminf(s->windows[i] * LEVEL_STEPS, LEVELS - 1);
                s->level[i / s->m->cols * LEVELS + level]++;
            }
    }
}

static double quantile(const int32_t *level, double count, double share) {
    double below = 0;
    for (int i = 0; i < LEVELS; i++) {
        below += level[i];
        if (below >= share * count)
            return (i + 0.5) / LEVEL_STEPS;
    }
    return (double)LEVELS / LEVEL_STEPS;
}

/* The scale of each row: the 0.99 quantile of its moving windows, on a straight line over the rows
 * that saw enough, and not far below the least of them. number[row]: its moving windows. */
static void fit_scale(Study *s, double *number) {
    enum { ENOUGH = 50 };
    double all = 0, least = INFINITY, w = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (int r = 0; r < s->m->rows; r++) {
        number[r] = 0;
        for (int i = 0; i < LEVELS; i++)
            number[r] += s->level[r * LEVELS + i];
        all += number[r];
    }
    for (int r = 0; r < s->m->rows; r++) {
        if (number[r] <= fmax(ENOUGH, 0.002 * all))
            continue;
        double q = quantile(s->level + r * LEVELS, number[r], 0.99), n = number[r];
        least = fmin(least, q);
        w += n, x += n * r, y += n * q, xx += n * r * r, xy += n * r * q;
    }
    double spread = w * xx - x * x, slope = spread > 0 ? (w * xy - x * y) / spread : 0;
    double start = w > 0 ? (y - slope * x) / w : 1;
    least = isfinite(least) ? 0.7 * least : 1; /* where nothing moved, a pixel is much */
    for (int r = 0; r < s->m->rows; r++)
        s->m->scale[r] = (float)fmax(start + slope * r, least);
}

static void learn_sizes(Study *s, double *number) {
    double sum = 0, count = 0;
    for (int r = 0; r < s->m->rows; r++)
        s->m->size[r] = 1;
    count_levels(s);
    fit_scale(s, number);
    for (int r = 0; r < s->m->rows; r++) {
        sum += number[r] * s->m->scale[r];
        count += number[r];
    }
    for (int r = 0; r < s->m->rows && count > 0; r++)
        s->m->size[r] = fminf(fmaxf(s->m->scale[r] * (float)(count / sum), 0.5F), 3);
    count_levels(s);
    fit_scale(s, number);
}

/* ---- rarity ---- */

/* Which frames a table is of: those of the half, or all. */
typedef enum { HALF_A, HALF_B, ALL } Part;

/* Clips in turn; one clip alone is cut in the middle. */
static Part half_of(const MotionLearner *l, int64_t frame) {
    bool one = l->clip[0] == l->clip[l->count - 1];
    return one ? (frame >= l->count / 2 ? HALF_B : HALF_A) : l->clip[frame] % 2 ? HALF_B : HALF_A;
}

static int64_t count_speeds(Study *s, Part part) {
    int places = places_of(s->m);
    int64_t frames = 0;
    memset(s->counts, 0, (size_t)(places * MOTION_BINS) * sizeof *s->counts);
    for (int64_t f = 0; f < s->l->count; f++) {
        if (part != ALL && half_of(s->l, f) != part)
            continue;
        read_windows(s, f);
        frames++;
        for (int i = 0; i < places; i++) {
            float x = s->windows[i] / (s->m->scale[i / s->m->cols] * MOTION_BIN);
            s->counts[i * MOTION_BINS + (int)fminf(x, MOTION_BINS - 1)]++;
        }
    }
    return frames;
}

/* counts[bin] becomes the number of frames that reach the bin. */
static void accumulate(double *counts, int64_t places) {
    for (int64_t i = 0; i < places; i++)
        for (int b = MOTION_BINS - 2; b >= 0; b--)
            counts[i * MOTION_BINS + b] += counts[i * MOTION_BINS + b + 1];
}

/* Spreads the counts over neighbours along one axis: a Gaussian of one step. At the border the last
 * place repeats. */
static void spread(double *out, const double *in, int n, int64_t step, int other,
                   int64_t other_step) {
    enum { REACH = 4 };
    double weight[2 * REACH + 1], sum = 0;
    for (int k = -REACH; k <= REACH; k++)
        sum += weight[k + REACH] = exp(-0.5 * k * k);
    for (int o = 0; o < other; o++)
        for (int i = 0; i < n; i++) {
            double *to = out + (o * other_step + i * step) * MOTION_BINS;
            memset(to, 0, MOTION_BINS * sizeof *to);
            for (int k = -REACH; k <= REACH; k++) {
                int from = i + k < 0 ? 0 : i + k >= n ? n - 1 : i + k;
                const double *a = in + (o * other_step + from * step) * MOTION_BINS;
                for (int b = 0; b < MOTION_BINS; b++)
                    to[b] += weight[k + REACH] / sum * a[b];
            }
        }
}

/* The share of all windows that reach each bin. Beyond the first bin that hardly any reach, an
 * exponential tail. */
static void pool(double share[MOTION_BINS], const double *counts, int places, int64_t frames) {
    memset(share, 0, MOTION_BINS * sizeof *share);
    for (int i = 0; i < places; i++)
        for (int b = 0; b < MOTION_BINS; b++)
            share[b] += counts[i * MOTION_BINS + b] / ((double)places * (double)frames);
    int from = 1;
    while (from < MOTION_BINS - 2 && share[from] > 1e-3)
        from++;
    double tail = 0;
    for (int b = from; b < MOTION_BINS; b++)
        tail += share[b];
    double length = share[from] > 0 ? fmax(tail / share[from] - 0.5, 0.5) : 0.5;
    double first = fmax(share[from], 1e-9); /* where nothing ever moved */
    for (int b = from; b < MOTION_BINS; b++)
        share[b] = first * exp(-(b - from) / length);
}

enum { FIRST_BIN = 2 };                                    /* the first that counts as moving */
static const double TRUST_FRAMES = 1000, TRUST_MOVES = 10; /* what the pooled table weighs */

static int64_t learn_rarity(Study *s, float *rarity, Part part) {
    int places = places_of(s->m), rows = s->m->rows, cols = s->m->cols;
    int64_t frames = count_speeds(s, part);
    double share[MOTION_BINS];
    if (!frames)
        return 0;
    accumulate(s->counts, places);
    pool(share, s->counts, places, frames);
    spread(s->smooth, s->counts, cols, 1, rows, cols);
    spread(s->counts, s->smooth, rows, cols, cols, 1);
    for (int i = 0; i < places; i++) {
        const double *reach = s->counts + i * MOTION_BINS;
        double moves = reach[FIRST_BIN], rest = share[FIRST_BIN];
        double often = (moves + TRUST_FRAMES * rest) / ((double)frames + TRUST_FRAMES);
        for (int b = 0; b < MOTION_BINS; b++) {
            double fast = (reach[b] + TRUST_MOVES * share[b] / rest) / (moves + TRUST_MOVES);
            rarity[i * MOTION_BINS + b] = b < FIRST_BIN ? 0 : (float)-log(often * fmin(fast, 1));
        }
    }
    return frames;
}

/* ---- calibration: each half is judged by the other ---- */

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void judge(Study *s, Part by, Part half, int64_t *count) {
    if (!learn_rarity(s, s->rarity, by))
        return;
    for (int64_t f = 0; f < s->l->count; f++)
        if (half == ALL || half_of(s->l, f) == half) {
            read_windows(s, f);
            s->m->ranks[(*count)++] = motion_value(s->map, s->m, s->rarity, s->windows);
        }
}

/* The ranks' 0.9 quantile, and the mean excess over it. */
static void fit_tail(MotionModel *m) {
    double at = 0.9 * (m->held_out - 1), excess = 0;
    int low = (int)at, over = 0;
    int high = low + 1 < m->held_out ? low + 1 : low;
    m->start = m->ranks[low] + (float)(at - low) * (m->ranks[high] - m->ranks[low]);
    for (int i = 0; i < m->held_out; i++)
        if (m->ranks[i] > m->start) {
            excess += m->ranks[i] - m->start;
            over++;
        }
    m->slope = fmaxf(over ? (float)(excess / over) : 0, 1e-3F);
}

static void calibrate(Study *s) {
    int64_t count = 0;
    judge(s, HALF_A, HALF_B, &count);
    judge(s, HALF_B, HALF_A, &count);
    if (count < s->l->count) { /* one half was empty */
        count = 0;
        judge(s, ALL, ALL, &count);
    }
    qsort(s->m->ranks, (size_t)count, sizeof *s->m->ranks, ascending);
    fit_tail(s->m);
}

static int open_study(Study *s, double **number) {
    size_t places = (size_t)places_of(s->m), table = places * MOTION_BINS;
    s->cells = mem_alloc((size_t)s->l->cells, sizeof *s->cells);
    s->windows = mem_alloc(places, sizeof *s->windows);
    s->map = mem_alloc(places, sizeof *s->map);
    s->sums = mem_alloc(motion_sums(s->l->picture), sizeof *s->sums);
    s->counts = mem_alloc(table, sizeof *s->counts);
    s->smooth = mem_alloc(table, sizeof *s->smooth);
    s->rarity = mem_alloc(table, sizeof *s->rarity);
    s->level = mem_alloc((size_t)s->m->rows * LEVELS, sizeof *s->level);
    *number = mem_alloc((size_t)s->m->rows, sizeof **number);
    return s->cells && s->windows && s->map && s->sums && s->counts && s->smooth && s->rarity &&
                   s->level && *number
               ? 0
               : ERR_FAIL;
}

static void close_study(Study *s) {
    mem_free(s->cells);
    mem_free(s->windows);
    mem_free(s->map);
    mem_free(s->sums);
    mem_free(s->counts);
    mem_free(s->smooth);
    mem_free(s->rarity);
    mem_free(s->level);
}

int motion_learner_finish(const MotionLearner *l, MotionModel **out) {
    Study s = {.l = l};
    double *number = NULL;
    *out = NULL;
    if (!l->count)
        return 0;
    int code = motion_model_open(&s.m, l->picture, (int)l->count);
    if (!code)
        code = open_study(&s, &number);
    if (!code) {
        learn_sizes(&s, number);
        calibrate(&s);
        learn_rarity(&s, s.m->rarity, ALL);
    }
    close_study(&s);
    mem_free(number);
    if (code)
        motion_model_free(&s.m);
    else
        *out = s.m;
    return code;
}
