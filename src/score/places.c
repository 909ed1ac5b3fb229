#include "score/places.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "score/variant.h"
#include "video/source.h"
#include "video/window.h"

enum { MOST = 4096 }; /* pairs that are looked at */

struct Places {
    int side, windows; /* cells a side; windows of a map */
    int64_t frames, room;
    float *seen;  /* windows x room: errors of the normal frames, place by place */
    float *level; /* windows */
    float *now;   /* side^2: of the frame that is added */
};

int places_open(Places **out, int side, int64_t frames) {
    Places *p = mem_alloc(1, sizeof *p);
    if (!p)
        return ERR_FAIL;
    p->side = side;
    p->windows = variant_window_count(side);
    p->room = frames;
    p->seen = mem_alloc((size_t)p->windows * (size_t)frames, sizeof *p->seen);
    p->level = mem_alloc((size_t)p->windows, sizeof *p->level);
    p->now = mem_alloc((size_t)(side * side), sizeof *p->now);
    if (!p->seen || !p->level || !p->now) {
        places_free(&p);
        return ERR_FAIL;
    }
    *out = p;
    return 0;
}

void places_free(Places **pp) {
    Places *p = pp ? *pp : NULL;
    if (!p)
        return;
    mem_free(p->seen);
    mem_free(p->level);
    mem_free(p->now);
    mem_free(p);
    *pp = NULL;
}

void places_add(Places *p, const float *map) {
    variant_windows(p->now, map, p->side);
    for (int i = 0; i < p->windows; i++)
        p->seen[i * p->room + p->frames] = p->now[i];
    p->frames++;
}

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

void places_finish(Places *p) {
    float largest = 0;
    for (int i = 0; i < p->windows; i++) {
        float *seen = p->seen + i * p->room;
        qsort(seen, (size_t)p->frames, sizeof *seen, ascending);
        p->level[i] = seen[(p->frames - 1) * 9 / 10];
        largest = fmaxf(largest, p->level[i]);
    }
    float least = fmaxf(0.03F * largest, 1e-12F); /* footage may be perfectly still */
    for (int i = 0; i < p->windows; i++)
        p->level[i] += least;
}

double places_score(const Places *p, const float *map, float *scratch) {
    double sum = 0;
    variant_windows(scratch, map, p->side);
    for (int i = 0; i < p->windows; i++) {
        double times = (double)scratch[i] / (double)p->level[i];
        sum += times * times;
    }
    return -5 * log10(sum / p->windows);
}

/* ---- */

typedef struct {
    Places **places;
    Scorer *const *scorer;
    int models;
    Window window;
    Frame frame;
    float *map;
    int64_t pairs, at, every; /* all there are; how many were read; which are looked at */
    void (*progress)(int64_t done, int64_t total);
} Run;

static int count_pairs(Run *r, const Split *clips, int64_t first) {
    for (int i = 0; i < clips->count; i++) {
        int64_t frames;
        int code = clip_count(&clips->clips[i], &frames);
        if (code)
            return code;
        r->pairs += frames > first ? frames - first : 0;
    }
    r->every = (r->pairs + MOST - 1) / MOST;
    return r->pairs ? 0 : err_set(ERR_FAIL, "the training clips have no pair of frames");
}

static int add_pair(Run *r) {
    int cell = variant_cell(scorer_info(r->scorer[0])->size);
    for (int m = 0; m < r->models; m++) {
        double psnr;
        int code = scorer_run(r->scorer[m], window_x(&r->window), window_y(&r->window), &psnr);
        if (code)
            return code;
        scorer_error_map(r->scorer[m], r->map, cell);
        places_add(r->places[m], r->map);
    }
    return 0;
}

static int add_clip(Run *r, const char *url) {
    Source *source = NULL;
    int code = source_open(&source, url);
    window_reset(&r->window);
    while (!code && (code = source_read(source, &r->frame)) == 0) {
        if (stop_requested())
            code = ERR_STOPPED;
        else if (r->frame.corrupt)
            window_reset(&r->window);
        else if (window_push(&r->window, &r->frame) && r->at < r->pairs && r->at++ % r->every == 0)
            code = add_pair(r);
        if (r->progress)
            r->progress(r->at, r->pairs);
    }
    source_free(&source);
    return code == ERR_END ? 0 : code;
}

static int open_run(Run *r, const Split *clips) {
    const ScorerInfo *info = scorer_info(r->scorer[0]);
    int side = (int)info->size / variant_cell(info->size);
    int code = count_pairs(r, clips, info->frames);
    r->map = mem_alloc((size_t)(side * side), sizeof *r->map);
    if (!code && !r->map)
        code = ERR_FAIL;
    for (int m = 0; m < r->models && !code; m++)
        code = places_open(&r->places[m], side, (r->pairs + r->every - 1) / r->every);
    return code ? code : window_open(&r->window, (int)info->size, (int)info->frames);
}

int places_measure(Places **places, Scorer *const *scorer, int models, const Split *clips,
                   void (*progress)(int64_t, int64_t)) {
    Run r = {.places = places, .scorer = scorer, .models = models, .progress = progress};
    int code = open_run(&r, clips);
    for (int i = 0; i < clips->count && !code; i++)
        code = add_clip(&r, clips->clips[i].url);
    if (!code && r.at == 0)
        code = err_set(ERR_FAIL, "no frame of the training clips could be looked at");
    for (int m = 0; m < models; m++)
        if (code)
            places_free(&places[m]);
        else
            places_finish(places[m]);
    frame_free(&r.frame);
    window_free(&r.window);
    mem_free(r.map);
    return code;
}
