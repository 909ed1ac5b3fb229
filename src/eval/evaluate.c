#include "eval/evaluate.h"

#include <math.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "score/steady.h"
#include "score/surprise.h"
#include "video/pair_reader.h"

/* ---- scoring ---- */

typedef struct {
    Evaluation *e;
    PairReaderConfig pairs;
    PairReader *reader;   /* of the present clip */
    float *map, *patches; /* scratch of the score variants */
    int cell, side, top;
    Localiser *where; /* NULL: not asked for */
    int64_t at;       /* the clip's first frame in Evaluation.value */
    Steady steady[EVALUATE_MODELS];
    int64_t done;
    void (*progress)(int64_t done, int64_t total);
} Run;

/* The regularity of a surprise; without one that of the frame before. */
static double regularity(const Run *r, int model, ScoreKind kind, int64_t at, double surprise) {
    const double *value = r->e->value[model][kind];
    return !isnan(surprise) ? -surprise : value && at > r->at ? value[at - 1] : 0;
}

static int score_pair(Run *r, int64_t at, double seconds) {
    Evaluation *e = r->e;
    for (int m = 0; m < e->models; m++) {
        double score[SCORE_KINDS];
        Opinions o = {{NAN, NAN, NAN}};
        int code = 0;
        score[SCORE_FRAME] = NAN;
        if (e->parts & EVALUATE_NETWORK)
            code = scorer_run(e->scorer[m], pair_reader_x(r->reader), pair_reader_y(r->reader),
                              &score[SCORE_FRAME]);
        if (!code && (e->parts & EVALUATE_OPINIONS))
            code = scorer_judge(e->scorer[m], score[SCORE_FRAME], &o);
        if (code)
            return code;
        if (e->parts & EVALUATE_NETWORK) {
            scorer_error_map(e->scorer[m], r->map, r->cell);
            variant_scores(score, r->map, r->side, r->top, r->patches);
        }
        score[SCORE_MOTION] = regularity(r, m, SCORE_MOTION, at, o.opinion[OPINION_MOTION]);
        double surprise = surprise_of(&o, NULL);
        score[SCORE_SURPRISE] = regularity(r, m, SCORE_SURPRISE, at, surprise);
        score[SCORE_STEADY] =
            regularity(r, m, SCORE_STEADY, at, steady_add(&r->steady[m], surprise, seconds));
        for (int k = 0; k < SCORE_KINDS; k++)
            if (e->value[m][k])
                e->value[m][k][at] = score[k];
    }
    return 0;
}

/* Gives frame `to` the scores of frame `from`. */
static void copy_scores(Evaluation *e, int64_t to, int64_t from) {
    for (int m = 0; m < e->models; m++)
        for (int k = 0; k < SCORE_KINDS; k++)
            if (e->value[m][k])
                e->value[m][k][to] = e->value[m][k][from];
}

/* Scores frame t of a clip. A frame that the interval leaves out has the score of the frame before.
 * *start: the clip's first frame with a score, -1 before it. */
static int score_frame(Run *r, int clip, const Frame *f, PairState pair, int64_t t,
                       int64_t *start) {
    int64_t at = r->at + t;
    for (int m = 0; m < r->e->models && (r->e->parts & EVALUATE_OPINIONS); m++)
        scorer_add(r->e->scorer[m], f);
    if (pair != PAIR_WHOLE && *start < 0)
        return 0;
    *start = *start < 0 ? t : *start;
    r->done++;
    int code = 0;
    if (pair == PAIR_WHOLE)
        code = score_pair(r, at, f->seconds);
    else
        copy_scores(r->e, at, at - 1);
    return code || !r->where ? code : localiser_add(r->where, clip, f);
}

static int score_frames(Run *r, int clip, int64_t *read, int64_t *start) {
    const Labels *l = r->e->labels[0];
    const Frame *f;
    PairState pair;
    int code;
    for (; (code = pair_reader_next(r->reader, &f, &pair)) == 0; ++*read) {
        if (stop_requested())
            return ERR_STOPPED;
        if (*read == l->length[clip])
            return 0;
        if (f->corrupt)
            return err_set(ERR_FAIL, "%s: frame %lld is damaged; copy the clip again",
                           r->e->data->test.clips[clip].url, (long long)*read);
        if ((code = score_frame(r, clip, f, pair, *read, start)))
            return code;
        if (r->progress)
            r->progress(r->done, l->frames - r->e->first * r->e->clips);
    }
    return code;
}

static int score_clip(Run *r, int clip) {
    const Labels *l = r->e->labels[0];
    const Clip *c = &r->e->data->test.clips[clip];
    int64_t read = 0, start = -1;
    for (int m = 0; m < r->e->models; m++) {
        scorer_reset(r->e->scorer[m]);
        r->steady[m] = steady_start();
    }
    int code = pair_reader_open(&r->reader, c->url, NULL, &r->pairs);
    if (!code)
        code = score_frames(r, clip, &read, &start);
    bool longer = !code;
    pair_reader_free(&r->reader);
    if (code && code != ERR_END)
        return code;
    if (longer || read < l->length[clip])
        return err_set(ERR_FAIL, "clip %s has %s%lld frames, its labels (%s) %lld", c->name,
                       longer ? "more than " : "", (long long)read, l->path,
                       (long long)l->length[clip]);
    if (start < 0)
        return err_set(ERR_FAIL,
                       "clip %s: its %lld frames are too few for one score at %g s between frames",
                       c->name, (long long)read, r->pairs.interval);
    for (int64_t t = 0; t < start; t++) /* have no score */
        copy_scores(r->e, r->at + t, r->at + start);
    r->at += read;
    return 0;
}

static bool computed(const Run *r, int model, int kind) {
    Scorer *s = r->e->scorer[model];
    bool opinions = r->e->parts & EVALUATE_OPINIONS;
    if (kind == SCORE_MOTION)
        return opinions && scorer_motion(s);
    if (kind >= SCORE_SURPRISE && !(opinions && scorer_has_surprise(s)))
        return false;
    return r->e->parts & EVALUATE_NETWORK;
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
            if (!computed(r, m, k))
                continue;
            e->value[m][k] = mem_alloc((size_t)e->labels[0]->frames, sizeof(double));
            code = e->value[m][k] ? code : ERR_FAIL;
        }
    r->pairs = (PairReaderConfig){(int)info->size, (int)info->frames, info->interval,
                                  scorer_ignore(e->scorer[0])};
    return code;
}

int evaluation_run(Evaluation *out, const Dataset *data, const Labels *const *labels, int truths,
                   Scorer *const *scorer, const char *const *name, int models, int parts, int top,
                   Localiser *where, void (*progress)(int64_t, int64_t)) {
    Evaluation e = {.data = data,
                    .labels = labels,
                    .truths = truths,
                    .models = models,
                    .parts = parts,
                    .clips = data->test.count};
    for (int m = 0; m < models; m++) {
        e.scorer[m] = scorer[m];
        e.name[m] = name[m];
    }
    Run r = {.e = &e, .top = top, .where = where, .progress = progress};
    int code = open_run(&r);
    for (int clip = 0; clip < e.clips && !code; clip++)
        code = score_clip(&r, clip);
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
    return e->scorer[model] && score <= SCORE_WINDOW ? sum / (double)n : NAN;
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
                if (plan->score[k] && e->value[m][k])
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
