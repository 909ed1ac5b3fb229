#include "data/pairs.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/frame_store.h"

enum { SLOTS = 4 }; /* one lent to the caller, three being filled ahead */

typedef struct {
    int64_t frames;
    int64_t first_frame, first_pair; /* numbers over all clips */
} PairClip;

typedef enum { SLOT_FREE, SLOT_FILLING, SLOT_READY, SLOT_LENT } SlotState;

typedef struct {
    SlotState state;
    int sample; /* PairsSample; -1: of an epoch */
    int64_t step;
    uint8_t *x, *y, *second;
    bool *has_second;
    int64_t *index;
} Slot;

/* The pairs that are held out: `blocks` of `length`, less `edge` at both ends of each. */
typedef struct {
    int64_t blocks, length, edge;
} HeldOut;

/* Once the decoding thread runs, it alone uses store and order; what stands below `lock` is guarded
 * by it. */
struct Pairs {
    PairsConfig config;
    FrameStore *store;
    PairClip *clips;
    int count;
    int64_t frames, pairs, frame_bytes;
    HeldOut held;
    int64_t *order, epoch; /* the permutation of one epoch */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool running, stop;
    Slot slot[SLOTS];
    int sample;                   /* which pairs are wanted, as in Slot */
    int64_t fill_step, take_step; /* next to be decoded, next to be handed out */
    int64_t seeks;
    int error; /* of the decoding thread; it waits for a seek or the end */
    int64_t error_step;
    char error_text[ERR_TEXT];
};

/* ---- pairs that are held out ---- */

/* Blocks of 100 pairs are longer than somebody takes to walk by; more than 8 are no better. */
static HeldOut hold_out(int64_t pairs, double share, int frames_in) {
    enum { LENGTH = 100, BLOCKS = 8, MOST = 1000, LEAST = 10 };
    int64_t wanted = (int64_t)(share * (double)pairs);
    wanted = wanted > MOST ? MOST : wanted;
    int64_t blocks = wanted / LENGTH;
    blocks = blocks < 1 ? 1 : blocks > BLOCKS ? BLOCKS : blocks;
    HeldOut h = {blocks, wanted / blocks, frames_in + wanted / blocks / 8};
    return h.blocks * (h.length - 2 * h.edge) < LEAST ? (HeldOut){0} : h;
}

static int64_t block_start(const Pairs *p, int64_t block) {
    return (2 * block + 1) * p->pairs / (2 * p->held.blocks) - p->held.length / 2;
}

/* The number of an epoch's pair: it passes over the blocks before it. */
static int64_t learned_pair(const Pairs *p, int64_t i) {
    for (int64_t b = 0; b < p->held.blocks && i >= block_start(p, b); b++)
        i += p->held.length;
    return i;
}

static int64_t held_out_pair(const Pairs *p, int64_t i) {
    int64_t inside = p->held.length - 2 * p->held.edge;
    return block_start(p, i / inside) + p->held.edge + i % inside;
}

static int64_t pair_beside(const Pairs *p, int64_t i) {
    int64_t side = p->held.length / 2, start = block_start(p, i / (2 * side));
    i %= 2 * side;
    return i < side ? start - side + i : start + p->held.length + i - side;
}

static int64_t sample_pair(const Pairs *p, PairsSample which, int64_t i) {
    int64_t count = pairs_sample(p, which);
    i = i < count ? i : count - 1;
    return which == PAIRS_HELD_OUT ? held_out_pair(p, i)
           : which == PAIRS_BESIDE ? pair_beside(p, i)
                                   : learned_pair(p, i * pairs_count(p) / count);
}

/* ---- the decoding thread ---- */

static PairClip *clip_of(const Pairs *p, int64_t pair) {
    int low = 0, high = p->count - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (p->clips[middle].first_pair <= pair)
            low = middle;
        else
            high = middle - 1;
    }
    return &p->clips[low];
}

static int get_frame(Pairs *p, const PairClip *c, int64_t t, uint8_t *out) {
    return frame_store_get(p->store, (int)(c - p->clips), t, out);
}

static int second_frames(const Pairs *p) {
    return p->config.second == PAIRS_SKIPPED ? p->config.frames_in
           : p->config.second == PAIRS_OTHER ? 1
                                             : 0;
}

/* Input frame k of `in`, in place of frame target - in + k. */
static int64_t skipped_frame(int64_t target, int64_t jump, int in, int k) {
    int64_t newest = in > 1 ? target - 1 : target - jump;
    return newest - jump * (in - 1 - k);
}

/* A jump for the frame `target` that stays inside the clip; 0: there is none. */
static int64_t draw_jump(const Rng *r, int64_t target, int in) {
    enum { LEAST = 2, MOST = 5 };
    int64_t most = MOST;
    while (most >= LEAST && skipped_frame(target, most, in, 0) < 0)
        most--;
    return most < LEAST ? 0 : LEAST + (int64_t)(rng_uniform(r, 0) * (double)(most - LEAST + 1));
}

static int fill_skipped(Pairs *p, const PairClip *c, int64_t target, int64_t jump, uint8_t *to) {
    int in = p->config.frames_in, code = 0;
    for (int k = 0; k < in && !code; k++)
        code = get_frame(p, c, skipped_frame(target, jump, in, k), to + k * p->frame_bytes);
    return code;
}

static int fill_other(Pairs *p, const Rng *r, const PairClip *c, uint8_t *to) {
    int64_t others = p->count > 1 ? p->frames - c->frames : p->frames;
    int64_t frame = (int64_t)(rng_uniform(r, 0) * (double)others);
    if (p->count > 1 && frame >= c->first_frame)
        frame += c->frames;
    int i = 0;
    while (frame >= p->clips[i].first_frame + p->clips[i].frames)
        i++;
    return get_frame(p, &p->clips[i], frame - p->clips[i].first_frame, to);
}

/* Decodes the second frames of pair b of a batch, if there are to be any. A pure function of (seed,
 * epoch, pair), like all that is drawn here. */
static int fill_second(Pairs *p, Slot *s, int64_t b, const PairClip *c, int64_t target) {
    const PairsConfig *config = &p->config;
    int64_t pair = s->index[b], jump = 0;
    Rng r = rng_stream(config->seed, RNG_SECOND, (uint32_t)p->epoch, (uint32_t)pair);
    bool has = s->sample < 0 &&
               (!config->wants_second || config->wants_second(config->context, p->epoch, pair));
    if (has && config->second == PAIRS_SKIPPED) {
        jump = draw_jump(&r, target, config->frames_in);
        has = jump > 0;
    }
    s->has_second[b] = has;
    if (!has)
        return 0;
    uint8_t *to = s->second + b * second_frames(p) * p->frame_bytes;
    return jump ? fill_skipped(p, c, target, jump, to) : fill_other(p, &r, c, to);
}

static void shuffle(Pairs *p, int64_t epoch) {
    if (epoch == p->epoch)
        return;
    Rng rng = rng_stream(p->config.seed, RNG_SHUFFLE, (uint32_t)epoch, 0);
    rng_permutation(&rng, p->order, pairs_count(p));
    p->epoch = epoch;
}

/* The number of pair b of a batch. */
static int64_t pair_of(Pairs *p, const Slot *s, int64_t b) {
    int64_t per_epoch = pairs_steps_per_epoch(p), batch = p->config.batch;
    if (s->sample >= 0)
        return sample_pair(p, (PairsSample)s->sample, s->step * batch + b);
    shuffle(p, s->step / per_epoch);
    return learned_pair(p, p->order[s->step % per_epoch * batch + b]);
}

static int fill_batch(Pairs *p, Slot *s) {
    int batch = p->config.batch, in = p->config.frames_in;
    for (int b = 0; b < batch; b++) {
        int64_t pair = pair_of(p, s, b);
        PairClip *c = clip_of(p, pair);
        int64_t t = pair - c->first_pair;
        s->index[b] = pair;
        for (int k = 0; k <= in; k++) {
            uint8_t *to = k < in ? s->x + ((int64_t)b * in + k) * p->frame_bytes
                                 : s->y + (int64_t)b * p->frame_bytes;
            int code = get_frame(p, c, t + k, to);
            if (code)
                return code;
        }
        int code = s->second ? fill_second(p, s, b, c, t + in) : 0;
        if (code)
            return code;
    }
    return 0;
}

static Slot *slot_in(Pairs *p, SlotState state) {
    for (int i = 0; i < SLOTS; i++)
        if (p->slot[i].state == state)
            return &p->slot[i];
    return NULL;
}

static void *decode_ahead(void *arg) {
    Pairs *p = arg;
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        Slot *s = slot_in(p, SLOT_FREE);
        if (!s || p->error) {
            pthread_cond_wait(&p->changed, &p->lock);
            continue;
        }
        s->state = SLOT_FILLING;
        s->step = p->fill_step++;
        s->sample = p->sample;
        int64_t seeks = p->seeks;
        pthread_mutex_unlock(&p->lock);
        int code = fill_batch(p, s);
        pthread_mutex_lock(&p->lock);
        bool wanted = p->seeks == seeks;
        s->state = wanted && !code ? SLOT_READY : SLOT_FREE;
        if (wanted && code) {
            p->error = code;
            p->error_step = s->step;
            snprintf(p->error_text, sizeof p->error_text, "%s", err_text());
        }
        pthread_cond_broadcast(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- opening ---- */

static int add_clips(Pairs *p, const Split *split) {
    int need = p->config.frames_in + 1;
    p->clips = mem_alloc((size_t)split->count, sizeof *p->clips);
    if (!p->clips)
        return ERR_FAIL;
    for (; p->count < split->count; p->count++) {
        const Clip *from = &split->clips[p->count];
        int64_t frames = frame_store_frames(p->store, p->count);
        if (frames < need)
            return err_set(
                ERR_FAIL,
                "%s: clip %s has %lld frame%s; a pair needs %d, so move it out of the folder or "
                "add frames",
                from->url, from->name, (long long)frames, frames == 1 ? "" : "s", need);
        p->clips[p->count] = (PairClip){frames, p->frames, p->pairs};
        p->frames += frames;
        p->pairs += frames - p->config.frames_in;
    }
    return 0;
}

static void free_buffers(Pairs *p) {
    for (int i = 0; i < SLOTS; i++) {
        mem_free(p->slot[i].x);
        mem_free(p->slot[i].y);
        mem_free(p->slot[i].second);
        mem_free(p->slot[i].has_second);
        mem_free(p->slot[i].index);
        p->slot[i] = (Slot){0};
    }
    mem_free(p->order);
    p->order = NULL;
}

static int allocate(Pairs *p) {
    size_t batch = (size_t)p->config.batch, bytes = (size_t)p->frame_bytes;
    p->order = mem_alloc((size_t)pairs_count(p), sizeof *p->order);
    bool ok = p->order;
    for (int i = 0; i < SLOTS && ok; i++) {
        Slot *s = &p->slot[i];
        s->x = mem_alloc(batch * (size_t)p->config.frames_in, bytes);
        s->y = mem_alloc(batch, bytes);
        s->index = mem_alloc(batch, sizeof *s->index);
        ok = s->x && s->y && s->index;
        if (ok && second_frames(p)) {
            s->second = mem_alloc(batch * (size_t)second_frames(p), bytes);
            s->has_second = mem_alloc(batch, sizeof *s->has_second);
            ok = s->second && s->has_second;
        }
    }
    return ok ? 0 : ERR_FAIL;
}

static int plan(Pairs *p, const Split *split) {
    const PairsConfig *c = &p->config;
    if (c->size < 1 || c->frames_in < 1 || c->batch < 1)
        return err_set(ERR_USAGE, "size %d, input frames %d and batch %d must all be at least 1",
                       c->size, c->frames_in, c->batch);
    if (split->count == 0)
        return err_set(ERR_FAIL, "there are no training clips");
    int code = frame_store_open(&p->store, split, c->size, c->cache_bytes, c->interval, c->ignore);
    if (!code)
        code = add_clips(p, split);
    if (code)
        return code;
    p->held = hold_out(p->pairs, c->hold_out, c->frames_in);
    if (pairs_count(p) < c->batch)
        return err_set(ERR_FAIL,
                       "the clips have %lld pairs of frames%s, fewer than one batch of %d",
                       (long long)pairs_count(p),
                       p->held.blocks ? " without those that are held out" : "", c->batch);
    p->frame_bytes = (int64_t)c->size * c->size * 3;
    p->epoch = -1;
    p->sample = -1;
    return 0;
}

/* Memory and thread come with the first use, so that a caller can tell what they take before. */
static int start(Pairs *p) {
    if (p->running)
        return 0;
    int code = allocate(p);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    if (!code && pthread_create(&p->thread, NULL, decode_ahead, p))
        code = err_set(ERR_FAIL, "cannot start the decoding thread");
    p->running = !code;
    if (code) { /* as before, for another try */
        pthread_cond_destroy(&p->changed);
        pthread_mutex_destroy(&p->lock);
        free_buffers(p);
    }
    return code;
}

int pairs_open(Pairs **out, const Split *split, const PairsConfig *config) {
    Pairs *p = mem_alloc(1, sizeof *p);
    if (!p)
        return ERR_FAIL;
    p->config = *config;
    int code = plan(p, split);
    if (code)
        pairs_free(&p);
    else
        *out = p;
    return code;
}

void pairs_free(Pairs **out) {
    Pairs *p = *out;
    if (!p)
        return;
    if (p->running) {
        pthread_mutex_lock(&p->lock);
        p->stop = true;
        frame_store_stop(p->store);
        pthread_cond_broadcast(&p->changed);
        pthread_mutex_unlock(&p->lock);
        pthread_join(p->thread, NULL);
        pthread_cond_destroy(&p->changed);
        pthread_mutex_destroy(&p->lock);
    }
    frame_store_free(&p->store);
    free_buffers(p);
    mem_free(p->clips);
    mem_free(p);
    *out = NULL;
}

/* ---- the caller's side ---- */

int64_t pairs_count(const Pairs *p) {
    return p->pairs - p->held.blocks * p->held.length;
}

int64_t pairs_sample(const Pairs *p, PairsSample which) {
    enum { MOST = 2000 };
    const HeldOut *h = &p->held;
    int64_t learned = pairs_count(p) < MOST ? pairs_count(p) : MOST;
    return which == PAIRS_HELD_OUT ? h->blocks * (h->length - 2 * h->edge)
           : which == PAIRS_BESIDE ? h->blocks * (h->length / 2 * 2)
                                   : learned;
}

int64_t pairs_steps_per_epoch(const Pairs *p) {
    return pairs_count(p) / p->config.batch;
}

double pairs_interval(const Pairs *p) {
    return frame_store_interval(p->store);
}

int64_t pairs_memory(const Pairs *p) {
    int64_t slot =
        p->config.batch *
        ((p->config.frames_in + 1 + second_frames(p)) * p->frame_bytes + (int64_t)sizeof(int64_t));
    return frame_store_memory(p->store) + SLOTS * slot + pairs_count(p) * (int64_t)sizeof *p->order;
}

static int seek(Pairs *p, int sample, int64_t step) {
    int code = start(p);
    if (code)
        return code;
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < SLOTS; i++)
        if (p->slot[i].state == SLOT_READY)
            p->slot[i].state = SLOT_FREE;
    p->seeks++; /* what is being filled is not wanted any more */
    p->sample = sample;
    p->fill_step = p->take_step = step;
    p->error = 0;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return 0;
}

int pairs_seek(Pairs *p, int64_t step) {
    return step < 0 ? err_set(ERR_USAGE, "step %lld: steps count from 0", (long long)step)
                    : seek(p, -1, step);
}

int pairs_seek_sample(Pairs *p, PairsSample which) {
    return pairs_sample(p, which) ? seek(p, which, 0) : err_set(ERR_USAGE, "no pair is held out");
}

static Slot *ready(Pairs *p, int64_t step) {
    for (int i = 0; i < SLOTS; i++)
        if (p->slot[i].state == SLOT_READY && p->slot[i].step == step)
            return &p->slot[i];
    return NULL;
}

int pairs_next(Pairs *p, PairBatch *out) {
    double before = clock_seconds();
    int code = start(p);
    if (code)
        return code;
    pthread_mutex_lock(&p->lock);
    Slot *lent = slot_in(p, SLOT_LENT);
    if (lent) {
        lent->state = SLOT_FREE;
        pthread_cond_broadcast(&p->changed);
    }
    Slot *s;
    while (!(s = ready(p, p->take_step)) && !(p->error && p->error_step == p->take_step))
        pthread_cond_wait(&p->changed, &p->lock);
    code = s ? 0 : err_set(p->error, "%s", p->error_text);
    if (s) {
        s->state = SLOT_LENT;
        p->take_step++;
        *out =
            (PairBatch){s->x, s->y, s->second, s->has_second, s->index, clock_seconds() - before};
    }
    pthread_mutex_unlock(&p->lock);
    return code;
}
