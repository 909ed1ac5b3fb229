/* normalcy eval: AUROC and other figures of a model, or of another program's scores, on labelled
 * test clips by published protocols. A model is compared with the persistence baseline. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cmd.h"
#include "app/common.h"
#include "app/eval_table.h"
#include "app/footage.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/words.h"
#include "eval/score_file.h"
#include "report/eval_files.h"

static const char usage[] =
    "usage: normalcy eval MODEL DATA [OPTIONS]\n"
    "       normalcy eval --scores FILE DATA [OPTIONS]\n"
    "       normalcy eval --scores FILE --labels FILE [--clips N,N,...] [OPTIONS]\n\n"
    "Scores the test clips of DATA and compares the scores with its labels. Each ground truth\n"
    "beside the data has rows of its own if its labels differ. MODEL is a run folder, a\n"
    "checkpoint file or 'persistence', a baseline that predicts that nothing moves. The tables of\n"
    "a model show this baseline too. --scores reads the scores of another program: a .npy array\n"
    "of all clips end to end, or a folder with an array for each clip; NaN stands for a frame\n"
    "without a score. It also reads what 'score' wrote: its lines tell clips and frames, its\n"
    "arrays need --regularity. With -o FOLDER also writes report.html, results.json and\n"
    "scores.csv.\n\n"
    "A protocol drops frames and applies min-max and filters to the scores as a published code\n"
    "does. --protocols takes names of the list below, sma (the paper's: the first two) or all.\n"
    "Variants of the score: frame (PSNR), max-patch, top-patches, window, motion,\n"
    "surprise (of motion, PSNR and what stays), steady (the surprise through a causal filter),\n"
    "or all.\n";

typedef struct {
    char *labels, *output, *protocols, *variants, *scores, *clips, *tracks;
    bool json, checkpoints, alarms, regularity, localise;
    int64_t image, top, first, last;
    double smooth, fps, budget, interval;
} EvalArgs;

static const Opt eval_options[] = {
    OPT_TEXT_ROW(EvalArgs, labels, "labels", NULL, "FILE",
                 "ground truth to use instead of any beside the data"),
    OPT_TEXT_ROW(EvalArgs, output, "output", NULL, "FOLDER",
                 "folder for report, results and scores"),
    OPT_FLAG_ROW(EvalArgs, json, "json", "print results as JSON on stdout"),
    OPT_INT_ROW(EvalArgs, image, "image", "224", 8, 4096, "N",
                "input size of 'persistence'; a model has its own"),
    OPT_TEXT_ROW(EvalArgs, protocols, "protocols", "sma", "NAME,...",
                 "protocols, a row for each, or all"),
    OPT_TEXT_ROW(EvalArgs, variants, "variants", "frame", "NAME,...",
                 "variants of the score, a row for each, or all"),
    OPT_INT_ROW(EvalArgs, top, "top", "5", 1, 4096, "N",
                "patches that the variant top-patches takes"),
    OPT_REAL_ROW(EvalArgs, smooth, "smooth", "0", 0, 1000,
                 "also a row smoothed over time by a Gaussian of this sigma, in frames; 0: none"),
    OPT_FLAG_ROW(EvalArgs, alarms, "alarms", "also a table of false alarms an hour and delays"),
    OPT_FLAG_ROW(EvalArgs, localise, "localise",
                 "also where in the frame: pixel-level AUROC, RBDC, TBDC; needs masks or tracks"),
    OPT_TEXT_ROW(EvalArgs, tracks, "tracks", NULL, "FOLDER",
                 "track files for --localise, if they are not in DATA/tracks"),
    OPT_REAL_ROW(EvalArgs, fps, "fps", "25", 0.01, 1000, "frames a second, for rates an hour"),
    OPT_REAL_ROW(EvalArgs, budget, "budget", "10", 0, 1e6,
                 "most false alarms an hour at the threshold that detects events"),
    OPT_FLAG_ROW(
        EvalArgs, checkpoints, "checkpoints",
        "also each epoch that 'train --keep' kept, and what choosing on the test set would gain"),
    OPT_REAL_ROW(EvalArgs, interval, "interval", "-1", -1, 3600,
                 "seconds between frames; 0: every frame; -1: as the model learned them"),
    OPT_END,
};

static const Opt score_options[] = {
    OPT_TEXT_ROW(EvalArgs, scores, "scores", NULL, "FILE",
                 "scores: .npy, lines of 'score', or a folder of either; higher = more abnormal"),
    OPT_FLAG_ROW(EvalArgs, regularity, "regularity",
                 "in --scores, higher = more normal, as in the lines of 'score'"),
    OPT_TEXT_ROW(EvalArgs, clips, "clips", NULL, "N,...",
                 "lengths of the clips in frames, if there is no DATA"),
    OPT_INT_ROW(EvalArgs, first, "first", "0", 0, 100000, "N",
                "frames at each clip's start without a score"),
    OPT_INT_ROW(EvalArgs, last, "last", "0", 0, 100000, "N",
                "frames at each clip's end without a score"),
    OPT_END,
};

enum { MAX_TRUTHS = 8, MAX_PROTOCOLS = 32, MAX_CLIPS = 65536 };

typedef struct {
    EvalArgs args;
    ComputeArgs compute;
    OptGroup groups[4];
    const char *model; /* borrowed from argv; NULL with --scores */
    const char *path;  /* DATA, borrowed from argv; NULL without */
    Backend *be;
    Dataset *data;
    Labels *labels[MAX_TRUTHS];
    int truths;
    Scorer *scorer[EVALUATE_MODELS];
    const char *name[EVALUATE_MODELS];
    int models;
    bool all_variants; /* those that the model has */
    ScoreFile *given;
    const Protocol *protocol[MAX_PROTOCOLS];
    ResultPlan plan;
    Evaluation evaluation;
    ResultRow *rows;
    int count;
    EvalLocalise localise;
    EvalCheckpoints checkpoints;
} Eval;

/* ---- the command line ---- */

/* Calls `take` for each word of "a,b,c", or for every known name if the list is "all". `take`
 * returns false for an unknown name. */
static int take_list(const char *option, const char *list, const char *known,
                     bool (*take)(Eval *, const Words *), Eval *e) {
    Words w = words_of(list);
    words_next_part(&w, ','); /* an empty list gives one empty word, which no name matches */
    do {
        if (!take(e, &w))
            return err_set(ERR_USAGE, "--%s: expected all, or some of %s; found \"%.*s\"", option,
                           known, w.length, w.text);
    } while (words_next_part(&w, ','));
    return 0;
}

/* A protocol that is named twice has one row. */
static void add_protocol(Eval *e, const Protocol *p) {
    for (int i = 0; i < e->plan.protocols; i++)
        if (e->protocol[i] == p)
            return;
    assert(e->plan.protocols < MAX_PROTOCOLS);
    e->protocol[e->plan.protocols++] = p;
}

static bool take_protocol(Eval *e, const Words *name) {
    bool all = words_is(name, "all"), sma = words_is(name, "sma"), found = false;
    for (const Protocol *p = protocols; p->name; p++)
        if (all || (sma && p < protocols + 2) || words_is(name, p->name)) {
            add_protocol(e, p);
            found = true;
        }
    return found;
}

static bool take_variant(Eval *e, const Words *name) {
    bool all = words_is(name, "all"), found = false;
    e->all_variants = e->all_variants || all;
    for (int k = 0; score_names[k]; k++)
        if (all || words_is(name, score_names[k]))
            e->plan.score[k] = found = true;
    return found;
}

static int make_plan(Eval *e) {
    char known[256] = "sma";
    for (const Protocol *p = protocols; p->name; p++)
        snprintf(known + strlen(known), sizeof known - strlen(known), ", %s", p->name);
    e->plan.protocol = e->protocol;
    e->plan.smooth = e->args.smooth;
    e->plan.fps = e->args.fps;
    e->plan.budget = e->args.budget;
    int code = take_list("protocols", e->args.protocols, known, take_protocol, e);
    return code ? code
                : take_list("variants", e->args.variants,
                            "frame, max-patch, top-patches, window, motion, surprise, "
                            "steady",
                            take_variant, e);
}

static int check_scores_usage(const Eval *e) {
    const EvalArgs *a = &e->args;
    if (a->tracks && !a->localise)
        return err_set(ERR_USAGE, "--tracks needs --localise");
    if (a->localise && a->scores)
        return err_set(ERR_USAGE, "--localise needs a MODEL: --scores has no error maps");
    if (!a->scores && (a->clips || a->regularity || a->first || a->last))
        return err_set(ERR_USAGE, "--clips, --regularity, --first and --last need --scores");
    if (!a->scores)
        return 0;
    if (a->clips && e->path)
        return err_set(ERR_USAGE,
                       "DATA and --clips both give the clips' lengths; give one of them");
    if (!e->path && !a->labels)
        return err_set(ERR_USAGE, "--scores needs --labels, or DATA with labels beside it");
    for (int k = 0; k < SCORE_KINDS; k++)
        if (e->plan.score[k] != (k == SCORE_FRAME))
            return err_set(ERR_USAGE,
                           "--variants needs a MODEL: --scores has one score for each frame");
    return 0;
}

static int parse(Eval *e, int argc, char **argv) {
    const char *positional[2] = {NULL};
    int n, code = opt_defaults(e->groups);
    if (!code)
        code = opt_parse(e->groups, argc, argv, positional, 2, &n);
    if (code)
        return code;
    if (e->args.scores && n > 1)
        return err_set(ERR_USAGE, "--scores: expected no more than DATA, found %d arguments", n);
    if (!e->args.scores && n < 2)
        return err_set(ERR_USAGE, "expected a MODEL and DATA, found %d argument%s", n,
                       n == 1 ? "" : "s");
    for (int i = 0; i < n; i++)
        if (!*positional[i])
            return err_set(ERR_USAGE, "argument %d is empty; expected the path of %s", i + 1,
                           e->args.scores || i ? "DATA" : "a MODEL");
    e->model = e->args.scores ? NULL : positional[0];
    e->path = e->args.scores ? positional[0] : positional[1];
    code = e->model ? check_order("eval", e->model, e->path) : 0;
    if (code)
        return code;
    bool is_run = e->model && strcmp(e->model, "persistence") != 0 && file_is_folder(e->model);
    if (e->args.checkpoints && !is_run)
        return err_set(ERR_USAGE, "--checkpoints needs a run folder for MODEL");
    code = make_plan(e);
    if (!code)
        code = check_scores_usage(e);
    if (!code && e->args.output)
        code = eval_folder(e->args.output); /* before any work */
    return code;
}

/* ---- data and ground truths ---- */

typedef struct {
    Eval *e;
    int code;
} Finding;

/* Opens a ground truth unless an equal one is open already. */
static void add_truth(void *ctx, const char *path, const Labels *l, const char *error) {
    Finding *found = ctx;
    Eval *e = found->e;
    if (!l)
        log_warn("ignored a ground truth: %s", error);
    bool known = !l || found->code;
    for (int i = 0; i < e->truths && !known; i++)
        known = strcmp(e->labels[i]->hash, l->hash) == 0;
    if (known)
        return;
    if (e->truths == MAX_TRUTHS) {
        log_warn("ignored the ground truth %s: %d others differ, expected no more; give it by "
                 "--labels",
                 path, MAX_TRUTHS);
        return;
    }
    found->code = labels_open(&e->labels[e->truths], e->data, path);
    e->truths += !found->code;
}

static int open_labels(Eval *e) {
    int code = labels_open(&e->labels[0], e->data, e->args.labels);
    if (code)
        return code;
    e->truths = 1;
    Finding found = {e, 0};
    if (!e->args.labels)
        labels_each(e->data, add_truth, &found);
    return found.code;
}

/* Parses the clips' lengths in frames, such as "180,180,150", into frames[MAX_CLIPS]. */
static int parse_clips(int64_t *frames, int *count, const char *list) {
    char *end;
    *count = 0;
    for (const char *p = list;; p = end + 1) {
        if (*count == MAX_CLIPS)
            return err_set(ERR_USAGE, "--clips: expected at most %d lengths", MAX_CLIPS);
        frames[*count] = strtoll(p, &end, 10);
        if (end == p || frames[*count] < 1 || frames[*count] > 100000000 || (*end && *end != ','))
            return err_set(ERR_USAGE,
                           "--clips: expected numbers of frames, such as 180,180,150; found "
                           "\"%s\"",
                           list);
        ++*count;
        if (!*end)
            return 0;
    }
}

/* Makes a data set without footage: it holds the lengths of the clips only. */
static int name_clips(Eval *e) {
    int64_t unscored = e->args.first + e->args.last;
    if (!e->args.clips && !e->given->files)
        return err_set(ERR_USAGE,
                       "one array of scores needs DATA or --clips for the clips' lengths");
    if (!e->args.clips)
        return score_file_clips(&e->data, e->given, NULL, 0, unscored);
    int64_t *frames = mem_alloc(MAX_CLIPS, sizeof *frames);
    int count, code = frames ? parse_clips(frames, &count, e->args.clips) : ERR_FAIL;
    if (!code)
        code = score_file_clips(&e->data, e->given, frames, count, unscored);
    mem_free(frames);
    return code;
}

static int open_data(Eval *e) {
    int code = e->args.scores ? score_file_open(&e->given, e->args.scores) : 0;
    if (!code)
        code = e->path ? footage_open(&e->data, e->path) : name_clips(e);
    if (!code && e->data->test.count == 0)
        code = err_set(ERR_FAIL, "%s has no test clips", e->path);
    return code ? code : open_labels(e);
}

/* ---- scoring ---- */

/* Opens the model, if there is one, and persistence with the same input size. */
static int open_scorers(Eval *e) {
    int64_t size = e->args.image, frames = 1;
    if (strcmp(e->model, "persistence") != 0) {
        int code = compute_open(&e->be, &e->compute);
        if (!code)
            code = scorer_open(&e->scorer[0], e->model, e->be);
        if (code)
            return code;
        compute_tell(e->be);
        e->name[e->models++] = e->model;
        size = scorer_info(e->scorer[0])->size;
        frames = scorer_info(e->scorer[0])->frames;
    }
    int code = scorer_open_persistence(&e->scorer[e->models], size, frames);
    if (!code)
        e->name[e->models++] = "persistence";
    for (int m = 0; m < e->models && !code; m++)
        if (e->args.interval >= 0)
            scorer_set_interval(e->scorer[m], e->args.interval);
    return code;
}

/* What the figures need; files and localisation need the network in any case. */
static int parts(const Eval *e) {
    const bool *score = e->plan.score;
    bool network = e->args.output || e->args.localise;
    for (int k = 0; k < SCORE_KINDS; k++)
        network = network || (k != SCORE_MOTION && score[k]);
    bool opinions =
        e->args.localise || score[SCORE_MOTION] || score[SCORE_SURPRISE] || score[SCORE_STEADY];
    return (network ? EVALUATE_NETWORK : 0) | (opinions ? EVALUATE_OPINIONS : 0);
}

/* What is asked for by its name, not by "all", must be there. */
static int check_motion(const Eval *e) {
    int lacks = -1;
    for (int k = SCORE_MOTION; k < SCORE_KINDS && lacks < 0 && !e->all_variants; k++)
        if (e->plan.score[k] && !(k == SCORE_MOTION ? scorer_motion(e->scorer[0]) != NULL
                                                    : scorer_has_surprise(e->scorer[0])))
            lacks = k;
    if (lacks < 0)
        return 0;
    return err_set(ERR_FAIL, "--variants %s: %s does not know it%s", score_names[lacks], e->model,
                   e->be ? "; models that this version trains do, unless the camera moves" : "");
}

static void on_progress(int64_t done, int64_t total) {
    progress_draw("scoring", done, total, "frames");
}

static int evaluate(Eval *e) {
    const Labels *const *labels = (const Labels *const *)e->labels;
    if (e->given)
        return score_file_evaluation(&e->evaluation, e->given, e->data, labels, e->truths,
                                     e->args.first, e->args.last, e->args.regularity);
    int code = open_scorers(e);
    if (!code)
        code = check_motion(e);
    if (!code && e->args.localise)
        code = eval_localise_open(&e->localise, e->data, e->args.tracks, e->scorer, e->name,
                                  e->models);
    if (!code)
        code = evaluation_run(&e->evaluation, e->data, labels, e->truths, e->scorer, e->name,
                              e->models, parts(e), (int)e->args.top, e->localise.localiser,
                              on_progress);
    progress_end();
    return code;
}

static int measure(Eval *e) {
    int code = evaluation_rows(&e->evaluation, &e->plan, &e->rows, &e->count);
    if (!code && e->args.localise)
        code = eval_localise_measure(&e->localise);
    if (!code && e->args.checkpoints)
        code = eval_checkpoints_run(&e->checkpoints, e->model, e->be, &e->evaluation, &e->plan,
                                    e->rows, e->count, (int)e->args.top, on_progress);
    progress_end();
    return code;
}

/* ---- output ---- */

static int report(Eval *e) {
    EvalResults r = {&e->evaluation, e->rows,        e->count,    &e->checkpoints,
                     &e->localise,   e->args.alarms, e->args.fps, e->args.budget};
    if (e->args.json) {
        Json *j = eval_json(&r);
        int code = json_print(j);
        js_free(j);
        if (code)
            return code;
    } else {
        eval_print(&r);
    }
    if (isnan(e->rows[0].auroc_micro))
        log_warn("the scored frames are all of one class: no AUROC");
    int code = stdout_flush();
    return code || !e->args.output ? code : eval_write(&r, e->args.output);
}

static void eval_close(Eval *e) {
    eval_checkpoints_free(&e->checkpoints);
    eval_localise_free(&e->localise);
    mem_free(e->rows);
    evaluation_free(&e->evaluation);
    for (int m = 0; m < EVALUATE_MODELS; m++)
        scorer_free(&e->scorer[m]);
    score_file_free(&e->given);
    backend_free(&e->be);
    for (int i = 0; i < e->truths; i++)
        labels_free(&e->labels[i]);
    dataset_free(&e->data);
    opt_free(e->groups);
}

/* Writes the usage text and the protocols that the command knows. */
static void tell_usage(char *buf, size_t n) {
    size_t used = (size_t)snprintf(buf, n, "%s\nProtocols:\n", usage);
    for (const Protocol *p = protocols; p->name && used < n; p++)
        used += (size_t)snprintf(buf + used, n - used, "  %-26s %s\n", p->name, p->note);
}

int cmd_eval(int argc, char **argv) {
    char text[4096];
    Eval e = {0};
    const OptGroup groups[] = {{"Evaluation", eval_options, &e.args},
                               {"Scores of another program", score_options, &e.args},
                               {"Compute", compute_options, &e.compute},
                               {NULL, NULL, NULL}};
    memcpy(e.groups, groups, sizeof groups);
    tell_usage(text, sizeof text);
    if (help_asked(argc, argv, text, e.groups))
        return EXIT_OK;
    int code = parse(&e, argc, argv);
    if (!code)
        code = open_data(&e);
    if (!code)
        code = evaluate(&e);
    if (!code)
        code = measure(&e);
    if (!code)
        code = report(&e);
    eval_close(&e);
    return exit_code(code, "eval");
}
