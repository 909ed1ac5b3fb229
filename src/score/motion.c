#include "score/motion.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* ---- the model ---- */

int motion_model_open(MotionModel **out, MovementSize picture) {
    MotionModel *m = mem_alloc(1, sizeof *m);
    if (!m)
        return ERR_FAIL;
    m->picture = picture;
    m->rows = picture.height / MOVEMENT_CELL / 2;
    m->cols = picture.width / MOVEMENT_CELL / 2;
    size_t places = (size_t)m->rows * (size_t)m->cols;
    m->size = mem_alloc((size_t)m->rows, sizeof *m->size);
    m->scale = mem_alloc((size_t)m->rows, sizeof *m->scale);
    m->rarity = mem_alloc(places * MOTION_BINS, sizeof *m->rarity);
    m->turn = mem_alloc(places * MOTION_SECTORS, sizeof *m->turn);
    if (!m->size || !m->scale || !m->rarity || !m->turn) {
        motion_model_free(&m);
        return ERR_FAIL;
    }
    *out = m;
    return 0;
}

void motion_model_free(MotionModel **out) {
    MotionModel *m = *out;
    if (!m)
        return;
    mem_free(m->size);
    mem_free(m->scale);
    mem_free(m->rarity);
    mem_free(m->turn);
    calibration_free(&m->held_out);
    mem_free(m);
    *out = NULL;
}

/* ---- windows and rarity ---- */

/* The first cell of a window of `length` cells around `middle`, and the one after its last. */
static void ends(int *first, int *end, int middle, float length, int cells) {
    int a = (int)lrintf((float)middle + 0.5F - length / 2);
    int b = (int)lrintf((float)middle + 0.5F + length / 2);
    *first = a < 0 ? 0 : a > cells - 1 ? cells - 1 : a;
    *end = b < *first + 1 ? *first + 1 : b > cells ? cells : b;
}

int motion_windows_open(MotionWindows *w, const MotionModel *m) {
    size_t places = (size_t)m->rows * (size_t)m->cols;
    size_t wide = (size_t)m->picture.width / MOVEMENT_CELL,
           tall = (size_t)m->picture.height / MOVEMENT_CELL;
    w->speed = mem_alloc(3 * places, sizeof *w->speed);
    w->sums = mem_alloc((wide + 1) * (tall + 1), sizeof *w->sums);
    if (!w->speed || !w->sums)
        return ERR_FAIL;
    w->right = w->speed + places;
    w->down = w->right + places;
    return 0;
}

void motion_windows_free(MotionWindows *w) {
    mem_free(w->speed);
    mem_free(w->sums);
    *w = (MotionWindows){0};
}

void motion_windows_of(float *out, const MotionModel *m, const float *cells, double *sums) {
    int wide = m->picture.width / MOVEMENT_CELL, tall = m->picture.height / MOVEMENT_CELL;
    int line = wide + 1;
    memset(sums, 0, (size_t)line * sizeof *sums);
    for (int y = 0; y < tall; y++) {
        double *at = sums + (y + 1) * line, row = 0;
        at[0] = 0;
        for (int x = 0; x < wide; x++) {
            row += cells[y * wide + x];
            at[x + 1] = at[x + 1 - line] + row;
        }
    }
    for (int r = 0; r < m->rows; r++) {
        int top, bottom, left, right;
        ends(&top, &bottom, 2 * r + 1, MOTION_TALL * m->size[r], tall);
        const double *above = sums + top * line, *below = sums + bottom * line;
        for (int c = 0; c < m->cols; c++) {
            ends(&left, &right, 2 * c + 1, MOTION_WIDE * m->size[r], wide);
            double sum = below[right] - above[right] - below[left] + above[left];
            out[r * m->cols + c] = (float)(sum / ((bottom - top) * (right - left)));
        }
    }
}

/* The mean of the greatest values. */
static float top_mean(const float *values, int n) {
    float top[MOTION_TOP], sum = 0;
    int count = 0;
    for (int i = 0; i < n; i++) {
        if (count == MOTION_TOP && values[i] <= top[MOTION_TOP - 1])
            continue;
        int at = count < MOTION_TOP ? count++ : MOTION_TOP - 1;
        for (; at > 0 && top[at - 1] < values[i]; at--)
            top[at] = top[at - 1];
        top[at] = values[i];
    }
    for (int i = 0; i < count; i++)
        sum += top[i];
    return sum / (float)count;
}

int motion_sector(float right, float down, float *share) {
    float at = atan2f(down, right) * (float)(MOTION_SECTORS / (2 * M_PI));
    float lower = floorf(at);
    *share = at - lower;
    return ((int)lower + MOTION_SECTORS) % MOTION_SECTORS;
}

/* Slow movement has no certain direction: x is in bins. */
static float turn_of(const float *turn, float x, float right, float down) {
    static const float SURE = 5;
    float share;
    if (x <= MOTION_FIRST)
        return 0;
    int sector = motion_sector(right, down, &share);
    float at = turn[sector] + share * (turn[(sector + 1) % MOTION_SECTORS] - turn[sector]);
    return at * fminf((x - MOTION_FIRST) / (SURE - MOTION_FIRST), 1);
}

float motion_value(float *map, const MotionModel *m, const float *rarity, const float *turn,
                   const MotionWindows *w) {
    int places = m->rows * m->cols;
    for (int i = 0; i < places; i++) {
        float x = w->speed[i] / (m->scale[i / m->cols] * MOTION_BIN);
        float within = fminf(fmaxf(x, 0), MOTION_BINS - 1.001F); /* the last bin is open */
        int bin = (int)within;
        const float *at = rarity + (int64_t)i * MOTION_BINS + bin;
        map[i] = at[0] + (within - (float)bin) * (at[1] - at[0]);
        map[i] += turn_of(turn + (int64_t)i * MOTION_SECTORS, x, w->right[i], w->down[i]);
    }
    return top_mean(map, places);
}

/* ---- in the model's file ---- */

enum { TENSORS = 4 };

/* The tensors of a model, and where their values are. */
typedef struct {
    const char *name;
    int rank;
    int64_t shape[3];
    float *at;
} Part;

static void parts_of(Part part[TENSORS], const MotionModel *m) {
    int64_t rows = m->rows, cols = m->cols;
    const Part all[TENSORS] = {{"motion.size", 1, {rows}, m->size},
                               {"motion.scale", 1, {rows}, m->scale},
                               {"motion.rarity", 3, {rows, cols, MOTION_BINS}, m->rarity},
                               {"motion.turn", 3, {rows, cols, MOTION_SECTORS}, m->turn}};
    memcpy(part, all, sizeof all);
}

static const char ranks[] = "motion.ranks", tail[] = "motion.tail";

void motion_model_add(SafeWriter *w, const MotionModel *m) {
    Part part[TENSORS];
    parts_of(part, m);
    for (int i = 0; i < TENSORS; i++)
        safe_writer_add(w, part[i].name, part[i].rank, part[i].shape, part[i].at);
    calibration_add(w, &m->held_out, ranks, tail);
}

static int read_part(const Part *p, const Safetensors *file, const char *path) {
    const SafeTensor *t = safetensors_find(file, p->name);
    char found[128], expected[128];
    if (!t || !safetensors_has_shape(t, p->rank, p->shape))
        return err_set(ERR_FAIL, "%s: tensor %s has shape %s, expected %s: train again", path,
                       p->name,
                       t ? safetensors_shape_text(found, sizeof found, t->rank, t->shape) : "none",
                       safetensors_shape_text(expected, sizeof expected, p->rank, p->shape));
    int code = safetensors_to_f32(t, p->at);
    return code ? err_context(code, "%s", path) : safetensors_check_finite(t, p->at, path);
}

/* What a score divides and multiplies by. What is learned lies far inside these bounds. */
static int check_values(const MotionModel *m, const char *path) {
    static const float LEAST = 1e-3F, MOST = 1e3F;
    int64_t places = (int64_t)m->rows * m->cols;
    bool good = m->held_out.count > 0;
    for (int64_t i = 0; i < places * MOTION_BINS; i++)
        good = good && m->rarity[i] >= 0 && m->rarity[i] < MOST;
    for (int64_t i = 0; i < places * MOTION_SECTORS; i++)
        good = good && m->turn[i] >= 0 && m->turn[i] < MOST;
    for (int r = 0; r < m->rows; r++)
        good = good && m->scale[r] > LEAST && m->scale[r] < MOST && m->size[r] > LEAST &&
               m->size[r] < MOST;
    return good
               ? 0
               : err_set(ERR_FAIL,
                         "%s: its model of motion is damaged: expected sizes and scales from 0.001 "
                         "to 1000, rarities from 0 to 1000 and motion.ranks; train again",
                         path);
}

enum { MOST_PLACES = 1 << 20 };

int motion_model_load(MotionModel **out, const Safetensors *file, const char *path) {
    const SafeTensor *t = safetensors_find(file, "motion.rarity");
    *out = NULL;
    if (!t)
        return 0;
    if (t->rank != 3 || t->shape[0] < 1 || t->shape[1] < 1 || t->shape[2] != MOTION_BINS ||
        t->count > (int64_t)MOST_PLACES * MOTION_BINS)
        return err_set(ERR_FAIL, "%s: its model of motion is damaged; train again", path);
    int side = 2 * MOVEMENT_CELL;
    MovementSize picture = {side * (int)t->shape[1], side * (int)t->shape[0]};
    MotionModel *m;
    int code = motion_model_open(&m, picture);
    if (code)
        return code;
    Part part[TENSORS];
    parts_of(part, m);
    for (int i = 0; i < TENSORS && !code; i++)
        code = read_part(&part[i], file, path);
    if (!code)
        code = calibration_load(&m->held_out, file, path, ranks, tail);
    if (!code)
        code = check_values(m, path);
    if (code)
        motion_model_free(&m);
    else
        *out = m;
    return code;
}

/* ---- scores ---- */

struct Motion {
    const MotionModel *model;
    Movement *movement;
    MotionWindows windows;
    float *map;
};

static int open_parts(Motion *m, Backend *be) {
    int code = motion_windows_open(&m->windows, m->model);
    if (!code)
        code = movement_open(&m->movement, be, m->model->picture);
    m->map = mem_alloc((size_t)m->model->rows * (size_t)m->model->cols, sizeof *m->map);
    return m->map ? code : ERR_FAIL;
}

int motion_open(Motion **out, const MotionModel *model, Backend *be) {
    Motion *m = mem_alloc(1, sizeof *m);
    if (!m)
        return ERR_FAIL;
    m->model = model;
    int code = open_parts(m, be);
    if (code)
        motion_free(&m);
    else
        *out = m;
    return code;
}

void motion_free(Motion **out) {
    Motion *m = *out;
    if (!m)
        return;
    movement_free(&m->movement);
    motion_windows_free(&m->windows);
    mem_free(m->map);
    mem_free(m);
    *out = NULL;
}

void motion_reset(Motion *m) {
    movement_reset(m->movement);
}

void motion_add(Motion *m, const Frame *f) {
    movement_add(m->movement, f);
}

int motion_score(Motion *m, double *surprise) {
    bool ready;
    const MotionModel *model = m->model;
    MotionWindows *w = &m->windows;
    int code = movement_measure(m->movement, &ready);
    *surprise = NAN;
    memset(m->map, 0, (size_t)model->rows * (size_t)model->cols * sizeof *m->map);
    if (code || !ready || movement_shift(m->movement) > MOTION_MOST_SHIFT)
        return code;
    motion_windows_of(w->speed, model, movement_speed(m->movement), w->sums);
    motion_windows_of(w->right, model, movement_right(m->movement), w->sums);
    motion_windows_of(w->down, model, movement_down(m->movement), w->sums);
    *surprise = calibration_surprise(&model->held_out,
                                     motion_value(m->map, model, model->rarity, model->turn, w));
    return 0;
}

const Movement *motion_movement(const Motion *m) {
    return m->movement;
}

float motion_shift(const Motion *m) {
    return movement_shift(m->movement);
}

void motion_map(const Motion *m, float *out, int side) {
    int rows = m->model->rows, cols = m->model->cols;
    for (int i = 0; i < side * side; i++) {
        int row = (2 * (i / side) + 1) * rows / (2 * side);
        int col = (2 * (i % side) + 1) * cols / (2 * side);
        out[i] = m->map[row * cols + col];
    }
}

int motion_places(const Motion *m, int *cols) {
    *cols = m->model->cols;
    return m->model->rows * m->model->cols;
}

void motion_heat(const Motion *m, float *out) {
    const float *of = m->model->held_out.tail;
    float low = of[0] / 2, high = of[0] + 4.6F * of[1]; /* 4.6 lengths: a hundredth of 0.1 */
    for (int i = 0; i < m->model->rows * m->model->cols; i++)
        out[i] = fminf(fmaxf((m->map[i] - low) / (high - low), 0), 1);
}
