#include "app/eval_report.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "score/frame_pictures.h"
#include "score/metrics.h"
#include "score/report.h"

enum { REPORT_FRAMES = 8 };

/* The scored frame of lowest PSNR of each clip, the lowest clips first. */
static int worst_frames(ReportFrame *out, FramePictures *pictures, int *count,
                        const Evaluation *e) {
    const Labels *l = e->labels[0];
    const double *psnr = e->value[0][SCORE_FRAME];
    bool *used = mem_alloc((size_t)e->clips, sizeof *used);
    if (!used)
        return ERR_FAIL;
    int code = 0;
    for (*count = 0; *count < REPORT_FRAMES && *count < e->clips && !code; ++*count) {
        int64_t best = -1, best_clip = 0, best_index = 0;
        for (int64_t clip = 0, start = 0; clip < e->clips; start += l->length[clip++])
            for (int64_t t = e->first; t < l->length[clip]; t++)
                if (!used[clip] && (best < 0 || psnr[start + t] < psnr[best])) {
                    best = start + t;
                    best_clip = clip;
                    best_index = t;
                }
        used[best_clip] = true;
        FramePictures *p = &pictures[*count];
        code = frame_pictures(p, e->scorer[0], e->data, (int)best_clip, best_index);
        out[*count] = (ReportFrame){.clip = e->data->test.clips[best_clip].name,
                                    .index = best_index,
                                    .psnr = psnr[best],
                                    .abnormal = l->frame[best_clip][best_index],
                                    .size = (int)scorer_info(e->scorer[0])->size,
                                    .frame = p->frame,
                                    .prediction = p->prediction,
                                    .difference = p->difference,
                                    .truth = p->truth};
    }
    mem_free(used);
    return code;
}

typedef struct {
    char input[64], steps[96], labels[256], scores[96];
    const char *pair[13];
} Facts;

static void write_facts(Facts *f, const Evaluation *e) {
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
        snprintf(f->scores, sizeof f->scores, "PSNR of the predicted next frame, last step");
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

/* The curves of the first row. */
static int make_roc(Report *r, RocPoint *roc[EVALUATE_MODELS], const Evaluation *e,
                    const ResultRow *row) {
    int64_t count[EVALUATE_MODELS] = {0};
    int code = 0, kind = SCORE_FRAME; /* scores from elsewhere stand in its place */
    for (int k = 0; k < SCORE_KINDS; k++)
        kind = strcmp(row->score, score_names[k]) == 0 ? k : kind;
    for (int m = 0; m < e->models && !code; m++) {
        Judged j = {0};
        code = evaluation_judge(&j, e, m, (ScoreKind)kind, protocol_find(row->protocol));
        if (!code && j.abnormal > 0 && j.abnormal < j.frames)
            code = roc_curve(&roc[m], &count[m], j.score, j.label, j.frames);
        judged_free(&j);
    }
    r->roc_row = row;
    r->roc = roc[0];
    r->roc_count = count[0];
    r->roc_baseline = roc[1];
    r->roc_baseline_count = count[1];
    return code;
}

/* The rows of `eval --localise`; there are none where it was not asked for. */
static int list_places(ReportPlace *out, const EvalLocalise *l) {
    int n = 0;
    for (int m = 0; l->localiser && m < l->models; m++)
        for (int level = 0; level < LOCALISE_LEVELS; level++)
            out[n++] = (ReportPlace){l->name[m], localise_level_names[level], l->figures[m][level]};
    return n;
}

int eval_report(const EvalResults *results, const Judged *judged, const char *path) {
    const Evaluation *e = results->evaluation;
    int last = e->models - 1; /* persistence */
    Facts facts = {0};
    write_facts(&facts, e);
    ReportFrame frames[REPORT_FRAMES];
    FramePictures pictures[REPORT_FRAMES] = {{0}};
    ReportClip *clips = mem_alloc((size_t)e->clips, sizeof *clips);
    ReportPlace places[EVALUATE_MODELS * LOCALISE_LEVELS];
    const EvalLocalise *where = results->localise;
    Report r = {.title = "normalcy evaluation",
                .subtitle = e->data->root ? e->data->root : e->source,
                .facts = facts.pair,
                .rows = results->rows,
                .row_count = results->count,
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
                .frames = frames};
    RocPoint *roc[EVALUATE_MODELS] = {NULL};
    int code = clips ? 0 : ERR_FAIL;
    for (int64_t c = 0, i = 0; c < e->clips && !code; i += judged[0].length[c++])
        clips[c] = (ReportClip){.name = e->data->test.clips[c].name,
                                .note = "",
                                .first = e->first,
                                .frames = judged[0].length[c],
                                .anomaly = judged[0].score + i,
                                .baseline = judged[last].score + i,
                                .label = judged[0].label + i};
    if (!code)
        code = make_roc(&r, roc, e, &results->rows[0]);
    if (!code && e->scorer[0])
        code = worst_frames(frames, pictures, &r.frame_count, e);
    if (!code)
        code = report_write(&r, path);
    for (int i = 0; i < REPORT_FRAMES; i++)
        frame_pictures_free(&pictures[i]);
    mem_free(clips);
    mem_free(roc[0]);
    mem_free(roc[1]);
    return code;
}
