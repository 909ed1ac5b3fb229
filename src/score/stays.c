#include "score/stays.h"

#include <math.h>

#include "base/err.h"
#include "base/mem.h"

/* ---- what stands still ---- */

static const double STEP = 0.1;           /* seconds between frames that are taken */
static const float MOVES = 2;             /* levels in a step: more is movement, less is noise */
static const float LONG = 2;              /* seconds without movement until a cell stands still */
static const double GROUND_TIME = 120;    /* seconds in which the ground follows */
enum { LEVELS = 4096, LEVEL_STEPS = 16 }; /* for the median: up to 256 */

static size_t cells_of(const Standing *s) {
    return (size_t)s->rows * (size_t)s->cols;
}

int standing_open(Standing *s, MovementSize picture) {
    *s = (Standing){.rows = picture.height / MOVEMENT_CELL, .cols = picture.width / MOVEMENT_CELL};
    s->room = mem_alloc(5 * cells_of(s), sizeof *s->room);
    if (!s->room)
        return ERR_FAIL;
    s->level = s->room;
    s->before = s->level + cells_of(s);
    s->still = s->before + cells_of(s);
    s->ground = s->still + cells_of(s);
    s->change = s->ground + cells_of(s);
    standing_reset(s);
    return 0;
}

void standing_free(Standing *s) {
    mem_free(s->room);
    *s = (Standing){0};
}

/* Nothing is known to stand still any more. */
static void restart(Standing *s) {
    sampler_start(&s->sampler, STEP);
    s->begun = false;
    for (size_t i = 0; i < cells_of(s); i++) {
        s->change[i] = -1;
        s->still[i] = 0;
    }
}

void standing_reset(Standing *s) {
    restart(s);
    for (size_t i = 0; i < cells_of(s); i++)
        s->ground[i] = -1;
}

/* Light changes a whole picture: its levels are told in hundredths of their median. What is black,
 * as what is ignored is, has no light to change. */
static void normalise(float *level, size_t cells) {
    int32_t count[LEVELS] = {0};
    size_t seen = 0, below = 0, bin = 0;
    for (size_t i = 0; i < cells; i++) {
        count[(int)fminf(level[i] * LEVEL_STEPS, LEVELS - 1)] += level[i] > 0;
        seen += level[i] > 0;
    }
    while (bin < LEVELS - 1 && 2 * (below += (size_t)count[bin]) <= seen)
        bin++;
    float median = fmaxf(((float)bin + 0.5F) / LEVEL_STEPS, 4); /* in the dark nothing is certain */
    for (size_t i = 0; i < cells; i++) /* lamps in the dark are as bright as can be kept */
        level[i] = fminf(level[i] * 100 / median, STAYS_MOST);
}

static bool moved(const Standing *s, int row, int col) {
    if (row < 0 || row >= s->rows || col < 0 || col >= s->cols)
        return false;
    int i = row * s->cols + col;
    return fabsf(s->level[i] - s->before[i]) > MOVES;
}

/* A cell moves with those beside it, above and below. */
static bool moved_near(const Standing *s, int row, int col) {
    return moved(s, row, col) || moved(s, row - 1, col) || moved(s, row + 1, col) ||
           moved(s, row, col - 1) || moved(s, row, col + 1);
}

/* The ground follows what stands still, so that what stays for minutes becomes part of it. */
static void follow(Standing *s, int i, double step) {
    float level = s->level[i];
    if (s->still[i] < LONG - (float)STEP / 2) {
        s->change[i] = -1;
        return;
    }
    if (s->ground[i] < 0)
        s->ground[i] = level;
    s->change[i] = fabsf(level - s->ground[i]);
    s->ground[i] += (float)fmin(step / GROUND_TIME, 1) * (level - s->ground[i]);
}

bool standing_add(Standing *s, const Movement *m, const Frame *f) {
    if (f->after_gap || f->corrupt)
        restart(s);
    if (f->corrupt || !sampler_take(&s->sampler, f->seconds))
        return false;
    float *level = s->before;
    s->before = s->level;
    s->level = level;
    movement_levels(m, s->level);
    normalise(s->level, cells_of(s));
    double since = f->seconds - s->seconds, step = isfinite(since) ? since : STEP;
    for (int i = 0; i < s->rows * s->cols && s->begun; i++) {
        bool moves = moved_near(s, i / s->cols, i % s->cols);
        s->still[i] = moves ? 0 : s->still[i] + (float)step;
        follow(s, i, step);
    }
    s->begun = true;
    s->seconds = f->seconds;
    return true;
}

float stays_value(float *map, const float *low, const float *high, const float *level,
                  const float *change, int cells) {
    enum { TOP = 4 };
    float top[TOP] = {0}, sum = 0;
    for (int i = 0; i < cells; i++) {
        float off = fmaxf(low[i] - level[i], level[i] - high[i]);
        bool judged = low[i] <= high[i] && change[i] > 0 && off > 0;
        float value = map[i] = judged ? fminf(off, change[i]) : 0;
        for (int k = 0; k < TOP && value > 0; k++)
            if (value > top[k]) {
                float less = top[k];
                top[k] = value;
                value = less;
            }
    }
    for (int k = 0; k < TOP; k++)
        sum += top[k];
    return sum / TOP;
}

static const float FLOOR = 6, LEAST_TAIL = 2; /* levels */

int stays_calibrate(Calibration *c, float *values, int count) {
    for (int i = 0; i < count; i++)
        values[i] = fmaxf(values[i], FLOOR);
    int code = calibration_fit(c, values, count, LEAST_TAIL);
    if (code)
        return code;
    c->tail[0] = c->ranks[count - 1];
    c->tail[1] = fmaxf(c->tail[1], (c->tail[0] - FLOOR) / 4);
    return 0;
}

/* ---- the model ---- */

int stays_model_open(StaysModel **out, MovementSize picture) {
    StaysModel *m = mem_alloc(1, sizeof *m);
    if (!m)
        return ERR_FAIL;
    m->picture = picture;
    m->rows = picture.height / MOVEMENT_CELL;
    m->cols = picture.width / MOVEMENT_CELL;
    size_t cells = (size_t)m->rows * (size_t)m->cols;
    m->low = mem_alloc(2 * cells, sizeof *m->low);
    if (!m->low) {
        stays_model_free(&m);
        return ERR_FAIL;
    }
    m->high = m->low + cells;
    *out = m;
    return 0;
}

void stays_model_free(StaysModel **out) {
    StaysModel *m = *out;
    if (!m)
        return;
    mem_free(m->low);
    calibration_free(&m->held_out);
    mem_free(m);
    *out = NULL;
}

static const char levels[] = "stays.levels", ranks[] = "stays.ranks", tail[] = "stays.tail";

void stays_model_add(SafeWriter *w, const StaysModel *m) {
    safe_writer_add(w, levels, 3, (const int64_t[]){2, m->rows, m->cols}, m->low);
    calibration_add(w, &m->held_out, ranks, tail);
}

static int read_levels(StaysModel *m, const SafeTensor *t, const char *path) {
    int code = safetensors_to_f32(t, m->low);
    return code ? err_context(code, "%s", path) : safetensors_check_finite(t, m->low, path);
}

enum { MOST_CELLS = 1 << 20 };

int stays_model_load(StaysModel **out, const Safetensors *file, const char *path) {
    const SafeTensor *t = safetensors_find(file, levels);
    *out = NULL;
    if (!t)
        return 0;
    if (t->rank != 3 || t->shape[0] != 2 || t->shape[1] < 1 || t->shape[2] < 1 ||
        t->count > 2 * MOST_CELLS)
        return err_set(ERR_FAIL, "%s: tensor %s is damaged; train again", path, levels);
    StaysModel *m;
    MovementSize picture = {MOVEMENT_CELL * (int)t->shape[2], MOVEMENT_CELL * (int)t->shape[1]};
    int code = stays_model_open(&m, picture);
    if (code)
        return code;
    code = read_levels(m, t, path);
    if (!code)
        code = calibration_load(&m->held_out, file, path, ranks, tail);
    if (!code && !m->held_out.count)
        code = err_set(ERR_FAIL, "%s: tensor %s is missing; train again", path, ranks);
    if (code)
        stays_model_free(&m);
    else
        *out = m;
    return code;
}

/* ---- scores ---- */

struct Stays {
    const StaysModel *model;
    Standing standing;
    float *map;
    float value;
};

int stays_open(Stays **out, const StaysModel *model) {
    Stays *s = mem_alloc(1, sizeof *s);
    if (!s)
        return ERR_FAIL;
    s->model = model;
    int code = standing_open(&s->standing, model->picture);
    s->map = mem_alloc((size_t)model->rows * (size_t)model->cols, sizeof *s->map);
    code = s->map ? code : ERR_FAIL;
    if (code)
        stays_free(&s);
    else
        *out = s;
    return code;
}

void stays_free(Stays **out) {
    Stays *s = *out;
    if (!s)
        return;
    standing_free(&s->standing);
    mem_free(s->map);
    mem_free(s);
    *out = NULL;
}

void stays_reset(Stays *s) {
    standing_reset(&s->standing);
    s->value = 0;
}

void stays_add(Stays *s, const Movement *m, const Frame *f) {
    const StaysModel *model = s->model;
    if (standing_add(&s->standing, m, f))
        s->value = stays_value(s->map, model->low, model->high, s->standing.level,
                               s->standing.change, model->rows * model->cols);
}

/* Up to the tail, training frames were as far from what stood there. */
double stays_surprise(const Stays *s) {
    const float *of = s->model->held_out.tail;
    return fmax((s->value - of[0]) / of[1], 0);
}

int stays_cells(const Stays *s, int *cols) {
    *cols = s->model->cols;
    return s->model->rows * s->model->cols;
}

void stays_heat(const Stays *s, float *out) {
    const float *of = s->model->held_out.tail;
    int cells = s->model->rows * s->model->cols;
    for (int i = 0; i < cells; i++)
        out[i] = fminf(s->map[i] / (of[0] + 6.9F * of[1]), 1);
}
