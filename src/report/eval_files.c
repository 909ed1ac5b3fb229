#include "report/eval_files.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "report/eval_page.h"
#include "score/psnr.h"

/* ---- results.json ---- */

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

static Json *labels_json(const Labels *l) {
    Json *j = js_object();
    js_set_text(j, "variant", l->variant);
    js_set_text(j, "hash", l->hash);
    js_set_int(j, "frames", l->frames);
    js_set_int(j, "abnormal", l->abnormal);
    return j;
}

static void set_alarms(Json *j, const Alarms *a) {
    for (int k = 0; k < ALARM_RECALLS; k++) {
        char key[48];
        snprintf(key, sizeof key, "false_alarms_per_hour_at_recall_%.2g", alarm_recalls[k]);
        js_set_number(j, key, a->per_hour[k]);
    }
    js_set_number(j, "alarm_threshold", a->threshold);
    js_set_int(j, "events", a->events);
    js_set_int(j, "events_detected", a->detected);
    js_set_number(j, "delay_frames", a->delay);
}

static Json *row_json(const ResultRow *r) {
    Json *j = js_object();
    js_set_text(j, "model", r->model);
    js_set_text(j, "protocol", r->protocol);
    js_set_text(j, "normalise", r->normalise);
    js_set_text(j, "score", r->score);
    js_set_number(j, "smooth", r->smooth);
    js_set_text(j, "labels", r->labels);
    js_set_text(j, "labels_hash", r->hash);
    js_set_int(j, "frames", r->frames);
    js_set_int(j, "abnormal", r->abnormal);
    js_set_number(j, "auroc_micro", r->auroc_micro);
    js_set_number(j, "auroc_micro_low", r->low);
    js_set_number(j, "auroc_micro_high", r->high);
    js_set_number(j, "auroc_macro", r->auroc_macro);
    js_set_number(j, "ap", r->ap);
    js_set_number(j, "eer", r->eer);
    js_set_number(j, "psnr", r->psnr);
    set_alarms(j, &r->alarms);
    return j;
}

/* Sets "checkpoints", all rows, and "oracle", the best row of each kind, chosen on the test set. */
static void set_checkpoints(Json *top, const EvalCheckpoints *c) {
    Json *all = js_array(), *oracle = js_array();
    for (int i = 0; i < c->count; i++)
        js_append(all, row_json(&c->rows[i]));
    for (int k = 0; k < c->each; k++)
        if (c->best[k] >= 0)
            js_append(oracle, row_json(&c->rows[c->best[k]]));
    js_set(top, "checkpoints", all);
    js_set(top, "oracle", oracle);
}

static Json *place_json(const EvalLocalise *l, int model, int level) {
    const Localisation *f = &l->figures[model][level];
    Json *j = js_object();
    js_set_text(j, "model", l->name[model]);
    js_set_text(j, "level", localise_level_names[level]);
    js_set_number(j, "pixel_auroc", 100 * f->pixel.auroc);
    js_set_number(j, "pixel_auroc_error", 100 * f->pixel.auroc_error);
    js_set_number(j, "pixel_40_auroc", 100 * f->pixel.frame_auroc);
    js_set_number(j, "pixel_40_eer", 100 * f->pixel.frame_eer);
    js_set_number(j, "rbdc", 100 * f->rbdc);
    js_set_number(j, "tbdc", 100 * f->tbdc);
    return j;
}

static Json *localisation_json(const EvalLocalise *l) {
    const Tracks *t = localiser_tracks(l->localiser);
    Json *j = js_object(), *rows = js_array();
    js_set_text(j, "tracks", t->made ? "made from masks" : "files");
    js_set_int(j, "track_count", t->tracks);
    js_set_int(j, "box_count", t->count);
    for (int m = 0; m < l->models; m++)
        for (int level = 0; level < LOCALISE_LEVELS; level++)
            if (localiser_has(l->localiser, m, level))
                js_append(rows, place_json(l, m, level));
    js_set(j, "rows", rows);
    return j;
}

Json *eval_json(const EvalResults *r) {
    const Evaluation *e = r->evaluation;
    Json *top = js_object(), *truths = js_array(), *all = js_array();
    for (int i = 0; i < e->truths; i++)
        js_append(truths, labels_json(e->labels[i]));
    for (int i = 0; i < r->count; i++)
        js_append(all, row_json(&r->rows[i]));
    if (e->data->root) {
        js_set_text(top, "data", e->data->root);
        js_set_text(top, "layout", layout_names[e->data->layout]);
    }
    js_set(top, "labels", labels_json(e->labels[0]));
    js_set(top, "ground_truths", truths);
    if (e->scorer[0])
        js_set(top, "model", model_json(scorer_info(e->scorer[0])));
    else
        js_set_text(top, "scores", e->source);
    js_set_number(top, "fps", r->fps);
    js_set_number(top, "false_alarm_budget_per_hour", r->budget);
    js_set(top, "rows", all);
    if (r->localise->localiser)
        js_set(top, "localisation", localisation_json(r->localise));
    if (r->checkpoints->count)
        set_checkpoints(top, r->checkpoints);
    return top;
}

static int write_json(const EvalResults *r, const char *path) {
    Json *j = eval_json(r);
    int code = js_write_file(j, path);
    js_free(j);
    return code;
}

/* ---- scores.csv ---- */

static void csv_head(FileOut *f, const Evaluation *e) {
    file_printf(f, "clip,frame,label");
    for (int i = 1; i < e->truths; i++)
        file_printf(f, ",label_%s", e->labels[i]->hash);
    for (int m = 0; m < e->models; m++) {
        const char *name = !e->scorer[m]             ? "given"
                           : m == 0 && e->models > 1 ? "model"
                                                     : "persistence";
        file_printf(f, e->scorer[m] ? ",psnr_%s" : ",regularity_%s", name);
        file_printf(f, ",anomaly_%s", name);
        for (int k = 1; k < SCORE_KINDS; k++)
            if (e->value[m][k])
                file_printf(f, ",%s_%s", score_names[k], name);
    }
    file_printf(f, "\n");
}

/* Writes a text field as in RFC 4180. */
static void csv_text(FileOut *f, const char *s) {
    if (!s[strcspn(s, ",\"\r\n")]) {
        file_printf(f, "%s", s);
        return;
    }
    file_printf(f, "\"");
    for (; *s; s++)
        file_write(f, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
    file_printf(f, "\"");
}

/* Writes one line for each scored frame. */
static int write_csv(const Evaluation *e, const Judged *judged, const char *path) {
    const Labels *l = e->labels[0];
    FileOut *f = NULL;
    int code = file_create(&f, path);
    if (code)
        return code;
    csv_head(f, e);
    for (int64_t clip = 0, start = 0, i = 0; clip < e->clips; start += l->length[clip++])
        for (int64_t k = 0; k < judged[0].length[clip]; k++, i++) {
            int64_t t = judged[0].frame[i];
            csv_text(f, e->data->test.clips[clip].name);
            file_printf(f, ",%lld", (long long)t);
            for (int n = 0; n < e->truths; n++)
                file_printf(f, ",%d", e->labels[n]->frame[clip][t]);
            for (int m = 0; m < e->models; m++) {
                double *const *value = e->value[m];
                double own = value[SCORE_FRAME][start + t];
                file_printf(f, ",%.9g,%.9g", e->scorer[m] ? psnr_shown(own) : own,
                            judged[m].score[i]);
                for (int n = 1; n < SCORE_KINDS; n++)
                    if (value[n])
                        file_printf(f, ",%.9g", psnr_shown(value[n][start + t]));
            }
            file_printf(f, "\n");
        }
    return file_commit(&f);
}

/* In the order of writing: if results.json is there, all files are. */
enum { CSV, PAGE, JSON, FILES };
typedef struct {
    char at[FILES][4096];
} Paths;

static void name_files(Paths *p, const char *folder) {
    static const char *const names[] = {"scores.csv", "report.html", "results.json"};
    for (int i = 0; i < FILES; i++)
        snprintf(p->at[i], sizeof p->at[i], "%s/%s", folder, names[i]);
}

int eval_folder(const char *folder) {
    Paths path;
    name_files(&path, folder);
    int code = file_make_folder(folder);
    for (int i = 0; i < FILES && !code; i++)
        code = file_probe(path.at[i]);
    return code;
}

int eval_write(const EvalResults *r, const char *folder) {
    const Evaluation *e = r->evaluation;
    Paths path;
    name_files(&path, folder);
    Judged judged[EVALUATE_MODELS] = {{0}}; /* by protocol "per-clip", scored frames only */
    int code = file_make_folder(folder);
    for (int m = 0; m < e->models && !code; m++)
        code = evaluation_judge(&judged[m], e, m, SCORE_FRAME, protocol_find("per-clip"));
    if (!code)
        code = write_csv(e, judged, path.at[CSV]);
    if (!code)
        code = eval_page_write(r, path.at[PAGE]);
    if (!code)
        code = write_json(r, path.at[JSON]);
    for (int m = 0; m < EVALUATE_MODELS; m++)
        judged_free(&judged[m]);
    return code;
}
