#include "reproduce/frame_grid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "report/frame_pictures.h"

struct FrameGrid {
    GridFrame *frames;
    FramePictures *pictures; /* two for each frame */
    double *psnr;
    int count, room;
};

/* ---- choosing frames from scores.csv. */

enum { CLIP, INDEX, LABEL, PSNR, COLUMNS };

/* Finds the needed columns in the header line. */
static int read_head(int column[COLUMNS], const char **at, const char *label, const char *path) {
    const char *names[] = {"clip", "frame", label, "psnr_model"};
    char field[64];
    bool more = true;
    for (int i = 0; i < COLUMNS; i++)
        column[i] = -1;
    for (int here = 0; more; here++) {
        more = csv_field(at, field, sizeof field);
        for (int i = 0; i < COLUMNS; i++)
            if (strcmp(field, names[i]) == 0)
                column[i] = here;
    }
    for (int i = 0; i < COLUMNS; i++)
        if (column[i] < 0)
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

static void read_line(FrameGrid *g, Worst *w, const int column[COLUMNS], const char **at) {
    char text[sizeof w->frame.clip], field[COLUMNS][sizeof text] = {""};
    bool more = true;
    for (int here = 0; more; here++) {
        more = csv_field(at, text, sizeof text);
        for (int i = 0; i < COLUMNS; i++)
            if (column[i] == here)
                memcpy(field[i], text, sizeof text);
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

static int read_scores(FrameGrid *g, const char *label, const char *path) {
    char *text;
    size_t bytes;
    Worst w = {.psnr = INFINITY};
    int column[COLUMNS], code = file_read(path, (size_t)1 << 30, &text, &bytes);
    if (code)
        return code;
    const char *at = text;
    code = read_head(column, &at, label, path);
    while (!code && *at)
        read_line(g, &w, column, &at);
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

static int draw(FrameGrid *g, const Dataset *data, const char *run, int model, Backend *be) {
    Scorer *scorer = NULL;
    int code = scorer_open(&scorer, run, be);
    for (int i = 0; i < g->count && !code; i++) {
        GridFrame *f = &g->frames[i];
        FramePictures *p = &g->pictures[2 * i + model];
        int clip = find_clip(data, f->clip);
        code = clip < 0 ? err_set(ERR_FAIL, "%s has no test clip %s", data->root, f->clip)
                        : frame_pictures(p, scorer, data, clip, f->index, false);
        f->prediction[model] = p->prediction;
        f->difference[model] = p->difference;
        f->frame = p->frame;
        f->truth = p->truth;
        f->size = p->size;
    }
    scorer_free(&scorer);
    return code;
}

int frame_grid_open(FrameGrid **out, const char *data, const char *first_run,
                    const char *second_run, const char *label, int count, Backend *be) {
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
        code = read_scores(g, label, path);
    if (!code)
        code = dataset_open(&d, data);
    if (!code)
        code = draw(g, d, first_run, 0, be);
    if (!code)
        code = draw(g, d, second_run, 1, be);
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
