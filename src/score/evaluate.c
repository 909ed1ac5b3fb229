#include "score/evaluate.h"

#include <math.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "video/source.h"
#include "video/window.h"

/* Appends the scores of one pair; room for it was made before. */
static int score_pair(Evaluation *e, const Window *w) {
    for (int m = 0; m < e->models; m++) {
        int code = scorer_run(e->scorer[m], window_x(w), window_y(w), &e->psnr[m][e->frames]);
        if (code)
            return code;
    }
    return 0;
}

static int make_room(Evaluation *e, int64_t *capacity) {
    if (e->frames < *capacity)
        return 0;
    size_t old = (size_t)*capacity, wanted = old ? 2 * old : 1024;
    for (int m = 0; m <= e->models; m++) {
        void *array = m < e->models ? (void *)e->psnr[m] : e->label;
        array = mem_grow(array, old, wanted, m < e->models ? sizeof(double) : 1);
        if (!array)
            return ERR_FAIL;
        if (m < e->models)
            e->psnr[m] = array;
        else
            e->label = array;
    }
    *capacity = (int64_t)wanted;
    return 0;
}

static int score_clip(Evaluation *e, int clip, Source *source, Window *w, Frame *f,
                      int64_t *capacity, void (*progress)(int64_t, int64_t)) {
    const Labels *l = e->labels;
    int code = 0;
    int64_t read = 0;
    window_reset(w);
    while (!code && (code = source_read(source, f)) == 0) {
        if (stop_requested())
            return ERR_STOPPED;
        if (read == l->length[clip])
            break;
        if (f->corrupt)
            return err_set(ERR_FAIL, "%s: frame %lld is damaged; copy the clip again",
                           e->data->test.clips[clip].url, (long long)read);
        bool whole = window_push(w, f);
        code = whole ? make_room(e, capacity) : 0;
        if (whole && !code)
            code = score_pair(e, w);
        if (whole && !code) {
            e->label[e->frames] = l->frame[clip][read];
            e->abnormal += e->label[e->frames];
            e->frames++;
            e->length[clip]++;
        }
        read++;
        if (progress)
            progress(e->frames, l->frames - e->first * e->clips);
    }
    if (code && code != ERR_END)
        return code;
    if (code == 0 || read < l->length[clip])
        return err_set(ERR_FAIL, "clip %s has %s%lld frames, its labels (%s) %lld",
                       e->data->test.clips[clip].name, code == 0 ? "more than " : "",
                       (long long)read, l->path, (long long)l->length[clip]);
    if (read <= e->first)
        return err_set(ERR_FAIL, "clip %s has %lld frames; %lld are needed for one score",
                       e->data->test.clips[clip].name, (long long)read, (long long)e->first + 1);
    return 0;
}

static int run(Evaluation *e, void (*progress)(int64_t, int64_t)) {
    const ScorerInfo *info = scorer_info(e->scorer[0]);
    Window w = {0};
    Frame f = {0};
    int64_t capacity = 0;
    e->first = info->frames;
    e->length = mem_alloc((size_t)e->clips, sizeof *e->length);
    int code = e->length ? window_open(&w, (int)info->size, (int)info->frames) : ERR_FAIL;
    for (int clip = 0; clip < e->clips && !code; clip++) {
        Source *source = NULL;
        code = source_open(&source, e->data->test.clips[clip].url);
        if (!code)
            code = score_clip(e, clip, source, &w, &f, &capacity, progress);
        source_free(&source);
    }
    frame_free(&f);
    window_free(&w);
    return code;
}

int evaluation_run(Evaluation *out, const Dataset *data, const Labels *labels,
                   Scorer *const *scorer, const char *const *name, int models,
                   void (*progress)(int64_t, int64_t)) {
    Evaluation e = {.data = data, .labels = labels, .models = models, .clips = data->test.count};
    for (int m = 0; m < models; m++) {
        e.scorer[m] = scorer[m];
        e.name[m] = name[m];
    }
    int code = run(&e, progress);
    if (code)
        evaluation_free(&e);
    else
        *out = e;
    return code;
}

void evaluation_free(Evaluation *e) {
    for (int m = 0; m < EVALUATE_MODELS; m++)
        mem_free(e->psnr[m]);
    mem_free(e->length);
    mem_free(e->label);
    *e = (Evaluation){0};
}

double *evaluation_anomaly(const Evaluation *e, int model, Normalise how) {
    double *anomaly = mem_alloc((size_t)e->frames, sizeof *anomaly);
    if (anomaly)
        regular_normalise(anomaly, e->psnr[model], e->length, e->clips, how);
    return anomaly;
}

static int fill_row(const Evaluation *e, int model, Normalise how, ResultRow *row) {
    double *anomaly = evaluation_anomaly(e, model, how), psnr = 0;
    if (!anomaly)
        return ERR_FAIL;
    int64_t counted = 0;
    for (int64_t i = 0; i < e->frames; i++)
        if (isfinite(e->psnr[model][i])) {
            psnr += e->psnr[model][i];
            counted++;
        }
    *row = (ResultRow){.model = e->name[model],
                       .protocol = normalise_names[how],
                       .frames = e->frames,
                       .abnormal = e->abnormal,
                       .psnr = psnr / (double)counted};
    int code = auroc(&row->auroc_micro, anomaly, e->label, e->frames);
    if (!code)
        code = auroc_macro(&row->auroc_macro, anomaly, e->label, e->length, e->clips);
    row->auroc_micro *= 100;
    row->auroc_macro *= 100;
    mem_free(anomaly);
    return code;
}

int evaluation_rows(const Evaluation *e, ResultRow *rows) {
    for (int m = 0; m < e->models; m++)
        for (int how = NORMALISE_CLIP; how <= NORMALISE_GLOBAL; how++) {
            int code = fill_row(e, m, (Normalise)how, rows++);
            if (code)
                return code;
        }
    return 0;
}
