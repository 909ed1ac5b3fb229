/* normalcy train and normalcy pretrain: from footage to a checkpoint. */
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/common.h"
#include "app/training.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "model/import.h"
#include "model/weights.h"
#include "video/url.h"

static const char train_usage[] =
    "usage: normalcy train DATA -o RUN [OPTIONS]\n"
    "       normalcy train --resume -o RUN\n\n"
    "Trains a network on the training clips of DATA: a data set, a folder of clips or one video.\n"
    "RUN gets checkpoint.safetensors, log.jsonl and settings.yaml. Ctrl-C saves and stops.\n"
    "A new run starts from --preset footage. With --recipe or --size, or with an --init whose\n"
    "network has no --residual, it starts from --preset ped2. If settings conflict, the last of\n"
    "these wins: --init, --config, --preset, --recipe, --size, the other options.\n";

static const char pretrain_usage[] =
    "usage: normalcy pretrain DATA -o RUN [OPTIONS]\n"
    "       normalcy pretrain --resume -o RUN\n\n"
    "Pre-trains a network as SimMIM does: hides most of each training frame of DATA and learns to\n"
    "fill it in. Use it where you have no published weights. 'normalcy train DATA --init RUN'\n"
    "starts from the result.\n"
    "RUN gets checkpoint.safetensors, log.jsonl and settings.yaml. Ctrl-C saves and stops.\n";

/* SimMIM's masks and schedule: 32 pixels, 0.6 of the frame, warm-up and cosine, no dropout. */
static const char pretrain_options[] =
    "objective=simmim residual=no mask-ratio=0.6 lambda-cst=0 dropout=0 drop-path=0.1 epochs=100";

static const char *const size_names[] = {"base", "small", "tiny", NULL};

/* Only for a new run. The checkpoints hold the resulting settings and weights. */
static const Opt start_options[] = {
    OPT_CHOICE_ROW(TrainArgs, preset, "preset", NULL, preset_names,
                   "the paper's settings for a data set; ped2-scratch: a small network from random "
                   "weights; footage: the same for a third of the epochs"),
    OPT_TEXT_ROW(TrainArgs, recipe, "recipe", NULL, "NAME",
                 "the method, an ablation or a rival, as listed above"),
    OPT_TEXT_ROW(TrainArgs, init, "init", NULL, "FILE",
                 "weights to start from: .pth, .safetensors or a run"),
    OPT_CHOICE_ROW(TrainArgs, size, "size", NULL, size_names,
                   "width, depth and heads: 768/12/12, 384/12/6, 192/12/3"),
    OPT_TEXT_ROW(TrainArgs, ignore, "ignore", NULL, "WHERE",
                 "parts of the picture that are never looked at: \"X,Y X,Y ...; ...\", polygons in "
                 "shares of it (two points: a rectangle), or a picture in which they are light"),
    OPT_TEXT_ROW(TrainArgs, config, "config", NULL, "FILE",
                 "compute, network and training settings from a YAML file"),
    OPT_END,
};

static int set_preset(Train *t, const char *preset) {
    const char *list = preset_options(preset);
    int code = list ? opt_set_list(t->groups, "preset ", list)
                    : opt_set(t->groups, "--", "preset", preset); /* says what is known */
    return code ? code : opt_set_list(t->groups, t->command->name, t->command->options);
}

/* Sets what a new run begins with. If no preset is given, runs with the paper's weights, recipes or
 * sizes get the paper's settings. A network that predicts changes (residual) is one of ours. */
static int begin(Train *t, const char *init, const char *given, bool paper) {
    VitConfig network = {0};
    int code = init ? import_network(&network, init) : 0;
    paper |= !t->command->preset || (init && !network.residual);
    if (!code && !given)
        code = set_preset(t, paper ? "ped2" : t->command->preset);
    if (!code && init)
        t->network = network;
    return code;
}

/* Applies the options that change the defaults of others. */
static int apply_presets(Train *t, int argc, char **argv) {
    const char *config = opt_peek(argc, argv, "config"), *preset = opt_peek(argc, argv, "preset");
    const char *size = opt_peek(argc, argv, "size"), *recipe = opt_peek(argc, argv, "recipe");
    const char *init = opt_peek(argc, argv, "init");
    int code = t->args.resume ? 0 : begin(t, init, preset, recipe || size);
    if (!code && config)
        code = opt_load_yaml(t->groups + 2, config); /* settings only, no run options */
    if (!code && preset)
        code = set_preset(t, preset);
    if (!code && recipe) {
        const Recipe *r = recipe_find(recipe);
        code = r ? opt_set_list(t->groups, "recipe ", r->options)
                 : err_set(ERR_USAGE, "--recipe: \"%s\" is none; --help lists them", recipe);
    }
    if (!code && size) {
        const char *list = vit_size_options(size);
        code =
            list ? opt_set_list(t->groups, "size ", list) : opt_set(t->groups, "--", "size", size);
    }
    return code;
}

/* Opens the checkpoint to resume. Its settings become the defaults. */
static int open_checkpoint(Train *t, int argc, char **argv) {
    int n, code = opt_parse(t->groups, argc, argv, &t->data, 1, &n);
    if (!code)
        code = training_paths(t);
    if (code || !t->args.resume)
        return code;
    code = file_lock_folder(&t->lock, t->args.output); /* before the file can change */
    if (!code)
        code = safetensors_open(&t->checkpoint, t->checkpoint_path);
    if (!code)
        code = checkpoint_info(&t->stored, t->checkpoint, t->checkpoint_path);
    if (!code)
        code = weights_check(&t->stored.model.network, t->checkpoint, t->checkpoint_path);
    if (!code)
        code = judgement_load_ignore(&t->judgement.ignore, t->checkpoint, t->checkpoint_path);
    if (code)
        return err_context(code, "cannot resume");
    t->network = t->stored.model.network;
    mem_free(t->training.intruders);
    t->training = t->stored.training;
    const char *intruders = t->stored.training.intruders; /* each owns a copy */
    t->training.intruders = intruders ? mem_printf("%s", intruders) : NULL;
    return intruders && !t->training.intruders ? ERR_FAIL : 0;
}

/* What a new run is not to look at. */
static int take_ignore(Train *t) {
    if (!t->args.ignore)
        return 0;
    t->judgement.ignore = mem_alloc(1, sizeof *t->judgement.ignore);
    int code = t->judgement.ignore ? ignore_parse(t->judgement.ignore, t->args.ignore) : ERR_FAIL;
    return code ? err_context(code, "--ignore") : 0;
}

/* Refuses options that change the network of a resumed run, or what it may see. */
static int check_resumed(const Train *t) {
    char a[OPT_VALUE], b[OPT_VALUE];
    if (t->args.ignore)
        return err_set(ERR_USAGE, "--ignore: what the run looks at cannot change; begin a new one");
    for (const Opt *row = vit_options; row->name; row++) {
        const char *was = opt_value_text(row, &t->stored.model.network, a);
        const char *now = opt_value_text(row, &t->network, b);
        if (strcmp(was, now) != 0)
            return err_set(ERR_USAGE, "--%s %s: the run's network has %s, which cannot change",
                           row->name, now, was);
    }
    if (t->training.hold_out != t->stored.training.hold_out)
        return err_set(ERR_USAGE, "--hold-out %g: the run's is %g, which cannot change",
                       t->training.hold_out, t->stored.training.hold_out);
    return 0;
}

static int parse(Train *t, int argc, char **argv) {
    int n, code = opt_defaults(t->groups);
    if (!code)
        code = open_checkpoint(t, argc, argv);
    if (!code)
        code = apply_presets(t, argc, argv);
    if (!code)
        code = opt_parse(t->groups, argc, argv, &t->data, 1, &n);
    if (code)
        return code;
    if (n == 0 && t->args.resume)
        t->data = t->stored.model.data;
    else if (n == 0)
        return err_set(ERR_USAGE, "no data: give a data set, a folder of clips or a video");
    code = training_check_new(t);
    if (!code)
        code = (t->shown = url_shown(t->data)) ? js_check_text("the path of DATA", t->shown)
                                               : ERR_FAIL;
    if (!code)
        code = js_check_text("--intruders", t->training.intruders);
    if (!code && !t->command->judges && !t->network.depth)
        code = err_set(ERR_USAGE, "--depth 0 is no network: there is nothing to pre-train");
    if (!code)
        code = t->args.resume ? check_resumed(t) : vit_config_check(&t->network);
    if (!code)
        code = take_ignore(t);
    return code ? code : train_settings_check(&t->training, &t->network);
}

/* Writes the usage text and the recipes that the command knows. */
static void tell_usage(char *buf, size_t n, const char *usage) {
    size_t used = (size_t)snprintf(buf, n, "%s\nRecipes:\n", usage);
    for (const Recipe *r = recipes; r->name && used < n; r++)
        used += (size_t)snprintf(buf + used, n - used, "  %-26s %s\n", r->name, r->about);
}

static int run(const TrainCommand *command, int argc, char **argv) {
    char usage[4096];
    Train t = {.command = command, .lock = NO_LOCK};
    const OptGroup groups[] = {
        {"Run", training_run_options, &t.args},   {"Start", start_options, &t.args},
        {"Compute", compute_options, &t.compute}, {"Network", vit_options, &t.network},
        {"Training", train_options, &t.training}, {NULL, NULL, NULL}};
    memcpy(t.groups, groups, sizeof groups);
    tell_usage(usage, sizeof usage, command->usage);
    if (help_wanted(argc, argv)) { /* with the defaults of a run without a preset */
        int failed = opt_defaults(t.groups) || begin(&t, NULL, NULL, false);
        if (!failed)
            help_print(usage, t.groups);
        training_close(&t);
        return failed ? exit_code(ERR_FAIL, command->name) : EXIT_OK;
    }
    int code = parse(&t, argc, argv);
    if (!code)
        code = training_run(&t);
    training_close(&t);
    return exit_code(code, command->name);
}

int cmd_train(int argc, char **argv) {
    static const TrainCommand train = {"train", train_usage, "footage", "", true};
    return run(&train, argc, argv);
}

int cmd_pretrain(int argc, char **argv) {
    static const TrainCommand pretrain = {"pretrain", pretrain_usage, NULL, pretrain_options,
                                          false};
    return run(&pretrain, argc, argv);
}
