#include "app/eval_files.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "video/source.h"
#include "video/window.h"

static Json *model_json(const ScorerInfo *info) {
    Json *j = js_object();
    js_set_text(j, "path", info->path);
    js_set_int(j, "parameters", info->parameters);
    js_set_int(j, "image", info->size);
    js_set_int(j, "frames", info->frames);
    js_set_int(j, "step", info->model.step);
    js_set_int(j, "steps_per_epoch", info->model.steps_per_epoch);
    js_set_int(j, "epochs", info->model.epochs);
    js_set_int(j, "seed", info->model.seed);
    return j;
}

static Json *row_json(const ResultRow *r) {
    Json *j = js_object();
    js_set_text(j, "model", r->model);
    js_set_text(j, "protocol", r->protocol);
    js_set_int(j, "frames", r->frames);
    js_set_int(j, "abnormal", r->abnormal);
    js_set_number(j, "auroc_micro", r->auroc_micro);
    js_set_number(j, "auroc_macro", r->auroc_macro);
    js_set_number(j, "psnr", r->psnr);
    return j;
}

char *eval_json(const Evaluation *e, const ResultRow *rows) {
    Json *top = js_object(), *labels = js_object(), *all = js_array();
    js_set_text(labels, "variant", e->labels->variant);
    js_set_text(labels, "hash", e->labels->hash);
    js_set_int(labels, "frames", e->labels->frames);
    js_set_int(labels, "abnormal", e->labels->abnormal);
    for (int i = 0; i < 2 * e->models; i++)
        js_append(all, row_json(&rows[i]));
    js_set_text(top, "data", e->data->root);
    js_set_text(top, "layout", layout_names[e->data->layout]);
    js_set(top, "labels", labels);
    js_set(top, "model", model_json(scorer_info(e->scorer[0])));
    js_set(top, "rows", all);
    char *text = js_text(top, true);
    js_free(top);
    return text;
}

static int write_json(const Evaluation *e, const ResultRow *rows, const char *path) {
    char *text = eval_json(e, rows);
    FileOut *f = NULL;
    int code = text ? file_create(&f, path) : ERR_FAIL;
    if (!code) {
        file_printf(f, "%s\n", text);
        code = file_commit(&f);
    }
    mem_free(text);
    return code;
}

/* One line a scored frame. */
static int write_csv(const Evaluation *e, double *const *anomaly, const char *path) {
    FileOut *f = NULL;
    int code = file_create(&f, path);
    if (code)
        return code;
    file_printf(f, "clip,frame,label");
    for (int m = 0; m < e->models; m++)
        file_printf(f, ",psnr_%s,anomaly_%s", m == 0 && e->models > 1 ? "model" : "persistence",
                    m == 0 && e->models > 1 ? "model" : "persistence");
    file_printf(f, "\n");
    for (int64_t clip = 0, i = 0; clip < e->clips; clip++)
        for (int64_t k = 0; k < e->length[clip]; k++, i++) {
            file_printf(f, "%s,%lld,%d", e->data->test.clips[clip].name, (long long)(e->first + k),
                        e->label[i]);
            for (int m = 0; m < e->models; m++)
                file_printf(f, ",%.9g,%.9g", e->psnr[m][i], anomaly[m][i]);
            file_printf(f, "\n");
        }
    return file_commit(&f);
}

enum { REPORT_FRAMES = 8 };

/* Pictures of one frame, made by scoring it again. */
typedef struct {
    uint8_t *frame, *prediction, *difference, *truth;
} Pictures;

static void free_pictures(Pictures *p) {
    mem_free(p->frame);
    mem_free(p->prediction);
    mem_free(p->difference);
    mem_free(p->truth);
}

/* The frame with the truth's pixels tinted red; NULL, and no error, where the data has no masks. */
static int draw_truth(uint8_t **out, const Evaluation *e, int clip, int64_t index,
                      const uint8_t *frame, int64_t size) {
    Masks *masks = NULL;
    int found = 0, width, height;
    const uint8_t *mask;
    int code = masks_open(&masks, e->data, clip, &found);
    if (!code && found)
        code = masks_read(masks, index, &mask, &width, &height);
    if (!code && found) {
        *out = mem_alloc((size_t)(size * size), 3);
        code = *out ? 0 : ERR_FAIL;
        for (int64_t i = 0; !code && i < size * size; i++) {
            bool set = mask[i / size * height / size * width + i % size * width / size];
            for (int c = 0; c < 3; c++)
                (*out)[3 * i + c] =
                    set ? (uint8_t)((frame[3 * i + c] + (c == 2 ? 510 : 0)) / 3) : frame[3 * i + c];
        }
    }
    masks_free(&masks);
    return code;
}

static int make_pictures(Pictures *p, const Evaluation *e, int clip, int64_t index) {
    Scorer *s = e->scorer[0];
    int64_t size = scorer_info(s)->size;
    size_t pixels = (size_t)(size * size);
    Source *source = NULL;
    Window w = {0};
    Frame f = {0};
    double psnr;
    int code = window_open(&w, (int)size, (int)e->first);
    if (!code)
        code = source_open(&source, e->data->test.clips[clip].url);
    if (!code)
        code = source_seek(source, index - e->first);
    for (int64_t i = 0; i <= e->first && !code; i++) {
        code = source_read(source, &f);
        if (!code)
            window_push(&w, &f);
    }
    if (!code)
        code = scorer_run(s, window_x(&w), window_y(&w), &psnr);
    p->frame = mem_alloc(pixels, 3);
    p->prediction = mem_alloc(pixels, 3);
    p->difference = mem_alloc(pixels, 3);
    if (!code && (!p->frame || !p->prediction || !p->difference))
        code = ERR_FAIL;
    if (!code) {
        memcpy(p->frame, window_y(&w), pixels * 3);
        scorer_pictures(s, p->prediction, p->difference);
        code = draw_truth(&p->truth, e, clip, index, p->frame, size);
    }
    frame_free(&f);
    window_free(&w);
    source_free(&source);
    return code;
}

/* The frame of highest anomaly score of each clip, the highest clips first. */
static int worst_frames(ReportFrame *out, Pictures *pictures, int *count, const Evaluation *e,
                        const double *global) {
    bool *used = mem_alloc((size_t)e->clips, sizeof *used);
    if (!used)
        return ERR_FAIL;
    int code = 0;
    for (*count = 0; *count < REPORT_FRAMES && *count < e->clips && !code; ++*count) {
        int64_t best = -1, best_clip = 0, best_index = 0;
        for (int64_t clip = 0, i = 0; clip < e->clips; clip++)
            for (int64_t k = 0; k < e->length[clip]; k++, i++)
                if (!used[clip] && (best < 0 || global[i] > global[best])) {
                    best = i;
                    best_clip = clip;
                    best_index = e->first + k;
                }
        used[best_clip] = true;
        Pictures *p = &pictures[*count];
        code = make_pictures(p, e, (int)best_clip, best_index);
        out[*count] = (ReportFrame){.clip = e->data->test.clips[best_clip].name,
                                    .index = best_index,
                                    .psnr = e->psnr[0][best],
                                    .abnormal = e->label[best],
                                    .size = (int)scorer_info(e->scorer[0])->size,
                                    .frame = p->frame,
                                    .prediction = p->prediction,
                                    .difference = p->difference,
                                    .truth = p->truth};
    }
    mem_free(used);
    return code;
}

static int write_report(const Evaluation *e, const ResultRow *rows, double *const *anomaly,
                        const double *global, const char *path) {
    int last = e->models - 1; /* persistence */
    const ScorerInfo *info = scorer_info(e->scorer[0]);
    char input[64], steps[96], labels[256];
    snprintf(input, sizeof input, "%lld x %lld, %lld frame%s", (long long)info->size,
             (long long)info->size, (long long)info->frames, info->frames > 1 ? "s" : "");
    snprintf(steps, sizeof steps, "step %lld of %lld, seed %lld", (long long)info->model.step,
             (long long)(info->model.epochs * info->model.steps_per_epoch),
             (long long)info->model.seed);
    snprintf(labels, sizeof labels, "%s, hash %s", e->labels->variant, e->labels->hash);
    const char *facts[] = {
        "Model", info->path,    "Training",
        steps,   "Input",       input,
        "Data",  e->data->root, "Labels",
        labels,  "Protocol",    "PSNR of the predicted next frame, no smoothing, last step",
        NULL};
    ReportFrame frames[REPORT_FRAMES];
    Pictures pictures[REPORT_FRAMES] = {{0}};
    ReportClip *clips = mem_alloc((size_t)e->clips, sizeof *clips);
    Report r = {.title = "normalcy evaluation",
                .subtitle = e->data->root,
                .facts = facts,
                .rows = rows,
                .row_count = 2 * e->models,
                .clips = clips,
                .clip_count = e->clips,
                .frames = frames};
    RocPoint *roc[EVALUATE_MODELS] = {NULL};
    int code = clips ? 0 : ERR_FAIL;
    for (int64_t c = 0, i = 0; c < e->clips && !code; i += e->length[c++])
        clips[c] = (ReportClip){.name = e->data->test.clips[c].name,
                                .note = "",
                                .frames = e->length[c],
                                .anomaly = anomaly[0] + i,
                                .baseline = anomaly[last] + i,
                                .label = e->label + i};
    bool both = e->abnormal > 0 && e->abnormal < e->frames;
    if (!code && both)
        code = roc_curve(&roc[0], &r.roc_count, anomaly[0], e->label, e->frames);
    if (!code && both && last)
        code = roc_curve(&roc[1], &r.roc_baseline_count, anomaly[last], e->label, e->frames);
    r.roc = roc[0];
    r.roc_baseline = roc[1];
    if (!code)
        code = worst_frames(frames, pictures, &r.frame_count, e, global);
    if (!code)
        code = report_write(&r, path);
    for (int i = 0; i < REPORT_FRAMES; i++)
        free_pictures(&pictures[i]);
    mem_free(clips);
    mem_free(roc[0]);
    mem_free(roc[1]);
    return code;
}

int eval_write(const Evaluation *e, const ResultRow *rows, const char *folder) {
    char path[3][4096];
    static const char *const names[] = {"results.json", "scores.csv", "report.html"};
    for (int i = 0; i < 3; i++)
        snprintf(path[i], sizeof path[i], "%s/%s", folder, names[i]);
    double *anomaly[EVALUATE_MODELS] = {NULL};
    double *global = evaluation_anomaly(e, 0, NORMALISE_GLOBAL);
    int code = file_make_folder(folder);
    for (int m = 0; m < e->models && !code; m++) {
        anomaly[m] = evaluation_anomaly(e, m, NORMALISE_CLIP);
        code = anomaly[m] ? 0 : ERR_FAIL;
    }
    if (!code && !global)
        code = ERR_FAIL;
    if (!code)
        code = write_json(e, rows, path[0]);
    if (!code)
        code = write_csv(e, anomaly, path[1]);
    if (!code)
        code = write_report(e, rows, anomaly, global, path[2]);
    for (int m = 0; m < EVALUATE_MODELS; m++)
        mem_free(anomaly[m]);
    mem_free(global);
    return code;
}
