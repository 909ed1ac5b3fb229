#include "eval/evaluate.h"

#include <math.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "video/source.h"
#include "video/window.h"

/* ---- scoring ---- */

typedef struct {
    Evaluation *e;
    Window window;
    Frame frame;
    float *map, *patches; /* scratch of the score variants */
    int cell, side, top;
    Localiser *where; /* NULL: not asked for */
    int64_t at;       /* the clip's first frame in Evaluation.value */
    int64_t done;
    void (*progress)(int64_t done, int64_t total);
} Run;

static int score_pair(Run *r, int64_t at) {
    Evaluation *e = r->e;
    for (int m = 0; m < e->models; m++) {
        double score[SCORE_KINDS];
        int code = scorer_run(e->scorer[m], window_x(&r->window), window_y(&r->window),
                              &score[SCORE_FRAME]);
        if (code)
            return code;
        scorer_error_map(e->scorer[m], r->map, r->cell);
        variant_scores(score, r->map, r->side, r->top, r->patches);
        for (int k = 0; k < SCORE_KINDS; k++)
            e->value[m][k][at] = score[k];
    }
    return 0;
}

/* Gives the clip's first frames, which have no score, the clip's first score. */
static void fill_start(Evaluation *e, int64_t at) {
    for (int m = 0; m < e->models; m++)
        for (int k = 0; k < SCORE_KINDS; k++)
            for (int64_t t = 0; t < e->first; t++)
                e->value[m][k][at + t] = e->value[m][k][at + e->first];
}

static int score_clip(Run *r, int clip, Source *source) {
    Evaluation *e = r->e;
    const Labels *l = e->labels[0];
    const char *name = e->data->test.clips[clip].name;
    int code = 0;
    int64_t read = 0;
    window_reset(&r->window);
    while (!code && (code = source_read(source, &r->frame)) == 0) {
        if (stop_requested())
            return ERR_STOPPED;
        if (read == l->length[clip])
            break;
        if (r->frame.corrupt)
            return err_set(ERR_FAIL, "%s: frame %lld is damaged; copy the clip again",
                           e->data->test.clips[clip].url, (long long)read);
        if (window_push(&r->window, &r->frame)) {
            code = score_pair(r, r->at + read);
            if (!code && r->where)
                code = localiser_add(r->where, clip, &r->frame);
            r->done++;
        }
        read++;
        if (r->progress)
            r->progress(r->done, l->frames - e->first * e->clips);
    }
    if (code && code != ERR_END)
        return code;
    if (code == 0 || read < l->length[clip])
        return err_set(ERR_FAIL, "clip %s has %s%lld frames, its labels (%s) %lld", name,
                       code == 0 ? "more than " : "", (long long)read, l->path,
                       (long long)l->length[clip]);
    fill_start(e, r->at);
    r->at += read;
    return 0;
}

static int open_run(Run *r) {
    Evaluation *e = r->e;
    const ScorerInfo *info = scorer_info(e->scorer[0]);
    e->first = info->frames;
    for (int c = 0; c < e->clips; c++)
        if (e->labels[0]->length[c] <= e->first)
            return err_set(ERR_FAIL, "clip %s has %lld frames; %lld are needed for one score",
                           e->data->test.clips[c].name, (long long)e->labels[0]->length[c],
                           (long long)e->first + 1);
    e->source = info->path;
    r->cell = variant_cell(info->size);
    r->side = (int)info->size / r->cell;
    size_t cells = (size_t)r->side * (size_t)r->side;
    r->map = mem_alloc(cells, sizeof *r->map);
    r->patches = mem_alloc(cells, sizeof *r->patches);
    int code = r->map && r->patches ? 0 : ERR_FAIL;
    for (int m = 0; m < e->models; m++)
        for (int k = 0; k < SCORE_KINDS; k++) {
            e->value[m][k] = mem_alloc((size_t)e->labels[0]->frames, sizeof(double));
            code = e->value[m][k] ? code : ERR_FAIL;
        }
    return code ? code : window_open(&r->window, (int)info->size, (int)info->frames);
}

int evaluation_run(Evaluation *out, const Dataset *data, const Labels *const *labels, int truths,
                   Scorer *const *scorer, const char *const *name, int models, int top,
                   Localiser *where, void (*progress)(int64_t, int64_t)) {
    Evaluation e = {.data = data,
                    .labels = labels,
                    .truths = truths,
                    .models = models,
                    .clips = data->test.count};
    for (int m = 0; m < models; m++) {
        e.scorer[m] = scorer[m];
        e.name[m] = name[m];
    }
    Run r = {.e = &e, .top = top, .where = where, .progress = progress};
    int code = open_run(&r);
    for (int clip = 0; clip < e.clips && !code; clip++) {
        Source *source = NULL;
        code = source_open(&source, data->test.clips[clip].url);
        if (!code)
            code = score_clip(&r, clip, source);
        source_free(&source);
    }
    frame_free(&r.frame);
    window_free(&r.window);
    mem_free(r.map);
    mem_free(r.patches);
    if (code)
        evaluation_free(&e);
    else
        *out = e;
    return code;
}

void evaluation_free(Evaluation *e) {
    for (int m = 0; m < EVALUATE_MODELS; m++)
        for (int k = 0; k < SCORE_KINDS; k++)
            mem_free(e->value[m][k]);
    mem_free(e->missing);
    *e = (Evaluation){0};
}

/* ---- results ---- */

static ProtocolInput input_of(const Evaluation *e, int model, int score, int truth) {
    const Labels *l = e->labels[truth];
    ProtocolInput in = {l, e->value[model][score], e->first, e->last, 0, e->missing};
    if (e->keeps_zero)
        return in;
    in.normal = -INFINITY;
    bool equal = false;
    for (int64_t i = 0; i < l->frames; i++)
        if (isfinite(in.regularity[i]))
            in.normal = fmax(in.normal, in.regularity[i]);
        else
            equal = true;
    if (equal) /* frames that equal their prediction are the most normal ones by a bit */
        in.normal = nextafter(in.normal, INFINITY);
    return in;
}

/* The mean over the frames that have a score of their own; NaN for scores from elsewhere. */
static double mean_decibel(const Evaluation *e, int model, int score) {
    const Labels *l = e->labels[0];
    double sum = 0;
    int64_t n = 0;
    for (int64_t c = 0, start = 0; c < e->clips; start += l->length[c++])
        for (int64_t t = e->first; t < l->length[c]; t++)
            if (isfinite(e->value[model][score][start + t])) {
                sum += e->value[model][score][start + t];
                n++;
            }
    return e->scorer[model] ? sum / (double)n : NAN;
}

static int fill_row(ResultRow *row, const ProtocolInput *in, const Protocol *p,
                    const ResultPlan *plan) {
    Judged judged = {0};
    row->protocol = p->name;
    row->normalise = normalise_names[protocol_normalise(p)];
    int code = protocol_apply(&judged, p, in, row->smooth);
    if (!code)
        code = result_measure(row, &judged, plan->fps, plan->budget);
    judged_free(&judged);
    return code;
}

/* The rows of one model's score. */
static int fill_rows(ResultRow *rows, int *count, const Evaluation *e, const ResultPlan *plan,
                     int model, int score, int truth) {
    ProtocolInput in = input_of(e, model, score, truth);
    ResultRow common = {.model = e->name[model],
                        .score = e->scorer[model] ? score_names[score] : "given",
                        .psnr = mean_decibel(e, model, score),
                        .labels = e->labels[truth]->variant,
                        .hash = e->labels[truth]->hash};
    int code = 0;
    for (int p = 0; p < plan->protocols && !code; p++)
        for (int smooth = 0; smooth <= (plan->smooth > 0) && !code; smooth++) {
            ResultRow *row = &rows[(*count)++];
            *row = common;
            row->smooth = smooth ? plan->smooth : 0;
            code = fill_row(row, &in, plan->protocol[p], plan);
        }
    return code;
}

int evaluation_rows(const Evaluation *e, const ResultPlan *plan, ResultRow **rows, int *count) {
    int room = 2 * e->truths * e->models * SCORE_KINDS * plan->protocols, n = 0;
    ResultRow *all = mem_alloc((size_t)room, sizeof *all);
    int code = all ? 0 : ERR_FAIL;
    for (int t = 0; t < e->truths; t++)
        for (int m = 0; m < e->models; m++)
            for (int k = 0; k < SCORE_KINDS && !code; k++)
                if (plan->score[k])
                    code = fill_rows(all, &n, e, plan, m, k, t);
    if (code) {
        mem_free(all);
        return code;
    }
    *rows = all;
    *count = n;
    return 0;
}

int evaluation_judge(Judged *out, const Evaluation *e, int model, ScoreKind score,
                     const Protocol *p) {
    ProtocolInput in = input_of(e, model, (int)score, 0);
    return protocol_apply(out, p, &in, 0);
}
