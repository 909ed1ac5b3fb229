/* normalcy info: what a model file holds. */
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/common.h"
#include "base/err.h"
#include "base/json.h"
#include "model/weights.h"
#include "train/checkpoint.h"

static const char usage[] = "usage: normalcy info MODEL [OPTIONS]\n\n"
                            "Shows what a run folder or a checkpoint file holds.\n";

typedef struct {
    bool json;
} InfoArgs;

static const Opt info_options[] = {
    OPT_FLAG_ROW(InfoArgs, json, "json", "print JSON on stdout"),
    OPT_END,
};

static bool has_ranges(const Safetensors *file) {
    return safetensors_find(file, INT8_RANGES) != NULL;
}

/* The training frames that each opinion of a surprise comes from. */
typedef struct {
    int motion, errors, stays;
    double ignored; /* share of the picture */
} Evidence;

static int evidence_of(Evidence *out, const Safetensors *file, const char *path) {
    Judgement j;
    int code = judgement_load(&j, file, path);
    if (code)
        return code;
    *out = (Evidence){j.motion ? j.motion->held_out.count : 0, j.error.count,
                      j.stays ? j.stays->held_out.count : 0, j.ignore ? ignore_share(j.ignore) : 0};
    judgement_free(&j);
    return 0;
}

static void print_evidence(const Evidence *e) {
    if (!e->motion && !e->errors)
        printf("surprise    not known: trained by an earlier version, or stopped early\n");
    else
        printf("surprise    motion from %d training frames, errors from %d, what stays from %d\n",
               e->motion, e->errors, e->stays);
}

static void print_text(const char *path, const Safetensors *file, CheckpointInfo *c,
                       const Evidence *evidence) {
    int tensors;
    int64_t values, decayed;
    OptGroup groups[] = {{"Network", vit_options, &c->model.network},
                         {"Training", train_options, &c->training},
                         {NULL, NULL, NULL}};
    vit_census(&c->model.network, &tensors, &values, &decayed);
    printf("file        %s (normalcy %s)\n", path, c->model.version);
    printf("parameters  %lld in %d tensors\n", (long long)values, tensors);
    printf("trained on  %s\n", c->model.data);
    printf("step        %lld of %lld (%lld an epoch)\n", (long long)c->model.step,
           (long long)(c->training.epochs * c->model.steps_per_epoch),
           (long long)c->model.steps_per_epoch);
    if (c->model.interval > 0)
        printf("interval    %.3g s between frames\n", c->model.interval);
    if (c->model.network.depth)
        printf("int8        %s\n", has_ranges(file) ? "has ranges: --precision int8 works"
                                                    : "no ranges; 'normalcy quantize' adds them");
    print_evidence(evidence);
    if (evidence->ignored > 0)
        printf("ignores     %.1f %% of the picture\n", 100 * evidence->ignored);
    for (OptGroup *g = groups; g->rows; g++) {
        printf("\n%s\n", g->title);
        for (const Opt *row = g->rows; row->name; row++) {
            char value[OPT_VALUE];
            printf("  %-14s %s\n", row->name, opt_value_text(row, g->object, value));
        }
    }
}

static int print_json(const char *path, const Safetensors *file, CheckpointInfo *c,
                      const Evidence *evidence) {
    int tensors;
    int64_t values, decayed;
    OptGroup network[] = {{"", vit_options, &c->model.network}, {NULL, NULL, NULL}};
    OptGroup training[] = {{"", train_options, &c->training}, {NULL, NULL, NULL}};
    vit_census(&c->model.network, &tensors, &values, &decayed);
    Json *j = js_object();
    js_set_text(j, "file", path);
    js_set_text(j, "version", c->model.version);
    js_set_text(j, "data", c->model.data);
    js_set_int(j, "tensors", tensors);
    js_set_int(j, "parameters", values);
    js_set_int(j, "step", c->model.step);
    js_set_int(j, "steps_per_epoch", c->model.steps_per_epoch);
    js_set_number(j, "interval", c->model.interval);
    js_set_text(j, "int8", has_ranges(file) ? "yes" : "no");
    js_set_int(j, "motion_frames", evidence->motion);
    js_set_int(j, "error_frames", evidence->errors);
    js_set_int(j, "stays_frames", evidence->stays);
    js_set_number(j, "ignored", evidence->ignored);
    js_set(j, "network", opt_to_json(network));
    js_set(j, "training", opt_to_json(training));
    int code = json_print(j);
    js_free(j);
    return code;
}

/* Loads the weights to check that the file is complete and fits its own settings. */
static int check_weights(const Safetensors *file, const char *path, const CheckpointInfo *c) {
    Backend *be = NULL;
    Vit *v = NULL;
    int code = weights_check(&c->model.network, file, path);
    if (!code)
        code = backend_open(&be, "ref", 1, "f32");
    if (!code)
        code = vit_open(&v, be, &c->model.network, 1, false);
    if (!code)
        code = weights_load(v, file, path, "");
    vit_free(&v);
    backend_free(&be);
    return code;
}

static int run(const InfoArgs *args, const char *model) {
    char path[4096];
    Safetensors *file = NULL;
    CheckpointInfo c = {0};
    model_path(path, sizeof path, model);
    int code = safetensors_open(&file, path);
    if (!code)
        code = checkpoint_info(&c, file, path);
    if (!code)
        code = check_weights(file, path, &c);
    Evidence evidence = {0};
    if (!code)
        code = evidence_of(&evidence, file, path);
    if (!code && args->json)
        code = print_json(path, file, &c, &evidence);
    else if (!code)
        print_text(path, file, &c, &evidence);
    checkpoint_info_free(&c);
    safetensors_free(&file);
    return code;
}

int cmd_info(int argc, char **argv) {
    InfoArgs args = {0};
    const OptGroup groups[] = {{"Output", info_options, &args}, {NULL, NULL, NULL}};
    if (help_asked(argc, argv, usage, groups))
        return EXIT_OK;
    const char *positional[1];
    int n, code = opt_defaults(groups);
    if (!code)
        code = opt_parse(groups, argc, argv, positional, 1, &n);
    if (!code && n == 0)
        code = err_set(ERR_USAGE, "expected a MODEL: a run folder or a checkpoint file");
    if (!code)
        code = run(&args, positional[0]);
    opt_free(groups);
    return exit_code(code, "info");
}
