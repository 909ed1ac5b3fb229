#include "data/pairs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/rng.h"
#include "video/source.h"

enum {
    SLOTS = 4,     /* one lent to the caller, three being filled ahead */
    MAX_OPEN = 32, /* sources: each holds a decoder */
};

typedef struct {
    char *url;
    int64_t frames;
    int64_t first_frame, first_pair; /* numbers over all clips */
    Source *source;                  /* open while recently used */
    int64_t used;                    /* when it was used last */
} PairClip;

typedef enum { SLOT_FREE, SLOT_FILLING, SLOT_READY, SLOT_LENT } SlotState;

typedef struct {
    SlotState state;
    int64_t step;
    uint8_t *x, *y, *second;
    int64_t *index;
} Slot;

/* Once the decoding thread runs, it alone uses clips, cache, order and frame; what stands below
 * `lock` is guarded by it. */
struct Pairs {
    PairsConfig config;
    PairClip *clips;
    int count;
    int64_t frames, pairs, frame_bytes;
    uint8_t *cache;  /* frames x frame_bytes, or as many as the budget allows */
    int64_t *cached; /* by frame: its place in the cache plus 1; 0 where it is not there */
    int64_t room, filled;
    int64_t *order, epoch; /* the permutation of one epoch */
    int open;
    int64_t clock;
    Frame frame;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool running;
    atomic_bool stop; /* asked between frames too: a clip can be long */
    Slot slot[SLOTS];
    int64_t fill_step, take_step; /* next to be decoded, next to be handed out */
    int64_t seeks;
    int error; /* of the decoding thread; it waits for a seek or the end */
    int64_t error_step;
    char error_text[1024];
};

/* ---- frames ---- */

static void close_clip(Pairs *p, PairClip *c) {
    if (c->source) {
        source_free(&c->source);
        p->open--;
    }
}

static void close_oldest(Pairs *p) {
    PairClip *oldest = NULL;
    for (int i = 0; i < p->count; i++)
        if (p->clips[i].source && (!oldest || p->clips[i].used < oldest->used))
            oldest = &p->clips[i];
    close_clip(p, oldest);
}

static int open_clip(Pairs *p, PairClip *c) {
    c->used = ++p->clock;
    if (c->source)
        return 0;
    if (p->open == MAX_OPEN)
        close_oldest(p);
    int code = source_open(&c->source, c->url);
    p->open += !code;
    return code;
}

static int read_frame(Pairs *p, PairClip *c, int64_t t, uint8_t *out) {
    if (p->stop)
        return ERR_STOPPED;
    int code = open_clip(p, c);
    if (!code)
        code = source_seek(c->source, t);
    if (!code)
        code = source_read(c->source, &p->frame);
    if (code == ERR_END)
        return err_set(ERR_FAIL, "%s: it ends before frame %lld of %lld", c->url, (long long)t,
                       (long long)c->frames);
    if (code)
        return code;
    if (p->frame.corrupt)
        return err_set(ERR_FAIL, "%s: frame %lld is damaged", c->url, (long long)t);
    frame_resize(out, p->config.size, p->config.size, &p->frame);
    return 0;
}

/* Decodes a frame into the next place of the cache. */
static int load_frame(Pairs *p, PairClip *c, int64_t t) {
    int code = read_frame(p, c, t, p->cache + p->filled * p->frame_bytes);
    if (!code)
        p->cached[c->first_frame + t] = ++p->filled;
    return code;
}

/* Seeking in a video costs a group of pictures each time, so where all frames fit it is decoded
 * once, front to back. */
static int load_clip(Pairs *p, PairClip *c) {
    int code = 0;
    for (int64_t t = 0; t < c->frames && !code; t++)
        if (!p->cached[c->first_frame + t])
            code = load_frame(p, c, t);
    close_clip(p, c);
    return code;
}

static int get_frame(Pairs *p, PairClip *c, int64_t t, uint8_t *out) {
    int64_t number = c->first_frame + t;
    if (!p->cached[number]) {
        bool all_fit = p->room == p->frames;
        int code = all_fit && !file_is_folder(c->url) ? load_clip(p, c)
                   : p->filled < p->room              ? load_frame(p, c, t)
                                                      : read_frame(p, c, t, out);
        if (code || !p->cached[number])
            return code;
    }
    memcpy(out, p->cache + (p->cached[number] - 1) * p->frame_bytes, (size_t)p->frame_bytes);
    return 0;
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

static int second_frames(const Pairs *p) {
    return p->config.second == PAIRS_SKIPPED ? p->config.frames_in
           : p->config.second == PAIRS_OTHER ? 1
                                             : 0;
}

/* A jump for the frame `target` that stays inside the clip. */
static int64_t draw_jump(const Rng *r, int64_t target, int frames_in) {
    enum { LEAST = 2, MOST = 5 };
    int64_t most = target / frames_in < MOST ? target / frames_in : MOST;
    if (most < LEAST)
        return LEAST;
    return LEAST + (int64_t)(rng_uniform(r, 0) * (double)(most - LEAST + 1));
}

static int fill_skipped(Pairs *p, const Rng *r, PairClip *c, int64_t target, uint8_t *to) {
    int in = p->config.frames_in, code = 0;
    int64_t jump = draw_jump(r, target, in);
    for (int k = 0; k < in && !code; k++) {
        int64_t t = target - jump * (in - k);
        code = get_frame(p, c, t > 0 ? t : 0, to + k * p->frame_bytes);
    }
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

/* A pure function of (seed, epoch, pair), like all that is drawn here. */
static int fill_second(Pairs *p, int64_t epoch, int64_t pair, PairClip *c, int64_t target,
                       uint8_t *to) {
    Rng r = rng_stream(p->config.seed, RNG_SECOND, (uint32_t)epoch, (uint32_t)pair);
    if (p->config.second == PAIRS_SKIPPED)
        return fill_skipped(p, &r, c, target, to);
    return fill_other(p, &r, c, to);
}

static int fill_batch(Pairs *p, Slot *s) {
    int64_t per_epoch = pairs_steps_per_epoch(p), epoch = s->step / per_epoch;
    int batch = p->config.batch, in = p->config.frames_in;
    if (epoch != p->epoch) {
        Rng rng = rng_stream(p->config.seed, RNG_SHUFFLE, (uint32_t)epoch, 0);
        rng_permutation(&rng, p->order, p->pairs);
        p->epoch = epoch;
    }
    for (int b = 0; b < batch; b++) {
        int64_t pair = p->order[s->step % per_epoch * batch + b];
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
        if (s->second) {
            int code = fill_second(p, epoch, pair, c, t + in,
                                   s->second + (int64_t)b * second_frames(p) * p->frame_bytes);
            if (code)
                return code;
        }
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
        PairClip *c = &p->clips[p->count];
        const Clip *from = &split->clips[p->count];
        *c = (PairClip){.first_frame = p->frames, .first_pair = p->pairs};
        int code = clip_count(from, &c->frames);
        if (code)
            return code;
        if (c->frames < need)
            return err_set(ERR_FAIL,
                           "%s: clip %s has %lld frame%s; a pair needs %d, so remove the clip or "
                           "add frames",
                           from->url, from->name, (long long)c->frames, c->frames == 1 ? "" : "s",
                           need);
        if (!(c->url = mem_printf("%s", from->url)))
            return ERR_FAIL;
        p->frames += c->frames;
        p->pairs += c->frames - p->config.frames_in;
    }
    return 0;
}

static int allocate(Pairs *p) {
    size_t batch = (size_t)p->config.batch, bytes = (size_t)p->frame_bytes;
    p->cache = mem_alloc((size_t)p->room, bytes);
    p->cached = mem_alloc((size_t)p->frames, sizeof *p->cached);
    p->order = mem_alloc((size_t)p->pairs, sizeof *p->order);
    bool ok = p->cache && p->cached && p->order;
    for (int i = 0; i < SLOTS && ok; i++) {
        Slot *s = &p->slot[i];
        s->x = mem_alloc(batch * (size_t)p->config.frames_in, bytes);
        s->y = mem_alloc(batch, bytes);
        s->index = mem_alloc(batch, sizeof *s->index);
        if (second_frames(p))
            s->second = mem_alloc(batch * (size_t)second_frames(p), bytes);
        ok = s->x && s->y && s->index && (s->second || !second_frames(p));
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
    int code = add_clips(p, split);
    if (code)
        return code;
    if (p->pairs < c->batch)
        return err_set(ERR_FAIL, "the clips have %lld pairs of frames, fewer than one batch of %d",
                       (long long)p->pairs, c->batch);
    p->frame_bytes = (int64_t)c->size * c->size * 3;
    p->epoch = -1;
    p->room = c->cache_bytes / p->frame_bytes;
    if (p->room > p->frames)
        p->room = p->frames;
    return 0;
}

/* Memory and thread come with the first use, so that a caller can tell what they take before. */
static int start(Pairs *p) {
    if (p->running)
        return 0;
    int code = allocate(p);
    if (code)
        return code;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    if (pthread_create(&p->thread, NULL, decode_ahead, p)) {
        pthread_cond_destroy(&p->changed);
        pthread_mutex_destroy(&p->lock);
        return err_set(ERR_FAIL, "cannot start the decoding thread");
    }
    p->running = true;
    return 0;
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
        pthread_cond_broadcast(&p->changed);
        pthread_mutex_unlock(&p->lock);
        pthread_join(p->thread, NULL);
        pthread_cond_destroy(&p->changed);
        pthread_mutex_destroy(&p->lock);
    }
    for (int i = 0; i < p->count; i++) {
        source_free(&p->clips[i].source);
        mem_free(p->clips[i].url);
    }
    for (int i = 0; i < SLOTS; i++) {
        mem_free(p->slot[i].x);
        mem_free(p->slot[i].y);
        mem_free(p->slot[i].second);
        mem_free(p->slot[i].index);
    }
    mem_free(p->clips);
    mem_free(p->cache);
    mem_free(p->cached);
    mem_free(p->order);
    frame_free(&p->frame);
    mem_free(p);
    *out = NULL;
}

/* ---- the caller's side ---- */

int64_t pairs_count(const Pairs *p) {
    return p->pairs;
}

int64_t pairs_steps_per_epoch(const Pairs *p) {
    return p->pairs / p->config.batch;
}

int64_t pairs_memory(const Pairs *p) {
    int64_t slot =
        p->config.batch *
        ((p->config.frames_in + 1 + second_frames(p)) * p->frame_bytes + (int64_t)sizeof(int64_t));
    return p->room * p->frame_bytes + SLOTS * slot +
           (p->frames + p->pairs) * (int64_t)sizeof(int64_t);
}

int pairs_seek(Pairs *p, int64_t step) {
    if (step < 0)
        return err_set(ERR_USAGE, "step %lld: steps count from 0", (long long)step);
    int code = start(p);
    if (code)
        return code;
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < SLOTS; i++)
        if (p->slot[i].state == SLOT_READY)
            p->slot[i].state = SLOT_FREE;
    p->seeks++; /* what is being filled is not wanted any more */
    p->fill_step = p->take_step = step;
    p->error = 0;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return 0;
}

static Slot *ready(Pairs *p, int64_t step) {
    for (int i = 0; i < SLOTS; i++)
        if (p->slot[i].state == SLOT_READY && p->slot[i].step == step)
            return &p->slot[i];
    return NULL;
}

int pairs_next(Pairs *p, PairBatch *out) {
    double before = now_seconds();
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
        *out = (PairBatch){s->x, s->y, s->second, s->index, now_seconds() - before};
    }
    pthread_mutex_unlock(&p->lock);
    return code;
}
