#include "app/frame_grid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "score/frame_pictures.h"

struct FrameGrid {
    GridFrame *frames;
    FramePictures *pictures; /* two a frame */
    double *psnr;
    int count, room;
};

/* ---- the frames, out of scores.csv. */

enum { CLIP, INDEX, LABEL, PSNR, COLUMNS };

/* Where the columns stand that are needed. "label" is the first ground truth's, "label_HASH" that
 * of each other. */
static int read_head(int at[COLUMNS], const char *line, size_t n, const char *hash,
                     const char *path) {
    char other[32];
    snprintf(other, sizeof other, "label_%s", hash);
    const char *names[] = {"clip", "frame", memmem(line, n, other, strlen(other)) ? other : "label",
                           "psnr_model"};
    int column = 0;
    for (int i = 0; i < COLUMNS; i++)
        at[i] = -1;
    for (const char *p = line; p < line + n; column++) {
        size_t length = strcspn(p, ",\n");
        for (int i = 0; i < COLUMNS; i++)
            if (strlen(names[i]) == length && memcmp(p, names[i], length) == 0)
                at[i] = column;
        p += length + 1;
    }
    for (int i = 0; i < COLUMNS; i++)
        if (at[i] < 0)
            return err_set(ERR_FAIL, "%s has no column \"%s\"", path, names[i]);
    return 0;
}

/* Keeps the frames of lowest PSNR, sorted. */
static void insert(FrameGrid *g, const GridFrame *frame, double psnr) {
    if (g->count == g->room && g->psnr[g->room - 1] <= psnr)
        return;
    int i = g->count < g->room ? g->count++ : g->room - 1;
    for (; i > 0 && g->psnr[i - 1] > psnr; i--) {
        g->frames[i] = g->frames[i - 1];
        g->psnr[i] = g->psnr[i - 1];
    }
    g->frames[i] = *frame;
    g->psnr[i] = psnr;
}

/* The worst frame of the clip whose lines are being read. */
typedef struct {
    GridFrame frame;
    double psnr;
} Worst;

static void end_clip(FrameGrid *g, Worst *w) {
    if (w->frame.clip[0])
        insert(g, &w->frame, w->psnr);
    *w = (Worst){.psnr = INFINITY};
}

static void read_line(FrameGrid *g, Worst *w, const int at[COLUMNS], const char *line, size_t n) {
    char field[COLUMNS][128] = {""};
    int column = 0;
    for (const char *p = line; p < line + n; column++) {
        size_t length = strcspn(p, ",\n");
        for (int i = 0; i < COLUMNS; i++)
            if (at[i] == column)
                snprintf(field[i], sizeof field[i], "%.*s", (int)length, p);
        p += length + 1;
    }
    if (strcmp(w->frame.clip, field[CLIP]) != 0)
        end_clip(g, w);
    double psnr = field[PSNR][0] ? strtod(field[PSNR], NULL) : INFINITY; /* empty: no score */
    if (!(psnr < w->psnr))
        return;
    w->psnr = psnr;
    w->frame =
        (GridFrame){.index = strtoll(field[INDEX], NULL, 10), .abnormal = field[LABEL][0] == '1'};
    snprintf(w->frame.clip, sizeof w->frame.clip, "%s", field[CLIP]);
}

static int read_scores(FrameGrid *g, const char *hash, const char *path) {
    char *text;
    size_t bytes;
    Worst w = {.psnr = INFINITY};
    int at[COLUMNS], code = file_read(path, (size_t)1 << 30, &text, &bytes);
    if (code)
        return code;
    size_t n = strcspn(text, "\n");
    code = read_head(at, text, n, hash, path);
    for (const char *p = text + n; !code && *p; p += n) {
        p++;
        n = strcspn(p, "\n");
        read_line(g, &w, at, p, n);
    }
    end_clip(g, &w);
    mem_free(text);
    return code;
}

/* ---- the pictures. */

static int find_clip(const Dataset *d, const char *name) {
    for (int i = 0; i < d->test.count; i++)
        if (strcmp(d->test.clips[i].name, name) == 0)
            return i;
    return -1;
}

static int draw(FrameGrid *g, const Dataset *data, const char *run, int model) {
    Backend *be = NULL;
    Scorer *scorer = NULL;
    int code = backend_open(&be, "cpu", 0, NULL);
    if (!code)
        code = scorer_open(&scorer, run, be);
    for (int i = 0; i < g->count && !code; i++) {
        GridFrame *f = &g->frames[i];
        FramePictures *p = &g->pictures[2 * i + model];
        int clip = find_clip(data, f->clip);
        code = clip < 0 ? err_set(ERR_FAIL, "%s has no test clip %s", data->root, f->clip)
                        : frame_pictures(p, scorer, data, clip, f->index);
        f->prediction[model] = p->prediction;
        f->difference[model] = p->difference;
        f->frame = p->frame;
        f->truth = p->truth;
        f->size = p->size;
    }
    scorer_free(&scorer);
    backend_free(&be);
    return code;
}

int frame_grid_open(FrameGrid **out, const char *data, const char *first_run,
                    const char *second_run, const char *hash, int count) {
    char path[4400];
    Dataset *d = NULL;
    FrameGrid *g = mem_alloc(1, sizeof *g);
    if (!g)
        return ERR_FAIL;
    g->room = count;
    g->frames = mem_alloc((size_t)count, sizeof *g->frames);
    g->pictures = mem_alloc(2 * (size_t)count, sizeof *g->pictures);
    g->psnr = mem_alloc((size_t)count, sizeof *g->psnr);
    int code = g->frames && g->pictures && g->psnr ? 0 : ERR_FAIL;
    snprintf(path, sizeof path, "%s/eval/scores.csv", second_run);
    if (!code)
        code = read_scores(g, hash, path);
    if (!code)
        code = dataset_open(&d, data);
    if (!code)
        code = draw(g, d, first_run, 0);
    if (!code)
        code = draw(g, d, second_run, 1);
    dataset_free(&d);
    if (code)
        frame_grid_free(&g);
    else
        *out = g;
    return code;
}

void frame_grid_free(FrameGrid **pg) {
    FrameGrid *g = pg ? *pg : NULL;
    if (!g)
        return;
    for (int i = 0; g->pictures && i < 2 * g->room; i++)
        frame_pictures_free(&g->pictures[i]);
    mem_free(g->frames);
    mem_free(g->pictures);
    mem_free(g->psnr);
    mem_free(g);
    *pg = NULL;
}

int frame_grid_count(const FrameGrid *g) {
    return g->count;
}

const GridFrame *frame_grid_at(const FrameGrid *g, int i) {
    return &g->frames[i];
}
