/* normalcy demo: the whole way on a generated street scene: frames, training, evaluation, report.
 * It shows and runs the same commands as a user would. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/cmd.h"
#include "app/common.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "data/demo_scene.h"
#include "train/checkpoint.h"

static const char usage[] =
    "usage: normalcy demo [-o FOLDER] [OPTIONS]\n\n"
    "Generates a fixed-camera scene with planted anomalies in FOLDER/data, trains a small network\n"
    "on the normal clips (FOLDER/run), evaluates it, and writes FOLDER/report.html, results.json\n"
    "and scores.csv. Takes about two minutes on two cores.\n";

typedef struct {
    char *output;
    int64_t seed;
} DemoArgs;

static const Opt demo_options[] = {
    OPT_TEXT_ROW(DemoArgs, output, "output", "build/demo", "FOLDER", "folder for all files"),
    OPT_INT_ROW(DemoArgs, seed, "seed", "2022", 0, 4294967295.0, "N", "seed of scene and training"),
    OPT_END,
};

static int train_and_evaluate(const DemoArgs *args, const char *data) {
    char run[4096], checkpoint[4200], seed[24];
    snprintf(run, sizeof run, "%s/run", args->output);
    snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint.safetensors", run);
    snprintf(seed, sizeof seed, "%lld", (long long)args->seed);
    unlink(checkpoint); /* start afresh */
    /* The usual settings, but a smaller network: two minutes on two cores. */
    char *train[] = {(char *)data, "-o", run,        "--image", "96",     "--width", "128",
                     "--heads",    "4",  "--epochs", "6",       "--seed", seed};
    int result = run_command("train", cmd_train, (int)(sizeof train / sizeof *train), train);
    if (result != EXIT_OK)
        return result;
    char *eval[] = {run, (char *)data, "-o", args->output, "--variants", "frame,motion,surprise"};
    result = run_command("eval", cmd_eval, (int)(sizeof eval / sizeof *eval), eval);
    if (result == EXIT_OK)
        log_info("\nreport    %s/report.html", args->output);
    return result;
}

/* Refuses to overwrite a run unless it is an earlier demo's, trained on the demo's scene. */
static int check_run(const DemoArgs *args, const char *data) {
    char path[4200];
    snprintf(path, sizeof path, "%s/run/checkpoint.safetensors", args->output);
    if (!file_exists(path))
        return 0;
    Safetensors *file = NULL;
    CheckpointInfo info = {0};
    int code = safetensors_open(&file, path);
    if (!code)
        code = checkpoint_info(&info, file, path);
    if (!code && strcmp(info.model.data, data) != 0 && !file_is_same(info.model.data, data))
        code = err_set(ERR_FAIL,
                       "%s was trained on %s, so it is no demo's here and would be lost; "
                       "give another -o",
                       path, info.model.data);
    checkpoint_info_free(&info);
    safetensors_free(&file);
    return code;
}

int cmd_demo(int argc, char **argv) {
    DemoArgs args = {0};
    const OptGroup groups[] = {{"Demo", demo_options, &args}, {NULL, NULL, NULL}};
    if (help_asked(argc, argv, usage, groups))
        return EXIT_OK;
    char data[4096];
    int n, code = opt_defaults(groups);
    if (!code)
        code = opt_parse(groups, argc, argv, NULL, 0, &n);
    if (!code) {
        DemoScene scene = {(uint64_t)args.seed, 160, 120, 8, 120, 10, 100};
        snprintf(data, sizeof data, "%s/data", args.output);
        code = check_run(&args, data);
        if (!code)
            code = demo_scene_write(&scene, data);
    }
    int result = code ? exit_code(code, "demo") : train_and_evaluate(&args, data);
    opt_free(groups);
    return result;
}
