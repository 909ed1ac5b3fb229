#include "data/plant.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "video/source.h"

enum {
    SPAN = 75,       /* frames per event */
    FADE = 4,        /* frames over which a layer fades in, and out */
    BACKGROUND = 25, /* number of frames whose median is the background */
    TRIES = 8,       /* draws of place and time for an event; the one with most movement wins */
    STEP = 4,        /* movement is measured at every STEP-th pixel, both ways */
};

/* The matte's ramp, in grey levels of difference to the background. Noise is below it, people and
 * vehicles are above. */
static const float MATTE_FROM = 10, MATTE_TO = 25;

/* Reads one clip's frames in any order. Holds the clip's background. */
typedef struct {
    const char *url;
    int64_t frames;
    Source *source;
    int64_t next;        /* the frame that the source reads next */
    Frame frame;         /* its pixels are read in any case */
    uint8_t *background; /* height x width x 3 */
} Reader;

struct Planter {
    const Split *split;
    PlantEvent *event;
    int events;
    Reader clip, layer;
    int layer_event;    /* the event that `layer` was opened for; -1: none */
    float *matte, *row; /* height x width; scratch of the same size */
    uint8_t *mask;
    int width, height;
    int64_t at;
};

static void reader_close(Reader *r) {
    source_free(&r->source);
    frame_free(&r->frame);
    mem_free(r->background);
    *r = (Reader){0};
}

static int reader_open(Reader *r, const Clip *clip) {
    *r = (Reader){.url = clip->url};
    int code = clip_count(clip, &r->frames);
    if (!code && r->frames < PLANT_SHORTEST)
        code = err_set(ERR_FAIL, "%s has %lld frames; planting needs %d: leave the clip out",
                       clip->url, (long long)r->frames, PLANT_SHORTEST);
    return code ? code : source_open(&r->source, clip->url);
}

static int reader_get(Reader *r, int64_t t) {
    int code = t == r->next ? 0 : source_seek(r->source, t);
    if (!code)
        code = source_read(r->source, &r->frame);
    if (!code && r->frame.corrupt)
        code = err_set(ERR_FAIL, "%s: frame %lld is damaged; copy the clip again", r->url,
                       (long long)t);
    if (!code && !frame_bgr(&r->frame))
        code = ERR_FAIL;
    r->next = code ? -1 : t + 1;
    return code == ERR_END ? err_set(ERR_FAIL, "%s ends before frame %lld", r->url, (long long)t)
                           : code;
}

static uint8_t median(uint8_t *v, int n) {
    for (int i = 1; i < n; i++) { /* insertion sort: few values */
        uint8_t x = v[i];
        int j = i;
        for (; j > 0 && v[j - 1] > x; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
    return v[n / 2];
}

/* The median over frames spread evenly over the clip. */
static int reader_background(Reader *r) {
    int n = r->frames < BACKGROUND ? (int)r->frames : BACKGROUND;
    int code = reader_get(r, 0);
    if (code)
        return code;
    size_t values = 3 * (size_t)r->frame.width * (size_t)r->frame.height;
    uint8_t *seen = mem_alloc(values, (size_t)n);
    r->background = mem_alloc(values, 1);
    code = seen && r->background ? 0 : ERR_FAIL;
    for (int i = 0; i < n && !code; i++) {
        code = reader_get(r, i * (r->frames - 1) / (n - 1));
        for (size_t p = 0; p < values && !code; p++)
            seen[p * (size_t)n + (size_t)i] = r->frame.bgr[p];
    }
    for (size_t p = 0; p < values && !code; p++)
        r->background[p] = median(seen + p * (size_t)n, n);
    mem_free(seen);
    return code;
}

/* Computes for each pixel of the layer's frame how much it is movement, 0 to 1. */
static void draw_matte(Planter *p) {
    int w = p->width, h = p->height;
    const uint8_t *f = p->layer.frame.bgr, *b = p->layer.background;
    for (int64_t i = 0; i < (int64_t)w * h; i++) {
        int far = 0;
        for (int c = 0; c < 3; c++) {
            int d = abs(f[3 * i + c] - b[3 * i + c]);
            far = d > far ? d : far;
        }
        p->row[i] = (float)far;
    }
    /* Means over 3 x 3 pixels are compared, because a single pixel's noise can reach the ramp. */
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float sum = 0;
            int n = 0;
            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++)
                    if (y + dy >= 0 && y + dy < h && x + dx >= 0 && x + dx < w) {
                        sum += p->row[(y + dy) * w + x + dx];
                        n++;
                    }
            float a = (sum / (float)n - MATTE_FROM) / (MATTE_TO - MATTE_FROM);
            p->matte[y * w + x] = a < 0 ? 0 : a > 1 ? 1 : a;
        }
}

/* The window's weight along one axis at `x` (a share of the frame): 1 inside, 0 at the rim. */
static float window_side(double x, double centre, double length) {
    double inside = (0.5 * length - fabs(x - centre)) / (0.15 * length);
    return (float)(inside < 0 ? 0 : inside > 1 ? 1 : inside);
}

static float window_weight(const PlantEvent *e, double x, double y) {
    return window_side(x, e->x, e->width) * window_side(y, e->y, e->height);
}

static int64_t layer_frame(const PlantEvent *e, int64_t t) {
    return e->from + llround((double)(t - e->start) * e->speed);
}

/* ---- the plan ---- */

/* Sets an event's kind, speed and scale. `serial` numbers a clip's events through all copies. It
 * starts at the clip's position among the clips to plant in, so that kinds take turns both within
 * and across clips. */
static void draw_kind(PlantEvent *e, const Rng *r, int serial) {
    double u = rng_uniform(r, 0);
    *e = (PlantEvent){.kind = PLANT_CONTROL, .speed = 1, .scale = 1};
    if (serial % 2 == 0)
        return;
    e->kind = serial / 2 % 2 ? PLANT_LARGE : PLANT_FAST;
    if (e->kind == PLANT_FAST)
        e->speed = 2 + 2 * u;
    else
        e->scale = 1.6 + 0.6 * u;
}

static double draw_between(const Rng *r, uint64_t i, double from, double to) {
    return from + (to - from) * rng_uniform(r, i);
}

/* Draws the place and time of a try from the stream, starting at element `at`. */
static void draw_place(PlantEvent *e, const Rng *r, uint64_t at, int64_t source_frames) {
    int64_t needed = (int64_t)ceil((double)(e->frames - 1) * e->speed) + 1;
    e->width = draw_between(r, at, 0.2, 0.45);
    e->height = draw_between(r, at + 1, 0.2, 0.45);
    e->x = draw_between(r, at + 2, e->width / 2, 1 - e->width / 2);
    e->y = draw_between(r, at + 3, e->height / 2, 1 - e->height / 2);
    e->from = (int64_t)draw_between(r, at + 4, 0, (double)(source_frames - needed + 1));
}

/* The share of the window that moves, in the middle of the event. An amount would always favour the
 * largest window with the most people, but few anomalies are that large. */
static int movement(Planter *p, const PlantEvent *e, double *out) {
    int code = reader_get(&p->layer, layer_frame(e, e->start + e->frames / 2));
    if (code)
        return code;
    draw_matte(p);
    double sum = 0, all = 0;
    for (int y = 0; y < p->height; y += STEP)
        for (int x = 0; x < p->width; x += STEP) {
            float weight = window_weight(e, (x + 0.5) / p->width, (y + 0.5) / p->height);
            sum += (double)(weight * p->matte[y * p->width + x]);
            all += (double)weight;
        }
    *out = all > 0 ? sum / all : 0;
    return 0;
}

static int open_layer(Planter *p, int clip) {
    reader_close(&p->layer);
    p->layer_event = -1;
    int code = reader_open(&p->layer, &p->split->clips[clip]);
    if (!code)
        code = reader_background(&p->layer);
    if (!code && (p->layer.frame.width != p->width || p->layer.frame.height != p->height))
        code = err_set(ERR_FAIL,
                       "%s has frames of %d x %d, %s of %d x %d; planting needs one fixed camera",
                       p->layer.url, p->layer.frame.width, p->layer.frame.height, p->clip.url,
                       p->width, p->height);
    return code;
}

/* Plans the n-th event in frames [first, first + span) of the clip. */
static int plan_event(Planter *p, const Rng *r, int n, int serial, int64_t first, int64_t span) {
    PlantEvent *e = &p->event[n];
    int source = e->source;
    int code = open_layer(p, source);
    if (code)
        return code;
    draw_kind(e, r, serial);
    e->source = source;
    e->frames = span / 2;
    int64_t most = (int64_t)((double)(p->layer.frames - 1) / e->speed) + 1;
    e->frames = e->frames < most ? e->frames : most;
    e->start = first + (int64_t)draw_between(r, 1, 0, (double)(span - e->frames));
    PlantEvent best = *e;
    double most_seen = -1;
    for (int i = 0; i < TRIES && !code; i++) {
        double seen = 0;
        draw_place(e, r, 2 + 5 * (uint64_t)i, p->layer.frames);
        code = movement(p, e, &seen);
        if (seen > most_seen) {
            most_seen = seen;
            best = *e;
        }
    }
    *e = best;
    return code;
}

static int plan(Planter *p, int clip, const int *sources, int source_count, uint64_t seed,
                int copy) {
    p->events = p->clip.frames < 2 * SPAN ? 1 : (int)(p->clip.frames / SPAN);
    p->event = mem_alloc((size_t)p->events, sizeof *p->event);
    int code = p->event ? 0 : ERR_FAIL, place = 0;
    while (place < source_count && sources[place] != clip)
        place++;
    bool own =
        place < source_count && source_count > 1; /* the clip is a source: skip it in the draw */
    for (int n = 0; n < p->events && !code; n++) {
        Rng r = rng_stream(seed, RNG_PLANT, (uint32_t)clip, (uint32_t)(copy * 65536 + n));
        int64_t first = p->clip.frames * n / p->events;
        int64_t end = p->clip.frames * (n + 1) / p->events;
        int other = (int)(rng_uniform(&r, 2 + 5 * TRIES) * (source_count - own));
        p->event[n].source = sources[other + (own && other >= place)];
        code = plan_event(p, &r, n, copy * p->events + n + place, first, end - first);
    }
    return code;
}

/* ---- drawing ---- */

static float bilinear(const float *plane, int w, int h, double x, double y) {
    int x0 = (int)floor(x), y0 = (int)floor(y);
    if (x0 < 0 || y0 < 0 || x0 + 1 >= w || y0 + 1 >= h)
        return 0;
    float fx = (float)(x - x0), fy = (float)(y - y0);
    const float *a = plane + (int64_t)y0 * w + x0, *b = a + w;
    return (1 - fy) * ((1 - fx) * a[0] + fx * a[1]) + fy * ((1 - fx) * b[0] + fx * b[1]);
}

static float bilinear_bgr(const uint8_t *bgr, int w, double x, double y, int c) {
    int x0 = (int)floor(x), y0 = (int)floor(y); /* inside: bilinear() was not 0 */
    float fx = (float)(x - x0), fy = (float)(y - y0);
    const uint8_t *a = bgr + 3 * ((int64_t)y0 * w + x0) + c, *b = a + (ptrdiff_t)3 * w;
    return (1 - fy) * ((1 - fx) * a[0] + fx * a[3]) + fy * ((1 - fx) * b[0] + fx * b[3]);
}

/* Lays the layer's frame over the clip's frame, enlarged about the window's centre. */
static void lay_over(Planter *p, const PlantEvent *e, float strength) {
    int w = p->width, h = p->height;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float a = strength * window_weight(e, (x + 0.5) / w, (y + 0.5) / h);
            if (a == 0)
                continue;
            double sx = e->x * w + (x - e->x * w) / e->scale;
            double sy = e->y * h + (y - e->y * h) / e->scale;
            a *= bilinear(p->matte, w, h, sx, sy);
            if (a == 0)
                continue;
            uint8_t *to = p->clip.frame.bgr + 3 * ((int64_t)y * w + x);
            for (int c = 0; c < 3; c++) {
                float from = bilinear_bgr(p->layer.frame.bgr, w, sx, sy, c);
                to[c] = (uint8_t)lrintf((1 - a) * to[c] + a * from);
            }
            if (e->kind != PLANT_CONTROL && a >= 0.5F)
                p->mask[y * w + x] = 255;
        }
}

static int draw_event(Planter *p, int n) {
    const PlantEvent *e = &p->event[n];
    int code = p->layer_event == n ? 0 : open_layer(p, e->source);
    p->layer_event = n;
    if (!code)
        code = reader_get(&p->layer, layer_frame(e, p->at));
    if (code)
        return code;
    int64_t since = p->at - e->start + 1, left = e->start + e->frames - p->at;
    int64_t inside = since < left ? since : left;
    draw_matte(p);
    lay_over(p, e, inside >= FADE ? 1 : (float)inside / FADE);
    return 0;
}

/* Clears a mask of so few pixels that nobody could see the event. */
static void drop_specks(Planter *p) {
    int64_t pixels = (int64_t)p->width * p->height, marked = 0;
    for (int64_t i = 0; i < pixels; i++)
        marked += p->mask[i] != 0;
    if (marked < pixels / 2000)
        memset(p->mask, 0, (size_t)pixels);
}

/* ---- */

static int open_parts(Planter *p, int clip, const int *sources, int source_count, uint64_t seed,
                      int copy) {
    int code = reader_open(&p->clip, &p->split->clips[clip]);
    if (!code)
        code = reader_get(&p->clip, 0);
    if (code)
        return code;
    p->width = p->clip.frame.width;
    p->height = p->clip.frame.height;
    size_t pixels = (size_t)p->width * (size_t)p->height;
    p->matte = mem_alloc(pixels, sizeof *p->matte);
    p->row = mem_alloc(pixels, sizeof *p->row);
    p->mask = mem_alloc(pixels, 1);
    if (!p->matte || !p->row || !p->mask)
        return ERR_FAIL;
    return plan(p, clip, sources, source_count, seed, copy);
}

int planter_open(Planter **out, const Split *split, int clip, const int *sources, int source_count,
                 uint64_t seed, int copy) {
    Planter *p = mem_alloc(1, sizeof *p);
    if (!p)
        return ERR_FAIL;
    p->split = split;
    int code = open_parts(p, clip, sources, source_count, seed, copy);
    if (code) {
        planter_free(&p);
        return code;
    }
    p->layer_event = -1; /* planning left its last event's `layer` open */
    *out = p;
    return 0;
}

void planter_free(Planter **pp) {
    Planter *p = pp ? *pp : NULL;
    if (!p)
        return;
    reader_close(&p->clip);
    reader_close(&p->layer);
    mem_free(p->event);
    mem_free(p->matte);
    mem_free(p->row);
    mem_free(p->mask);
    mem_free(p);
    *pp = NULL;
}

int planter_events(const Planter *p, const PlantEvent **out) {
    *out = p->event;
    return p->events;
}

int planter_next(Planter *p, const Frame **frame, const uint8_t **mask) {
    if (p->at == p->clip.frames)
        return ERR_END;
    int code = reader_get(&p->clip, p->at);
    memset(p->mask, 0, (size_t)p->width * (size_t)p->height);
    for (int n = 0; n < p->events && !code; n++)
        if (p->at >= p->event[n].start && p->at < p->event[n].start + p->event[n].frames)
            code = draw_event(p, n);
    if (code)
        return code;
    drop_specks(p);
    p->at++;
    *frame = &p->clip.frame;
    *mask = p->mask;
    return 0;
}
