#include "eval/localise.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/mask_tracks.h"
#include "data/masks.h"
#include "eval/region.h"
#include "score/boxes.h"
#include "score/error_map.h"

const char *const localise_level_names[LOCALISE_LEVELS] = {"token", "pixel", "motion"};

/* cell: wanted side in pixels; radius: cells that the window reaches to each side. */
static const struct { int cell, radius; } levels[LOCALISE_LEVELS] = {{16, 0}, {4, 2}, {4, 0}};

/* What was gathered of one model at one level. */
typedef struct {
    PixelTally tally;
    Detection *detection;
    int64_t count, capacity;
} Evidence;

typedef struct {
    int cell, side; /* pixels of the input, cells of the map */
    int radius;
    float *map, *scratch;
    int32_t *pixels, *abnormal; /* number of mask pixels in each cell, and of abnormal ones */
    BoxFinder finder;
    Evidence *evidence; /* of each model */
} Level;

struct Localiser {
    const Dataset *data;
    Scorer *const *scorer;
    int models;
    int64_t size, frames; /* input side in pixels; number of frames of all test clips */
    Tracks tracks;
    bool has_masks;
    Masks *masks; /* of `clip` */
    int clip;
    Level level[LOCALISE_LEVELS];
};

static int open_truth(Localiser *l, const char *folder) {
    char *beside = folder ? NULL : tracks_find(l->data);
    folder = folder ? folder : beside;
    int code, found = 0;
    if (folder) {
        code = tracks_read(&l->tracks, l->data, folder);
        if (!code)
            code = masks_open(&l->masks, l->data, l->clip, &found);
        l->has_masks = found;
    } else {
        code = mask_tracks_read(&l->tracks, l->data, &l->has_masks);
        if (!code && !l->has_masks)
            code = err_set(ERR_FAIL,
                           "%s has neither masks nor a folder of tracks: nothing says where its "
                           "anomalies are",
                           l->data->root);
    }
    mem_free(beside);
    return code;
}

/* The divisor of `size` nearest to `wanted`, so that cells fill the input. 0 if all divisors are
 * off by more than a factor of two. */
static int cell_of(int64_t size, int wanted) {
    int best = 0;
    for (int d = wanted / 2; d <= 2 * wanted; d++)
        if (size % d == 0 && (!best || abs(d - wanted) < abs(best - wanted)))
            best = d;
    return best;
}

static int open_level(Localiser *l, Level *v, int level) {
    v->cell = cell_of(l->size, levels[level].cell);
    if (!v->cell)
        return err_set(ERR_FAIL,
                       "localisation cuts the input into cells of about %d pixels: expected a side "
                       "that a number from %d to %d divides, found %lld",
                       levels[level].cell, levels[level].cell / 2, 2 * levels[level].cell,
                       (long long)l->size);
    v->radius = levels[level].radius;
    v->side = (int)l->size / v->cell;
    size_t cells = (size_t)v->side * (size_t)v->side;
    v->map = mem_alloc(cells, sizeof *v->map);
    v->scratch = mem_alloc(cells, sizeof *v->scratch);
    v->pixels = mem_alloc(cells, sizeof *v->pixels);
    v->abnormal = mem_alloc(cells, sizeof *v->abnormal);
    v->evidence = mem_alloc((size_t)l->models, sizeof *v->evidence);
    if (!v->map || !v->scratch || !v->pixels || !v->abnormal || !v->evidence)
        return ERR_FAIL;
    int code = box_finder_open(&v->finder, v->side);
    for (int m = 0; m < l->models && l->has_masks && !code; m++)
        code = pixel_tally_open(&v->evidence[m].tally, (int)cells);
    return code;
}

static void free_level(Level *v, int models) {
    for (int m = 0; m < models && v->evidence; m++) {
        pixel_tally_free(&v->evidence[m].tally);
        mem_free(v->evidence[m].detection);
    }
    box_finder_free(&v->finder);
    mem_free(v->evidence);
    mem_free(v->map);
    mem_free(v->scratch);
    mem_free(v->pixels);
    mem_free(v->abnormal);
}

static int open_all(Localiser *l, const char *tracks) {
    int code = open_truth(l, tracks);
    for (int i = 0; i < l->data->test.count && !code; i++) {
        int64_t frames;
        code = clip_count(&l->data->test.clips[i], &frames);
        l->frames += code ? 0 : frames;
    }
    for (int i = 0; i < LOCALISE_LEVELS && !code; i++)
        code = open_level(l, &l->level[i], i);
    return code;
}

int localiser_open(Localiser **out, const Dataset *data, const char *tracks, Scorer *const *scorer,
                   int models) {
    Localiser *l = mem_alloc(1, sizeof *l);
    if (!l)
        return ERR_FAIL;
    l->data = data;
    l->scorer = scorer;
    l->models = models;
    l->size = scorer_info(scorer[0])->size;
    int code = open_all(l, tracks);
    if (code)
        localiser_free(&l);
    else
        *out = l;
    return code;
}

void localiser_free(Localiser **out) {
    Localiser *l = *out;
    if (!l)
        return;
    for (int i = 0; i < LOCALISE_LEVELS; i++)
        free_level(&l->level[i], l->models);
    masks_free(&l->masks);
    tracks_free(&l->tracks);
    mem_free(l);
    *out = NULL;
}

const Tracks *localiser_tracks(const Localiser *l) {
    return &l->tracks;
}

/* Closes the masks of the last clip and opens those of `clip`. */
static int next_masks(Localiser *l, int clip) {
    int found;
    masks_free(&l->masks);
    l->clip = clip;
    int code = masks_open(&l->masks, l->data, clip, &found);
    if (!code && !found)
        code = err_set(ERR_FAIL, "%s: clip %s has masks, but clip %s has none", l->data->root,
                       l->data->test.clips[0].name, l->data->test.clips[clip].name);
    return code;
}

static int32_t count_set(const uint8_t *mask, int stride, Box b) {
    int32_t n = 0;
    for (int y = b.y0; y <= b.y1; y++)
        for (int x = b.x0; x <= b.x1; x++)
            n += mask[(int64_t)y * stride + x];
    return n;
}

static void count_pixels(Level *v, int64_t size, const uint8_t *mask, int width, int height) {
    for (int i = 0; i < v->side * v->side; i++) {
        int x = i % v->side, y = i / v->side;
        Box b = {cell_start(x, v->cell, size, width), cell_start(y, v->cell, size, height),
                 cell_start(x + 1, v->cell, size, width) - 1,
                 cell_start(y + 1, v->cell, size, height) - 1};
        v->pixels[i] = (int32_t)box_area(b);
        v->abnormal[i] = count_set(mask, width, b);
    }
}

static int add_boxes(Evidence *e, const Level *v, int clip, int64_t frame, int64_t size, int width,
                     int height) {
    if (e->capacity - e->count < BOXES_MAX) {
        int64_t more = 2 * e->capacity + 64 * BOXES_MAX;
        Detection *grown =
            mem_grow(e->detection, (size_t)e->count, (size_t)more, sizeof *e->detection);
        if (!grown)
            return ERR_FAIL;
        e->detection = grown;
        e->capacity = more;
    }
    Detection *d = e->detection + e->count;
    int found = boxes_find(&v->finder, v->map, d);
    for (int i = 0; i < found; i++) {
        d[i].clip = clip;
        d[i].frame = frame;
        d[i].box = box_in_frame(d[i].box, v->cell, size, width, height);
    }
    e->count += found;
    return 0;
}

bool localiser_has(const Localiser *l, int model, int level) {
    return level != LOCALISE_MOTION || scorer_motion(l->scorer[model]);
}

static void make_map(const Localiser *l, Level *v, int model, int level) {
    if (level == LOCALISE_MOTION) {
        motion_map(scorer_motion(l->scorer[model]), v->map, v->side);
        return;
    }
    scorer_error_map(l->scorer[model], v->map, v->cell);
    if (v->radius)
        error_map_smooth(v->map, v->scratch, v->side, v->radius);
}

int localiser_add(Localiser *l, int clip, const Frame *f) {
    const uint8_t *mask = NULL;
    int mask_width, mask_height, code = 0;
    if (l->has_masks && (!l->masks || clip != l->clip))
        code = next_masks(l, clip);
    if (l->has_masks && !code)
        code = masks_read(l->masks, f->index, &mask, &mask_width, &mask_height);
    if (code)
        return code;
    int width = l->tracks.made ? mask_width : f->width; /* size of the frames of the tracks */
    int height = l->tracks.made ? mask_height : f->height;
    for (int i = 0; i < LOCALISE_LEVELS; i++) {
        Level *v = &l->level[i];
        if (mask)
            count_pixels(v, l->size, mask, mask_width, mask_height);
        for (int m = 0; m < l->models && !code; m++) {
            if (!localiser_has(l, m, i))
                continue;
            make_map(l, v, m, i);
            if (mask)
                code = pixel_tally_add(&v->evidence[m].tally, v->map, v->pixels, v->abnormal);
            if (!code)
                code = add_boxes(&v->evidence[m], v, clip, f->index, l->size, width, height);
        }
    }
    return code;
}

int localiser_figures(Localiser *l, int model, int level, Localisation *out) {
    Evidence *e = &l->level[level].evidence[model];
    out->pixel = (PixelFigures){NAN, NAN, NAN, NAN};
    int code = l->has_masks ? pixel_tally_figures(&e->tally, &out->pixel) : 0;
    return code ? code
                : region_score(&out->rbdc, &out->tbdc, &l->tracks, e->detection, e->count,
                               l->frames);
}
