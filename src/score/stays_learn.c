#include "score/stays_learn.h"

#include <math.h>

#include "base/err.h"
#include "base/mem.h"
#include "score/kept_frames.h"

/* Levels are kept in steps of 1 / STEPS. */
enum { STEPS = 32, PLANES = 2, BLOCKS = 8 }; /* blocks of time: each is judged by the others */

struct StaysLearner {
    MovementSize picture;
    int cells;
    Standing standing;
    KeptFrames kept; /* [PLANES][cells]: level, change */
};

int stays_learner_open(StaysLearner **out, MovementSize picture, int64_t bytes) {
    StaysLearner *l = mem_alloc(1, sizeof *l);
    if (!l)
        return ERR_FAIL;
    l->picture = picture;
    int code = standing_open(&l->standing, picture);
    l->cells = l->standing.rows * l->standing.cols;
    if (!code)
        code = kept_frames_open(&l->kept, (int64_t)PLANES * l->cells, bytes);
    if (code)
        stays_learner_free(&l);
    else
        *out = l;
    return code;
}

void stays_learner_free(StaysLearner **out) {
    StaysLearner *l = *out;
    if (!l)
        return;
    standing_free(&l->standing);
    kept_frames_free(&l->kept);
    mem_free(l);
    *out = NULL;
}

void stays_learner_reset(StaysLearner *l) {
    standing_reset(&l->standing);
}

void stays_learner_add(StaysLearner *l, const Movement *m, const Frame *f) {
    const Standing *s = &l->standing;
    int16_t *to = standing_add(&l->standing, m, f) ? kept_frames_add(&l->kept) : NULL;
    for (int i = 0; to && i < l->cells; i++) {
        to[i] = (int16_t)lrintf(fminf(s->level[i] * STEPS, INT16_MAX));
        to[l->cells + i] = (int16_t)lrintf(fminf(s->change[i] * STEPS, INT16_MAX));
    }
}

/* ---- what is learned ---- */

typedef struct {
    float *low, *high; /* [cells] */
} Range;

typedef struct {
    const StaysLearner *l;
    StaysModel *m;
    Range block[BLOCKS];
    float *room; /* owns the blocks' ranges and: */
    float *low, *high, *level, *change, *map;
} Study;

static int64_t block_of(const Study *s, int64_t frame) {
    return frame * BLOCKS / s->l->kept.count;
}

static int open_study(Study *s) {
    size_t cells = (size_t)s->l->cells;
    float *at = s->room = mem_alloc((2 * BLOCKS + 5) * cells, sizeof *s->room);
    if (!at)
        return ERR_FAIL;
    for (int b = 0; b < BLOCKS; b++, at += 2 * cells)
        s->block[b] = (Range){at, at + cells};
    s->low = at;
    s->high = at + cells;
    s->level = at + 2 * cells;
    s->change = at + 3 * cells;
    s->map = at + 4 * cells;
    return 0;
}

/* Where nothing stands still the range is empty: its low end is above its high one. */
static void empty(float *low, float *high, int cells) {
    for (int i = 0; i < cells; i++) {
        low[i] = INT16_MAX;
        high[i] = 0;
    }
}

static void read_frame(Study *s, int64_t frame) {
    const int16_t *from = kept_frames_at(&s->l->kept, frame);
    for (int i = 0; i < s->l->cells; i++) {
        s->level[i] = (float)from[i] / STEPS;
        s->change[i] = (float)from[s->l->cells + i] / STEPS;
    }
}

static void see_frame(Study *s, int64_t frame) {
    const Range *r = &s->block[block_of(s, frame)];
    read_frame(s, frame);
    for (int i = 0; i < s->l->cells; i++) {
        if (s->change[i] < 0)
            continue;
        r->low[i] = fminf(r->low[i], s->level[i]);
        r->high[i] = fmaxf(r->high[i], s->level[i]);
    }
}

/* The ranges of all blocks except one (-1: of all). */
static void join(const Study *s, float *low, float *high, int64_t except) {
    empty(low, high, s->l->cells);
    for (int b = 0; b < BLOCKS; b++)
        for (int i = 0; i < s->l->cells && b != except; i++) {
            low[i] = fminf(low[i], s->block[b].low[i]);
            high[i] = fmaxf(high[i], s->block[b].high[i]);
        }
}

static int calibrate(Study *s) {
    int64_t count = s->l->kept.count, last = -1;
    float *values = mem_alloc((size_t)count, sizeof *values);
    if (!values)
        return ERR_FAIL;
    for (int64_t f = 0; f < count; f++) {
        int64_t b = block_of(s, f);
        if (b != last)
            join(s, s->low, s->high, b);
        last = b;
        read_frame(s, f);
        values[f] = stays_value(s->map, s->low, s->high, s->level, s->change, s->l->cells);
    }
    int code = stays_calibrate(&s->m->held_out, values, (int)count);
    mem_free(values);
    return code;
}

static int study(Study *s) {
    int code = open_study(s);
    for (int b = 0; b < BLOCKS && !code; b++)
        empty(s->block[b].low, s->block[b].high, s->l->cells);
    for (int64_t f = 0; f < s->l->kept.count && !code; f++)
        see_frame(s, f);
    if (!code)
        code = calibrate(s);
    if (!code)
        join(s, s->m->low, s->m->high, -1);
    mem_free(s->room);
    return code;
}

int stays_learner_finish(const StaysLearner *l, StaysModel **out) {
    Study s = {.l = l};
    *out = NULL;
    if (!l->kept.count)
        return 0;
    int code = stays_model_open(&s.m, l->picture);
    if (!code)
        code = study(&s);
    if (code)
        stays_model_free(&s.m);
    else
        *out = s.m;
    return code;
}
