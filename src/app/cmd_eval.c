/* normalcy eval: AUROC of a model on labelled test clips, beside the baseline that must be beaten.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/common.h"
#include "app/eval_files.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"
#include "score/evaluate.h"

static const char usage[] =
    "usage: normalcy eval MODEL DATA [OPTIONS]\n\n"
    "Scores the test clips of DATA and compares with its labels. MODEL is a run folder, a\n"
    "checkpoint file, or 'persistence', the baseline that predicts \"nothing moves\" and stands "
    "in\n"
    "every table. With -o FOLDER also writes report.html, results.json and scores.csv.\n";

typedef struct {
    char *labels, *output;
    bool json;
    int64_t image;
} EvalArgs;

static const Opt eval_options[] = {
    OPT_TEXT_ROW(EvalArgs, labels, "labels", NULL, "FILE",
                 "ground truth, where it is not beside the data"),
    OPT_TEXT_ROW(EvalArgs, output, "output", NULL, "FOLDER", "report, results and scores"),
    OPT_FLAG_ROW(EvalArgs, json, "json", "results as JSON on stdout"),
    OPT_INT_ROW(EvalArgs, image, "image", "224", 8, 4096, "N",
                "input size of persistence; a model brings its own"),
    OPT_END,
};

typedef struct {
    EvalArgs args;
    ComputeArgs compute;
    OptGroup groups[3];
    const char *model, *path; /* borrowed from argv */
    Backend *be;
    Dataset *data;
    Labels *labels;
    Scorer *scorer[EVALUATE_MODELS];
    const char *name[EVALUATE_MODELS];
    int models;
    Evaluation evaluation;
    ResultRow rows[2 * EVALUATE_MODELS];
} Eval;

static int parse(Eval *e, int argc, char **argv) {
    const char *positional[2];
    int n, code = opt_defaults(e->groups);
    if (!code)
        code = opt_parse(e->groups, argc, argv, positional, 2, &n);
    if (code)
        return code;
    if (n < 2)
        return err_set(ERR_USAGE, "expected a MODEL and DATA, found %d argument%s", n,
                       n == 1 ? "" : "s");
    e->model = positional[0];
    e->path = positional[1];
    return e->args.output ? file_make_folder(e->args.output) : 0; /* before any work */
}

/* The model, if one is asked for, and persistence at the same input. */
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
    return code;
}

static int open_data(Eval *e) {
    int code = dataset_open(&e->data, e->path);
    if (!code && e->data->test.count == 0)
        code = err_set(ERR_FAIL, "%s has no test clips", e->path);
    return code ? code : labels_open(&e->labels, e->data, e->args.labels);
}

static void on_progress(int64_t done, int64_t total) {
    progress_draw("scoring", done, total, "frames");
}

static void print_auroc(double percent) {
    if (isnan(percent))
        printf("  %7s", "-");
    else
        printf("  %7.2f", percent);
}

static void print_table(const Eval *e) {
    const ScorerInfo *info = scorer_info(e->scorer[0]);
    printf("data     %s (%s): %d test clips, %lld frames\n", e->path, layout_names[e->data->layout],
           e->data->test.count, (long long)e->labels->frames);
    printf("labels   %s, hash %s, %lld abnormal\n", e->labels->variant, e->labels->hash,
           (long long)e->labels->abnormal);
    if (info->model.steps_per_epoch)
        printf("model    %s: %lld parameters, step %lld of %lld, epoch %.4g of %lld, seed %lld\n",
               info->path, (long long)info->parameters, (long long)info->model.step,
               (long long)(info->model.epochs * info->model.steps_per_epoch),
               (double)info->model.step / (double)info->model.steps_per_epoch,
               (long long)info->model.epochs, (long long)info->model.seed);
    printf("input    %lld x %lld, %lld frame%s; the first %lld of each clip %s no score\n\n",
           (long long)info->size, (long long)info->size, (long long)info->frames,
           info->frames > 1 ? "s" : "", (long long)info->frames, info->frames > 1 ? "have" : "has");
    printf("%-24s %-9s  %6s  %8s  %7s  %7s  %6s\n", "model", "min-max", "frames", "abnormal",
           "micro", "macro", "PSNR");
    for (int i = 0; i < 2 * e->models; i++) {
        const ResultRow *r = &e->rows[i];
        printf("%-24s %-9s  %6lld  %8lld", r->model, r->protocol, (long long)r->frames,
               (long long)r->abnormal);
        print_auroc(r->auroc_micro);
        print_auroc(r->auroc_macro);
        printf("  %6.2f\n", r->psnr);
    }
    printf("\nAUROC in percent, micro: all frames in one ROC, macro: mean over clips.\n");
}

static int report(Eval *e) {
    int code = evaluation_rows(&e->evaluation, e->rows);
    if (code)
        return code;
    if (e->args.json) {
        char *text = eval_json(&e->evaluation, e->rows);
        if (!text)
            return ERR_FAIL;
        puts(text);
        mem_free(text);
    } else {
        print_table(e);
    }
    if (isnan(e->rows[0].auroc_micro))
        log_warn("the scored frames are all of one class: no AUROC");
    if (fflush(stdout) || ferror(stdout))
        return err_sys(ERR_FAIL, "cannot write the results to stdout");
    return e->args.output ? eval_write(&e->evaluation, e->rows, e->args.output) : 0;
}

static void eval_close(Eval *e) {
    evaluation_free(&e->evaluation);
    for (int m = 0; m < EVALUATE_MODELS; m++)
        scorer_free(&e->scorer[m]);
    backend_free(&e->be);
    labels_free(&e->labels);
    dataset_free(&e->data);
    opt_free(e->groups);
}

int cmd_eval(int argc, char **argv) {
    Eval e = {0};
    const OptGroup groups[] = {{"Evaluation", eval_options, &e.args},
                               {"Compute", compute_options, &e.compute},
                               {NULL, NULL, NULL}};
    memcpy(e.groups, groups, sizeof groups);
    if (help_asked(argc, argv, usage, e.groups))
        return EXIT_OK;
    int code = parse(&e, argc, argv);
    if (!code)
        code = open_data(&e);
    if (!code)
        code = open_scorers(&e);
    if (!code)
        code = evaluation_run(&e.evaluation, e.data, e.labels, e.scorer, e.name, e.models,
                              on_progress);
    progress_end();
    if (!code)
        code = report(&e);
    eval_close(&e);
    return exit_code(code, "eval");
}
