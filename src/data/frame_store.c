#include "data/frame_store.h"

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/clip_times.h"
#include "video/sampler.h"
#include "video/source.h"

enum { MAX_OPEN = 32 }; /* sources: each holds a decoder */

typedef struct {
    char *url;
    int64_t frames, first; /* how many are taken; the number of the first over all clips */
    int64_t start;         /* position of the clip in its source */
    int64_t *take;         /* positions from there on; NULL: all are taken */
    double *seconds;       /* while opening: of all frames; NULL: there are none */
    Source *source;        /* open while recently used */
    int64_t used;          /* when it was used last */
} StoredClip;

struct FrameStore {
    const Ignore *ignore;
    StoredClip *clips;
    int count, size;
    double interval; /* seconds; 0: all frames are taken */
    int64_t frames, frame_bytes;
    uint8_t *cache;       /* room x frame_bytes */
    int64_t *cached;      /* by frame: its place in the cache plus 1; 0 where it is not there */
    int64_t room, filled; /* in frames */
    int open;
    int64_t clock;
    Frame frame;
    atomic_bool stop; /* asked between frames too: a clip can be long */
};

static void close_clip(FrameStore *s, StoredClip *c) {
    if (c->source) {
        source_free(&c->source);
        s->open--;
    }
}

static void close_oldest(FrameStore *s) {
    StoredClip *oldest = NULL;
    for (int i = 0; i < s->count; i++)
        if (s->clips[i].source && (!oldest || s->clips[i].used < oldest->used))
            oldest = &s->clips[i];
    close_clip(s, oldest);
}

static int open_clip(FrameStore *s, StoredClip *c) {
    c->used = ++s->clock;
    if (c->source)
        return 0;
    if (s->open == MAX_OPEN)
        close_oldest(s);
    int code = source_open(&c->source, c->url);
    if (!code)
        source_ignore(c->source, s->ignore);
    s->open += !code;
    return code;
}

static int read_frame(FrameStore *s, StoredClip *c, int64_t t, uint8_t *out) {
    if (s->stop)
        return ERR_STOPPED;
    int code = open_clip(s, c);
    if (!code)
        code = source_seek(c->source, c->start + (c->take ? c->take[t] : t));
    if (!code)
        code = source_read(c->source, &s->frame);
    if (code == ERR_END)
        return err_set(ERR_FAIL, "%s: it ends before frame %lld of %lld", c->url, (long long)t,
                       (long long)c->frames);
    if (code)
        return code;
    if (s->frame.corrupt)
        return err_set(ERR_FAIL, "%s: frame %lld is damaged", c->url, (long long)s->frame.index);
    frame_resize(out, s->size, s->size, &s->frame);
    return 0;
}

/* Decodes a frame into the next place of the cache. */
static int load_frame(FrameStore *s, StoredClip *c, int64_t t) {
    int code = read_frame(s, c, t, s->cache + s->filled * s->frame_bytes);
    if (!code)
        s->cached[c->first + t] = ++s->filled;
    return code;
}

/* Seeking in a video costs a group of pictures each time, so where all frames fit it is decoded
 * once, front to back. */
static int load_clip(FrameStore *s, StoredClip *c) {
    int code = 0;
    for (int64_t t = 0; t < c->frames && !code; t++)
        if (!s->cached[c->first + t])
            code = load_frame(s, c, t);
    close_clip(s, c);
    return code;
}

static int allocate(FrameStore *s) {
    if (!s->cache)
        s->cache = mem_alloc((size_t)s->room, (size_t)s->frame_bytes);
    if (!s->cached)
        s->cached = mem_alloc((size_t)s->frames, sizeof *s->cached);
    return s->cache && s->cached ? 0 : ERR_FAIL;
}

int frame_store_get(FrameStore *s, int clip, int64_t t, uint8_t *out) {
    StoredClip *c = &s->clips[clip];
    int code = allocate(s);
    if (code)
        return code;
    int64_t number = c->first + t;
    if (!s->cached[number]) {
        bool all_fit = s->room == s->frames;
        code = all_fit && !file_is_folder(c->url) ? load_clip(s, c)
               : s->filled < s->room              ? load_frame(s, c, t)
                                                  : read_frame(s, c, t, out);
        if (code || !s->cached[number])
            return code;
    }
    memcpy(out, s->cache + (s->cached[number] - 1) * s->frame_bytes, (size_t)s->frame_bytes);
    return 0;
}

void frame_store_stop(FrameStore *s) {
    s->stop = true;
}

int64_t frame_store_frames(const FrameStore *s, int clip) {
    return s->clips[clip].frames;
}

int64_t frame_store_memory(const FrameStore *s) {
    return s->room * s->frame_bytes + s->frames * (int64_t)sizeof *s->cached;
}

double frame_store_interval(const FrameStore *s) {
    return s->interval;
}

static int look_at(FrameStore *s, StoredClip *c, const Clip *from, double wanted) {
    if (!(c->url = mem_printf("%s", from->url)))
        return ERR_FAIL;
    c->start = from->first;
    if (wanted <= 0 || file_is_folder(from->url))
        return clip_count(from, &c->frames);
    int code = clip_times(from, &c->seconds, &c->frames);
    if (!code && c->seconds)
        s->interval =
            fmax(s->interval, sampler_fit(wanted, clip_times_spacing(c->seconds, c->frames)));
    return code;
}

/* Chooses the frames of a clip with times. */
static int take(const FrameStore *s, StoredClip *c) {
    if (!c->seconds)
        return 0;
    c->take = mem_alloc((size_t)c->frames, sizeof *c->take);
    if (!c->take)
        return ERR_FAIL;
    c->frames = sampler_list(c->take, c->seconds, c->frames, s->interval);
    mem_free(c->seconds);
    c->seconds = NULL;
    return 0;
}

static int add_clips(FrameStore *s, const Split *split, double wanted) {
    s->clips = mem_alloc((size_t)split->count, sizeof *s->clips);
    int code = s->clips ? 0 : ERR_FAIL;
    for (; s->count < split->count && !code; s->count++)
        code = look_at(s, &s->clips[s->count], &split->clips[s->count], wanted);
    for (int i = 0; i < s->count && !code; i++) {
        code = take(s, &s->clips[i]);
        s->clips[i].first = s->frames;
        s->frames += s->clips[i].frames;
    }
    return code;
}

int frame_store_open(FrameStore **out, const Split *split, int size, int64_t budget,
                     double interval, const Ignore *ignore) {
    FrameStore *s = mem_alloc(1, sizeof *s);
    if (!s)
        return ERR_FAIL;
    s->size = size;
    s->ignore = ignore;
    s->frame_bytes = (int64_t)size * size * 3;
    int code = add_clips(s, split, interval);
    if (code) {
        frame_store_free(&s);
        return code;
    }
    s->room = budget / s->frame_bytes;
    if (s->room > s->frames)
        s->room = s->frames;
    *out = s;
    return 0;
}

void frame_store_free(FrameStore **out) {
    FrameStore *s = *out;
    if (!s)
        return;
    for (int i = 0; i < s->count; i++) {
        source_free(&s->clips[i].source);
        mem_free(s->clips[i].url);
        mem_free(s->clips[i].take);
        mem_free(s->clips[i].seconds);
    }
    mem_free(s->clips);
    mem_free(s->cache);
    mem_free(s->cached);
    frame_free(&s->frame);
    mem_free(s);
    *out = NULL;
}
