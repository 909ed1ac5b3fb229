#include "score/motion_learn.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "score/kept_frames.h"

/* Speeds are kept in steps of 1 / STEPS. */
enum { STEPS = 128, PLANES = 3 };

struct MotionLearner {
    MovementSize picture;
    int cells;
    KeptFrames kept; /* [PLANES][cells]: speed, right, down */
};

int motion_learner_open(MotionLearner **out, MovementSize picture, int64_t bytes) {
    MotionLearner *l = mem_alloc(1, sizeof *l);
    if (!l)
        return ERR_FAIL;
    l->picture = picture;
    l->cells = picture.width / MOVEMENT_CELL * (picture.height / MOVEMENT_CELL);
    if (kept_frames_open(&l->kept, (int64_t)PLANES * l->cells, bytes)) {
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
    kept_frames_free(&l->kept);
    mem_free(l);
    *out = NULL;
}

void motion_learner_add_cells(MotionLearner *l, const float *speed, const float *right,
                              const float *down) {
    const float *plane[PLANES] = {speed, right, down};
    int16_t *to = kept_frames_add(&l->kept);
    for (int p = 0; to && p < PLANES; p++)
        for (int i = 0; i < l->cells; i++)
            to[p * l->cells + i] =
                (int16_t)lrintf(fmaxf(fminf(plane[p][i] * STEPS, INT16_MAX), -INT16_MAX));
}

void motion_learner_add(MotionLearner *l, const Movement *m) {
    motion_learner_add_cells(l, movement_speed(m), movement_right(m), movement_down(m));
}

/* ---- what is learned ---- */

enum { LEVELS = 4096, LEVEL_STEPS = 64 }; /* of a window's speed, for quantiles: to 64 pixels */
enum { BLOCKS = 8 };                      /* of time: each is judged by the others */

typedef struct {
    int64_t frames;
    double *speeds;  /* [places][MOTION_BINS]: frames in the bin */
    double *sectors; /* [places][MOTION_SECTORS]: moving frames */
} Seen;

typedef struct {
    const MotionLearner *l;
    MotionModel *m;
    MotionWindows w;    /* of one frame */
    float *cells, *map; /* of one frame */
    int32_t *level;     /* [rows][LEVELS] */
    double *number;     /* [rows] moving windows */
    Seen block[BLOCKS], sum;
    double *smooth;               /* [places][MOTION_BINS] */
    double *row_speed, *row_turn; /* [rows][MOTION_BINS], [rows][MOTION_SECTORS] */
    float *rarity, *turn;         /* of the blocks that judge one */
} Study;

static int places_of(const MotionModel *m) {
    return m->rows * m->cols;
}

static const float *read_plane(Study *s, int64_t frame, int plane) {
    const int16_t *from = kept_frames_at(&s->l->kept, frame) + plane * s->l->cells;
    for (int i = 0; i < s->l->cells; i++)
        s->cells[i] = (float)from[i] / STEPS;
    return s->cells;
}

static void read_speeds(Study *s, int64_t frame) {
    motion_windows_of(s->w.speed, s->m, read_plane(s, frame, 0), s->w.sums);
}

static void read_windows(Study *s, int64_t frame) {
    read_speeds(s, frame);
    motion_windows_of(s->w.right, s->m, read_plane(s, frame, 1), s->w.sums);
    motion_windows_of(s->w.down, s->m, read_plane(s, frame, 2), s->w.sums);
}

/* ---- perspective: people far away move less and are smaller ---- */

static const float MOVES = 0.25F; /* pixels in a tenth of a second: a window that moves */

static void count_levels(Study *s) {
    memset(s->level, 0, (size_t)(s->m->rows * LEVELS) * sizeof *s->level);
    for (int64_t f = 0; f < s->l->kept.count; f++) {
        read_speeds(s, f);
        for (int i = 0; i < places_of(s->m); i++) {
            int level = (int)fminf(s->w.speed[i] * LEVEL_STEPS, LEVELS - 1);
            s->level[i / s->m->cols * LEVELS + level] += s->w.speed[i] > MOVES;
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

/* The 0.99 quantile of each row's moving windows; 0 in rows that saw too little. */
static void row_quantiles(Study *s, double *q) {
    enum { ENOUGH = 50 };
    double all = 0;
    for (int r = 0; r < s->m->rows; r++) {
        s->number[r] = 0;
        for (int i = 0; i < LEVELS; i++)
            s->number[r] += s->level[r * LEVELS + i];
        all += s->number[r];
    }
    for (int r = 0; r < s->m->rows; r++)
        q[r] = s->number[r] > fmax(ENOUGH, 0.002 * all)
                   ? quantile(s->level + r * LEVELS, s->number[r], 0.99)
                   : 0;
}

/* A straight line over the rows, not far below the least of their quantiles. */
static void fit_line(const Study *s, const double *q, double *line) {
    double least = INFINITY, w = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (int r = 0; r < s->m->rows; r++) {
        double n = s->number[r];
        if (q[r] == 0)
            continue;
        least = fmin(least, q[r]);
        w += n, x += n * r, y += n * q[r], xx += n * r * r, xy += n * r * q[r];
    }
    double spread = w * xx - x * x, slope = spread > 0 ? (w * xy - x * y) / spread : 0;
    double start = w > 0 ? (y - slope * x) / w : 1; /* where nothing moved, a pixel is much */
    for (int r = 0; r < s->m->rows; r++)
        line[r] = w > 0 ? fmax(start + slope * r, 0.7 * least) : 1;
}

/* Bends the line towards the rows' own quantiles as far as they have seen enough: where people come
 * close, sizes change faster than a line. */
static void bend(Study *s, const double *q, const double *line) {
    static const double REACH = 4, LINE = 2000; /* rows; moving windows that the line weighs */
    for (int r = 0; r < s->m->rows; r++) {
        double sum = 0, weight = LINE;
        for (int k = 0; k < s->m->rows; k++) {
            double w = exp(-0.5 * (r - k) * (r - k) / (REACH * REACH)) * s->number[k];
            if (q[k] == 0)
                continue;
            sum += w * log(q[k] / line[k]);
            weight += w;
        }
        s->m->scale[r] = (float)(line[r] * exp(sum / weight));
    }
}

static void learn_perspective(Study *s, double *q, double *line) {
    double sum = 0, count = 0;
    for (int r = 0; r < s->m->rows; r++)
        s->m->size[r] = 1;
    count_levels(s);
    row_quantiles(s, q);
    fit_line(s, q, line);
    for (int r = 0; r < s->m->rows; r++) {
        sum += s->number[r] * line[r];
        count += s->number[r];
    }
    for (int r = 0; r < s->m->rows && count > 0; r++)
        s->m->size[r] = (float)fmin(fmax(line[r] * count / sum, 0.5), 3);
    count_levels(s);
    row_quantiles(s, q);
    fit_line(s, q, line);
    bend(s, q, line);
}

/* ---- what was seen ---- */

static void see_frame(Study *s, Seen *seen, int64_t frame) {
    read_windows(s, frame);
    seen->frames++;
    for (int i = 0; i < places_of(s->m); i++) {
        float x = s->w.speed[i] / (s->m->scale[i / s->m->cols] * MOTION_BIN), share;
        seen->speeds[i * MOTION_BINS + (int)fminf(x, MOTION_BINS - 1)]++;
        if (x < MOTION_FIRST)
            continue;
        int sector = motion_sector(s->w.right[i], s->w.down[i], &share);
        seen->sectors[i * MOTION_SECTORS + sector] += 1 - share;
        seen->sectors[i * MOTION_SECTORS + (sector + 1) % MOTION_SECTORS] += share;
    }
}

static int64_t block_of(const Study *s, int64_t frame) {
    return frame * BLOCKS / s->l->kept.count;
}

/* The sum of all blocks except one (-1: of all). */
static void sum_blocks(Study *s, int64_t except) {
    int places = places_of(s->m);
    Seen *sum = &s->sum;
    sum->frames = 0;
    memset(sum->speeds, 0, (size_t)(places * MOTION_BINS) * sizeof *sum->speeds);
    memset(sum->sectors, 0, (size_t)(places * MOTION_SECTORS) * sizeof *sum->sectors);
    for (int b = 0; b < BLOCKS; b++) {
        const Seen *from = &s->block[b];
        if (b == except)
            continue;
        sum->frames += from->frames;
        for (int i = 0; i < places * MOTION_BINS; i++)
            sum->speeds[i] += from->speeds[i];
        for (int i = 0; i < places * MOTION_SECTORS; i++)
            sum->sectors[i] += from->sectors[i];
    }
}

/* ---- tables: what a place has seen, helped by its row, and the row by all ---- */

/* A Gaussian of one step along an axis of n, for each of `other`; values are vectors of `width`. At
 * the border the last one repeats. */
static void smooth_axis(double *out, const double *in, int n, int64_t step, int other,
                        int64_t other_step, int width) {
    enum { REACH = 4 };
    double weight[2 * REACH + 1], sum = 0;
    for (int k = -REACH; k <= REACH; k++)
        sum += weight[k + REACH] = exp(-0.5 * k * k);
    for (int o = 0; o < other; o++)
        for (int i = 0; i < n; i++) {
            double *to = out + (o * other_step + i * step) * width;
            memset(to, 0, (size_t)width * sizeof *to);
            for (int k = -REACH; k <= REACH; k++) {
                int from = i + k < 0 ? 0 : i + k >= n ? n - 1 : i + k;
                const double *a = in + (o * other_step + from * step) * width;
                for (int b = 0; b < width; b++)
                    to[b] += weight[k + REACH] / sum * a[b];
            }
        }
}

/* Sums over each row, smoothed over the rows; and smooths the places in both directions. */
static void smooth(Study *s, double *rows, double *places, int width) {
    int R = s->m->rows, C = s->m->cols;
    double *sums = s->smooth;
    memset(sums, 0, (size_t)(R * width) * sizeof *sums);
    for (int i = 0; i < R * C; i++)
        for (int b = 0; b < width; b++)
            sums[i / C * width + b] += places[i * width + b];
    smooth_axis(rows, sums, R, 1, 1, 0, width);
    smooth_axis(s->smooth, places, C, 1, R, C, width);
    smooth_axis(places, s->smooth, R, C, C, 1, width);
}

/* A bin becomes what reaches it. */
static void accumulate(double *bins, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        for (int b = MOTION_BINS - 2; b >= 0; b--)
            bins[i * MOTION_BINS + b] += bins[i * MOTION_BINS + b + 1];
}

/* The share of all windows that reach each bin. Beyond the first bin that hardly any reach, an
 * exponential tail. */
static void pool(double share[MOTION_BINS], const Seen *seen, int places) {
    memset(share, 0, MOTION_BINS * sizeof *share);
    for (int i = 0; i < places * MOTION_BINS; i++)
        share[i % MOTION_BINS] += seen->speeds[i] / ((double)places * (double)seen->frames);
    accumulate(share, 1);
    int from = 1;
    while (from < MOTION_BINS - 2 && share[from] > 1e-3)
        from++;
    double tail = 0;
    for (int b = from; b < MOTION_BINS; b++)
        tail += share[b];
    double length = fmax(tail / fmax(share[from], 1e-12) - 0.5, 0.5), first = share[from];
    for (int b = from; b < MOTION_BINS; b++)
        share[b] = fmax(first * exp(-(b - from) / length), 1e-12);
}

/* A level of a table is believed as much as its parent once it has seen something move so often: a
 * place in frames, a row in windows; a place's share of frames in which something moves, later. One
 * walker is about ten frames of a place. */
static const double TRUST_PLACE = 50, TRUST_ROW = 500, TRUST_RATE = 200;

static void make_rarity(Study *s, float *rarity) {
    int places = places_of(s->m), cols = s->m->cols;
    double share[MOTION_BINS];
    pool(share, &s->sum, places);
    smooth(s, s->row_speed, s->sum.speeds, MOTION_BINS);
    accumulate(s->row_speed, s->m->rows);
    accumulate(s->sum.speeds, places);
    for (int i = 0; i < places; i++) {
        const double *here = s->sum.speeds + i * MOTION_BINS;
        const double *row = s->row_speed + i / cols * MOTION_BINS;
        double moves = here[MOTION_FIRST];
        double often =
            (moves + TRUST_RATE) / ((double)s->sum.frames + TRUST_RATE / share[MOTION_FIRST]);
        for (int b = 0; b < MOTION_BINS; b++) {
            double all = share[b] / share[MOTION_FIRST];
            double of_row = (row[b] + TRUST_ROW * all) / (row[MOTION_FIRST] + TRUST_ROW);
            double fast = (here[b] + TRUST_PLACE * of_row) / (moves + TRUST_PLACE);
            rarity[i * MOTION_BINS + b] =
                b < MOTION_FIRST ? 0 : (float)-log(fmin(often, 1) * fmin(fast, 1));
        }
    }
}

static double sum_of(const double *values, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

/* out = what was seen, helped by `trust` times the shares of the parent. */
static void help(double out[MOTION_SECTORS], const double *seen, const double *parent,
                 double trust) {
    double all = sum_of(seen, MOTION_SECTORS);
    for (int k = 0; k < MOTION_SECTORS; k++)
        out[k] = (seen[k] + trust * parent[k]) / (all + trust);
}

/* Only what is rarer than if all directions were alike is surprising. */
static void make_turn(Study *s, float *turn) {
    int places = places_of(s->m), cols = s->m->cols;
    double even[MOTION_SECTORS], all[MOTION_SECTORS] = {0}, row[MOTION_SECTORS];
    for (int i = 0; i < places * MOTION_SECTORS; i++)
        all[i % MOTION_SECTORS] += s->sum.sectors[i];
    for (int k = 0; k < MOTION_SECTORS; k++)
        even[k] = 1.0 / MOTION_SECTORS;
    help(all, all, even, TRUST_ROW);
    smooth(s, s->row_turn, s->sum.sectors, MOTION_SECTORS);
    for (int i = 0; i < places; i++) {
        double here[MOTION_SECTORS];
        help(row, s->row_turn + i / cols * MOTION_SECTORS, all, TRUST_ROW);
        help(here, s->sum.sectors + i * MOTION_SECTORS, row, TRUST_PLACE);
        for (int k = 0; k < MOTION_SECTORS; k++)
            turn[i * MOTION_SECTORS + k] = (float)fmax(-log(here[k] * MOTION_SECTORS), 0);
    }
}

static void make_tables(Study *s, float *rarity, float *turn, int64_t except) {
    sum_blocks(s, except);
    make_rarity(s, rarity);
    make_turn(s, turn);
}

/* ---- calibration: each block is judged by the others ---- */

/* Blocks of less than a second tell nothing; then all judge all. */
static int calibrate(Study *s) {
    bool few = s->l->kept.count < 8 * BLOCKS;
    int64_t last = -1;
    float *values = mem_alloc((size_t)s->l->kept.count, sizeof *values);
    if (!values)
        return ERR_FAIL;
    for (int64_t f = 0; f < s->l->kept.count; f++) {
        int64_t b = block_of(s, f);
        if (b != last)
            make_tables(s, s->rarity, s->turn, few ? -1 : b);
        last = b;
        read_windows(s, f);
        values[f] = motion_value(s->map, s->m, s->rarity, s->turn, &s->w);
    }
    int code = calibration_fit(&s->m->held_out, values, (int)s->l->kept.count, 0.1F);
    mem_free(values);
    return code;
}

/* ---- memory ---- */

static int open_seen(Seen *seen, size_t places) {
    seen->speeds = mem_alloc(places * MOTION_BINS, sizeof *seen->speeds);
    seen->sectors = mem_alloc(places * MOTION_SECTORS, sizeof *seen->sectors);
    return seen->speeds && seen->sectors ? 0 : ERR_FAIL;
}

static void close_seen(Seen *seen) {
    mem_free(seen->speeds);
    mem_free(seen->sectors);
}

static int open_study(Study *s) {
    size_t places = (size_t)places_of(s->m), rows = (size_t)s->m->rows;
    int code = motion_windows_open(&s->w, s->m);
    s->cells = mem_alloc((size_t)s->l->cells, sizeof *s->cells);
    s->map = mem_alloc(places, sizeof *s->map);
    s->level = mem_alloc(rows * LEVELS, sizeof *s->level);
    s->number = mem_alloc(rows, sizeof *s->number);
    s->smooth = mem_alloc(places * MOTION_BINS, sizeof *s->smooth);
    s->row_speed = mem_alloc(rows * MOTION_BINS, sizeof *s->row_speed);
    s->row_turn = mem_alloc(rows * MOTION_SECTORS, sizeof *s->row_turn);
    s->rarity = mem_alloc(places * MOTION_BINS, sizeof *s->rarity);
    s->turn = mem_alloc(places * MOTION_SECTORS, sizeof *s->turn);
    for (int b = 0; b < BLOCKS && !code; b++)
        code = open_seen(&s->block[b], places);
    if (!code)
        code = open_seen(&s->sum, places);
    bool whole = s->cells && s->map && s->level && s->number && s->smooth && s->row_speed &&
                 s->row_turn && s->rarity && s->turn;
    return whole ? code : ERR_FAIL;
}

static void close_study(Study *s) {
    void *blocks[] = {s->cells,     s->map,      s->level,  s->number, s->smooth,
                      s->row_speed, s->row_turn, s->rarity, s->turn};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        mem_free(blocks[i]);
    motion_windows_free(&s->w);
    for (int b = 0; b < BLOCKS; b++)
        close_seen(&s->block[b]);
    close_seen(&s->sum);
}

static int study(Study *s) {
    int code = open_study(s);
    size_t rows = (size_t)s->m->rows;
    double *q = mem_alloc(2 * rows, sizeof *q);
    code = q ? code : ERR_FAIL;
    if (!code) {
        learn_perspective(s, q, q + rows);
        for (int64_t f = 0; f < s->l->kept.count; f++)
            see_frame(s, &s->block[block_of(s, f)], f);
        code = calibrate(s);
        make_tables(s, s->m->rarity, s->m->turn, -1);
    }
    mem_free(q);
    close_study(s);
    return code;
}

int motion_learner_finish(const MotionLearner *l, MotionModel **out) {
    Study s = {.l = l};
    *out = NULL;
    if (!l->kept.count)
        return 0;
    int code = motion_model_open(&s.m, l->picture);
    if (!code)
        code = study(&s);
    if (code)
        motion_model_free(&s.m);
    else
        *out = s.m;
    return code;
}
