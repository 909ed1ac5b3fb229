#include "report/eval_page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/metrics.h"
#include "report/frame_pictures.h"
#include "report/report.h"
#include "score/psnr.h"

enum { GROUPS = 3, LONGEST = 10 }; /* number of lists; most frames in a list */

/* The rank of a frame in a list. The highest are shown; -INFINITY: never. */
static double by_score(const ReportFrame *f, double regularity) {
    (void)f;
    return -regularity;
}

static double by_normal(const ReportFrame *f, double regularity) {
    (void)regularity;
    return f->abnormal ? -INFINITY : f->anomaly;
}

static double by_abnormal(const ReportFrame *f, double regularity) {
    (void)regularity;
    return f->abnormal ? -f->anomaly : -INFINITY;
}

static const struct {
    const char *title, *note;
    double (*rank)(const ReportFrame *f, double regularity);
} groups[GROUPS] = {
    {"Frames with the highest scores", "One of each clip, by scores before they are scaled.",
     by_score},
    {"Normal frames with the highest scores",
     "Where false alarms come from. One of each clip; scores are scaled within it, as in the "
     "curves.",
     by_normal},
    {"Abnormal frames with the lowest scores",
     "What is missed. One of each clip; scores are scaled within it, as in the curves.",
     by_abnormal},
};

typedef struct {
    ReportFrame frame[LONGEST]; /* sorted by rank */
    double rank[LONGEST];
    int clip[LONGEST], count;
    FramePictures pictures[LONGEST];
} Pick;

static void insert(Pick *p, const ReportFrame *f, double rank, int clip) {
    int at = p->count;
    while (at > 0 && rank > p->rank[at - 1])
        at--;
    if (at == LONGEST)
        return;
    p->count += p->count < LONGEST;
    for (int i = p->count - 1; i > at; i--) {
        p->frame[i] = p->frame[i - 1];
        p->rank[i] = p->rank[i - 1];
        p->clip[i] = p->clip[i - 1];
    }
    p->frame[at] = *f;
    p->rank[at] = rank;
    p->clip[at] = clip;
}

/* Picks one frame from each clip that has frames of the group's kind. */
static int pick_frames(Pick *p, const Evaluation *e, const Judged *j, ScoreKind kind, int group) {
    const Labels *l = e->labels[0];
    const double *regularity = e->value[0][kind];
    int64_t start = 0, scored = 0;
    for (int c = 0; c < e->clips; start += l->length[c++]) {
        ReportFrame best = {0};
        double highest = -INFINITY;
        for (int64_t k = 0; k < j->length[c]; k++, scored++) {
            int64_t t = j->frame[scored];
            ReportFrame f = {.clip = e->data->test.clips[c].name,
                             .index = t,
                             .anomaly = j->score[scored],
                             .abnormal = j->label[scored],
                             .size = (int)scorer_info(e->scorer[0])->size};
            double rank = groups[group].rank(&f, regularity[start + t]);
            if (rank > highest) {
                highest = rank;
                best = f;
            }
        }
        if (highest > -INFINITY)
            insert(p, &best, highest, c);
    }
    int code = 0;
    for (int i = 0; i < p->count && !code; i++) {
        ReportFrame *f = &p->frame[i];
        FramePictures *made = &p->pictures[i];
        code = frame_pictures(made, e->scorer[0], e->data, p->clip[i], f->index,
                              kind == SCORE_SURPRISE);
        f->frame = made->frame;
        f->prediction = made->prediction;
        f->difference = made->difference;
        f->odd = made->odd;
        f->truth = made->truth;
        f->score = made->score;
        f->score.psnr = psnr_shown(made->score.psnr);
    }
    return code;
}

typedef struct {
    char input[64], steps[96], labels[256], scores[96];
    const char *pair[13];
} Facts;

static void write_facts(Facts *f, const Evaluation *e, ScoreKind kind) {
    int n = 0;
    snprintf(f->labels, sizeof f->labels, "%s, hash %s", e->labels[0]->variant, e->labels[0]->hash);
    if (e->scorer[0]) {
        const ScorerInfo *info = scorer_info(e->scorer[0]);
        snprintf(f->input, sizeof f->input, "%lld x %lld, %lld frame%s", (long long)info->size,
                 (long long)info->size, (long long)info->frames, info->frames > 1 ? "s" : "");
        if (info->model.steps_per_epoch)
            snprintf(f->steps, sizeof f->steps, "step %lld of %lld, seed %lld",
                     (long long)info->model.step,
                     (long long)(info->model.epochs * info->model.steps_per_epoch),
                     (long long)info->model.seed);
        snprintf(f->scores, sizeof f->scores, "%s, last step",
                 kind == SCORE_FRAME      ? "PSNR of the predicted next frame"
                 : kind == SCORE_SURPRISE ? "surprise of motion, PSNR and what stays"
                                          : score_names[kind]);
    } else {
        snprintf(f->scores, sizeof f->scores, "given; first %lld and last %lld of a clip without",
                 (long long)e->first, (long long)e->last);
    }
    const char *const all[][2] = {{"Model", e->source},  {"Training", f->steps},
                                  {"Input", f->input},   {"Data", e->data->root},
                                  {"Labels", f->labels}, {"Scores", f->scores}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i][1] && all[i][1][0]) {
            f->pair[n++] = all[i][0];
            f->pair[n++] = all[i][1];
        }
    f->pair[n] = NULL;
}

/* The row to tell of: the first one of a surprise, else the first one. */
static const ResultRow *row_told(const EvalResults *r) {
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->rows[i].score, score_names[SCORE_SURPRISE]) == 0)
            return &r->rows[i];
    return &r->rows[0];
}

/* Scores from elsewhere are stored as SCORE_FRAME. */
static ScoreKind kind_of(const ResultRow *row) {
    for (int k = 0; k < SCORE_KINDS; k++)
        if (strcmp(row->score, score_names[k]) == 0)
            return (ScoreKind)k;
    return SCORE_FRAME;
}

/* The ROC curves for the score and protocol of the row that is told. */
static int make_roc(Report *r, RocPoint *roc[EVALUATE_MODELS], const Evaluation *e) {
    int64_t count[EVALUATE_MODELS] = {0};
    ScoreKind kind = kind_of(r->told);
    int code = 0;
    for (int m = 0; m < e->models && !code; m++) {
        Judged j = {0};
        if (!e->value[m][kind])
            continue;
        code = evaluation_judge(&j, e, m, kind, protocol_find(r->told->protocol));
        if (!code && j.abnormal > 0 && j.abnormal < j.frames)
            code = roc_curve(&roc[m], &count[m], j.score, j.label, j.frames);
        judged_free(&j);
    }
    r->roc = roc[0];
    r->roc_count = count[0];
    r->roc_baseline = roc[1];
    r->roc_baseline_count = count[1];
    return code;
}

/* Lists the figures of `eval --localise`; none if it was not asked for. */
static int list_places(ReportPlace *out, const EvalLocalise *l) {
    int n = 0;
    for (int m = 0; l->localiser && m < l->models; m++)
        for (int level = 0; level < LOCALISE_LEVELS; level++)
            if (localiser_has(l->localiser, m, level))
                out[n++] =
                    (ReportPlace){l->name[m], localise_level_names[level], l->figures[m][level]};
    return n;
}

/* The clips' curves, by protocol "per-clip"; scored frames only. */
static int judge_clips(Judged judged[EVALUATE_MODELS], ReportClip *clips, const Evaluation *e,
                       ScoreKind kind) {
    int last = e->models - 1; /* persistence */
    for (int m = 0; m < e->models; m++) {
        int code = e->value[m][kind]
                       ? evaluation_judge(&judged[m], e, m, kind, protocol_find("per-clip"))
                       : 0;
        if (code)
            return code;
    }
    for (int64_t c = 0, i = 0; c < e->clips; i += judged[0].length[c++])
        clips[c] =
            (ReportClip){.name = e->data->test.clips[c].name,
                         .note = judged[0].length[c] < e->labels[0]->length[c] - e->first - e->last
                                     ? "without the frames that have no score"
                                     : "",
                         .first = e->first,
                         .frames = judged[0].length[c],
                         .anomaly = judged[0].score + i,
                         .baseline = judged[last].score ? judged[last].score + i : NULL,
                         .label = judged[0].label + i};
    return 0;
}

int eval_page_write(const EvalResults *results, const char *path) {
    const Evaluation *e = results->evaluation;
    const ResultRow *told = row_told(results);
    ScoreKind kind = kind_of(told);
    Facts facts = {0};
    write_facts(&facts, e, kind);
    Pick *picks = mem_alloc(GROUPS, sizeof *picks);
    ReportGroup lists[GROUPS];
    ReportClip *clips = mem_alloc((size_t)e->clips, sizeof *clips);
    ReportPlace places[EVALUATE_MODELS * LOCALISE_LEVELS];
    const EvalLocalise *where = results->localise;
    Report r = {.title = "normalcy evaluation",
                .subtitle = e->data->root ? e->data->root : e->source,
                .facts = facts.pair,
                .rows = results->rows,
                .row_count = results->count,
                .told = told,
                .alarms = results->alarms,
                .fps = results->fps,
                .budget = results->budget,
                .tracks = where->localiser ? localiser_tracks(where->localiser) : NULL,
                .places = places,
                .place_count = list_places(places, where),
                .checkpoints = results->checkpoints->rows,
                .checkpoint_count = results->checkpoints->count,
                .oracles = results->checkpoints->best,
                .oracle_count = results->checkpoints->each,
                .clips = clips,
                .clip_count = e->clips,
                .groups = lists};
    RocPoint *roc[EVALUATE_MODELS] = {NULL};
    Judged judged[EVALUATE_MODELS] = {{0}};
    int code = clips && picks ? 0 : ERR_FAIL;
    if (!code)
        code = judge_clips(judged, clips, e, kind);
    if (!code)
        code = make_roc(&r, roc, e);
    for (int g = 0; g < GROUPS && e->scorer[0] && !code; g++) {
        code = pick_frames(&picks[g], e, &judged[0], kind, g);
        lists[r.group_count++] =
            (ReportGroup){groups[g].title, groups[g].note, picks[g].frame, picks[g].count};
    }
    if (!code)
        code = report_write(&r, path);
    for (int i = 0; picks && i < GROUPS * LONGEST; i++)
        frame_pictures_free(&picks[i / LONGEST].pictures[i % LONGEST]);
    for (int m = 0; m < EVALUATE_MODELS; m++)
        judged_free(&judged[m]);
    mem_free(picks);
    mem_free(clips);
    mem_free(roc[0]);
    mem_free(roc[1]);
    return code;
}
