/* normalcy train and normalcy pretrain: from footage to a checkpoint. */
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/common.h"
#include "app/footage.h"
#include "app/learn_error.h"
#include "app/learn_scene.h"
#include "app/load_init.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/shell_word.h"
#include "base/stop.h"
#include "base/system.h"
#include "model/import.h"
#include "model/weights.h"
#include "train/checkpoint.h"
#include "train/run_log.h"
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

typedef struct {
    char *output, *config, *recipe, *init;
    int preset, size;
    bool resume;
    int64_t checkpoint_every, keep, steps, cache;
} TrainArgs;

/* Not stored in checkpoints: a resumed run needs them again, like the compute options. */
static const Opt run_options[] = {
    OPT_TEXT_ROW(TrainArgs, output, "output", NULL, "RUN", "folder of the run"),
    OPT_FLAG_ROW(TrainArgs, resume, "resume", "continue the run from its checkpoint"),
    OPT_INT_ROW(TrainArgs, steps, "steps", "0", 0, 1e12, "N",
                "stop after this many steps in all; 0: all epochs"),
    OPT_INT_ROW(TrainArgs, checkpoint_every, "checkpoint-every", "500", 1, 1e9, "N",
                "steps between checkpoints"),
    OPT_INT_ROW(TrainArgs, keep, "keep", "0", 0, 1e9, "N",
                "also keep the weights of every N-th epoch, as epoch-N.safetensors; 0: none"),
    OPT_INT_ROW(TrainArgs, cache, "cache", "4096", 0, 1e9, "MB",
                "memory for decoded frames; frames that do not fit are decoded again"),
    OPT_END,
};

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
    OPT_TEXT_ROW(TrainArgs, config, "config", NULL, "FILE",
                 "compute, network and training settings from a YAML file"),
    OPT_END,
};

/* The differences between train and pretrain. */
typedef struct {
    const char *name, *usage;
    const char *preset;  /* the preset for random weights; NULL: the paper's */
    const char *options; /* set after the preset */
    bool judges;         /* also learns what motion and which errors are normal */
} Command;

typedef struct {
    const Command *command;
    TrainArgs args;
    ComputeArgs compute;
    VitConfig network;
    TrainSettings training;
    OptGroup groups[6];
    const char *data; /* borrowed from argv or from `stored` */
    char *shown;      /* the same without secrets: for messages and files */
    CheckpointInfo stored;
    Safetensors *checkpoint; /* open while resuming */
    char *checkpoint_path, *log_path, *settings_path;
    Dataset *dataset;
    Pairs *pairs;
    Backend *be;
    Trainer *trainer;
    Judgement judgement; /* its errors are those of the weights as they are */
    bool unsaved;        /* the checkpoint lacks it */
    RunLog *log;
    int lock; /* of the run's folder */
} Train;

static void train_close(Train *t) {
    run_log_free(&t->log);
    file_unlock(t->lock);
    trainer_free(&t->trainer);
    judgement_free(&t->judgement);
    backend_free(&t->be);
    pairs_free(&t->pairs);
    dataset_free(&t->dataset);
    mem_free(t->shown);
    safetensors_free(&t->checkpoint);
    mem_free(t->checkpoint_path);
    mem_free(t->log_path);
    mem_free(t->settings_path);
    checkpoint_info_free(&t->stored);
    opt_free(t->groups);
}

static int make_paths(Train *t) {
    if (!t->args.output)
        return err_set(ERR_USAGE, "no folder for the run: give -o RUN");
    t->checkpoint_path = mem_printf("%s/" CHECKPOINT_NAME, t->args.output);
    t->log_path = mem_printf("%s/log.jsonl", t->args.output);
    t->settings_path = mem_printf("%s/settings.yaml", t->args.output);
    return t->checkpoint_path && t->log_path && t->settings_path ? 0 : ERR_FAIL;
}

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
        code = make_paths(t);
    if (code || !t->args.resume)
        return code;
    code = file_lock_folder(&t->lock, t->args.output); /* before the file can change */
    if (!code)
        code = safetensors_open(&t->checkpoint, t->checkpoint_path);
    if (!code)
        code = checkpoint_info(&t->stored, t->checkpoint, t->checkpoint_path);
    if (!code)
        code = weights_check(&t->stored.model.network, t->checkpoint, t->checkpoint_path);
    if (code)
        return err_context(code, "cannot resume");
    t->network = t->stored.model.network;
    mem_free(t->training.intruders);
    t->training = t->stored.training;
    const char *intruders = t->stored.training.intruders; /* each owns a copy */
    t->training.intruders = intruders ? mem_printf("%s", intruders) : NULL;
    return intruders && !t->training.intruders ? ERR_FAIL : 0;
}

/* Refuses options that change the network of a resumed run, or what it may see. */
static int check_resumed(const Train *t) {
    char a[OPT_VALUE], b[OPT_VALUE];
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

static int check_new(const Train *t) {
    if (t->args.resume || !file_exists(t->checkpoint_path))
        return 0;
    return err_set(ERR_USAGE,
                   "%s is there already: --resume continues that run, another -o begins a new one",
                   t->checkpoint_path);
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
    code = check_new(t);
    if (!code)
        code = (t->shown = url_shown(t->data)) ? js_check_text("the path of DATA", t->shown)
                                               : ERR_FAIL;
    if (!code)
        code = js_check_text("--intruders", t->training.intruders);
    if (!code && !t->command->judges && !t->network.depth)
        code = err_set(ERR_USAGE, "--depth 0 is no network: there is nothing to pre-train");
    if (!code)
        code = t->args.resume ? check_resumed(t) : vit_config_check(&t->network);
    return code ? code : train_settings_check(&t->training, &t->network);
}

static int open_data(Train *t) {
    PairsConfig c = {.size = (int)t->network.image,
                     .frames_in = (int)t->network.frames,
                     .batch = (int)t->training.batch,
                     .seed = (uint64_t)t->training.seed,
                     .second = trainer_second(&t->training),
                     .wants_second = trainer_wants_second,
                     .context = &t->training,
                     .interval = t->training.interval,
                     .hold_out = t->training.hold_out,
                     .cache_bytes = t->args.cache * 1000000};
    int code = footage_open(&t->dataset, t->data);
    if (code && t->data == t->stored.model.data)
        return err_context(code,
                           "the run's data, named when it began (give it again: normalcy "
                           "%s DATA --resume -o %s)",
                           t->command->name, t->args.output);
    if (!code && t->dataset->train.count == 0)
        code = err_set(ERR_FAIL, "%s has no training clips", t->shown);
    if (!code)
        code = pairs_open(&t->pairs, &t->dataset->train, &c);
    return code;
}

static void tell_plan(const Train *t) {
    int tensors;
    int64_t values, decayed;
    char total[16], network[16], frames[16];
    int64_t net = trainer_memory(&t->network, &t->training, t->be), cache = pairs_memory(t->pairs);
    vit_census(&t->network, &tensors, &values, &decayed);
    char interval[48] = "", held_out[48] = "";
    if (pairs_interval(t->pairs) > 0)
        snprintf(interval, sizeof interval, ", a frame every %.3g s", pairs_interval(t->pairs));
    if (pairs_sample(t->pairs, PAIRS_HELD_OUT) > 0)
        snprintf(held_out, sizeof held_out, ", %lld held out",
                 (long long)pairs_sample(t->pairs, PAIRS_HELD_OUT));
    log_info("data      %s: %d clips%s, %lld pairs%s, %lld steps an epoch", t->shown,
             t->dataset->train.count, interval, (long long)pairs_count(t->pairs), held_out,
             (long long)pairs_steps_per_epoch(t->pairs));
    if (t->network.depth)
        log_info("network   width %lld, depth %lld, heads %lld, patch %lld, input %lld: %lld "
                 "parameters",
                 (long long)t->network.width, (long long)t->network.depth,
                 (long long)t->network.heads, (long long)t->network.patch,
                 (long long)t->network.image, (long long)values);
    else
        log_info("network   none: the next frame is expected to be like this one");
    compute_tell(t->be);
    log_info("memory    needs %s: network %s, decoded frames %s",
             mem_text(total, sizeof total, (double)(net + cache)),
             mem_text(network, sizeof network, (double)net),
             mem_text(frames, sizeof frames, (double)cache));
    int64_t available = system_memory_available();
    if (available > 0 && net + cache > available)
        log_warn("that is more than the %s this machine has left; a smaller --image, --batch "
                 "or --cache needs less",
                 mem_text(total, sizeof total, (double)available));
}

/* Warns about each setting of a resumed run that the command line changes. */
static void tell_changes(const Train *t) {
    char a[OPT_VALUE], b[OPT_VALUE];
    for (const Opt *row = train_options; row->name; row++) {
        const char *before = opt_value_text(row, &t->stored.training, a);
        const char *after = opt_value_text(row, &t->training, b);
        if (strcmp(before, after) != 0)
            log_warn("%s was %s until here, from here on it is %s", row->name, before, after);
    }
    if (strcmp(t->shown, t->stored.model.data) != 0)
        log_warn("the run was trained on %s, now it is on %s", t->stored.model.data, t->shown);
}

static void tell_resumed(const Train *t) {
    char compute[64];
    checkpoint_compute(compute, sizeof compute, t->be);
    log_info("resumed   at step %lld", (long long)t->trainer->step);
    tell_changes(t);
    if (strcmp(compute, t->stored.model.compute) != 0)
        log_warn("the run was on %s, now it is on %s: it goes on, but not bit for bit",
                 t->stored.model.compute, compute);
}

/* Opens the run. Bad input fails before the folder is made. */
static int open_run(Train *t) {
    int64_t steps_per_epoch = pairs_steps_per_epoch(t->pairs);
    int code = compute_open(&t->be, &t->compute);
    if (!code && t->be->type == U8)
        code = err_set(ERR_USAGE, "--precision: int8 is for scoring; train in bf16 or f32");
    if (code)
        return code;
    tell_plan(t);
    code = trainer_open(&t->trainer, t->be, &t->network, &t->training, steps_per_epoch);
    if (!code)
        t->trainer->interval = pairs_interval(t->pairs);
    if (!code && t->args.init && !t->args.resume)
        code = load_init(t->trainer->vit, t->args.init);
    if (!code && t->args.resume) {
        if (t->stored.model.steps_per_epoch != steps_per_epoch)
            return err_set(ERR_FAIL,
                           "cannot resume: the checkpoint's data had %lld steps an epoch, %s has "
                           "%lld; give the same data and batch",
                           (long long)t->stored.model.steps_per_epoch, t->shown,
                           (long long)steps_per_epoch);
        code = checkpoint_load(t->trainer, &t->stored, t->checkpoint, t->checkpoint_path);
        if (!code && strcmp(t->shown, t->stored.model.data) == 0) /* else it is learned anew */
            code = judgement_load(&t->judgement, t->checkpoint, t->checkpoint_path);
        safetensors_free(&t->checkpoint);
        if (!code)
            tell_resumed(t);
    }
    if (!code)
        code = file_make_folder(t->args.output);
    if (!code && t->lock == NO_LOCK)
        code = file_lock_folder(&t->lock, t->args.output);
    if (!code)
        code = check_new(t); /* again: another run may have ended there since */
    if (!code)
        code = file_probe(t->checkpoint_path);
    if (!code) /* the settings that decide the result, as --config reads them */
        code = opt_save_yaml(t->groups + 3, t->settings_path);
    if (!code)
        code = run_log_open(&t->log, t->log_path, t->trainer->step);
    return code ? code : pairs_seek(t->pairs, t->trainer->step);
}

static int save(Train *t) {
    return checkpoint_save(t->trainer, t->shown, true, t->checkpoint_path);
}

/* Saves the weights alone at the end of an epoch that is kept. */
static int keep_epoch(Train *t) {
    int64_t epoch = t->trainer->step / t->trainer->steps_per_epoch;
    if (t->args.keep == 0 || epoch % t->args.keep != 0)
        return 0;
    char *path = mem_printf("%s/epoch-%03lld.safetensors", t->args.output, (long long)epoch);
    int code = path ? checkpoint_save(t->trainer, t->shown, false, path) : ERR_FAIL;
    mem_free(path);
    return code;
}

/* Of the last weights. It reads them from the checkpoint, and saves that again. */
static int learn_errors(Train *t) {
    bool wanted = t->command->judges && t->training.objective == OBJECTIVE_NEXT_FRAME;
    Calibration *error = &t->judgement.error;
    if (!wanted || error->count || !pairs_sample(t->pairs, PAIRS_HELD_OUT))
        return 0;
    int code = learn_error(error, t->checkpoint_path, t->pairs, (int)t->training.batch, t->be);
    return code ? code : save(t);
}

typedef struct {
    double epoch_start, step_start;
    double loss_sum;
    int64_t loss_count;
} Clock;

static int report(Train *t, Clock *c, const StepReport *r, double stall, int64_t total) {
    Trainer *tr = t->trainer;
    double now = clock_seconds(), seconds = now - c->step_start;
    double rate = (double)train_images(&tr->settings) / seconds;
    c->step_start = now;
    c->loss_sum += r->loss.total;
    c->loss_count++;
    int code = run_log_step(t->log, tr, r, rate, stall);
    char label[48];
    snprintf(label, sizeof label, "epoch %lld/%lld",
             (long long)((tr->step - 1) / tr->steps_per_epoch + 1), (long long)tr->settings.epochs);
    progress_draw(label, tr->step, total, "loss %.4f (N %.4f P %.4f C %.4f)  %.1f images/s",
                  r->loss.total, r->loss.normal_int + r->loss.normal_gd,
                  r->loss.pseudo_int + r->loss.pseudo_gd, r->loss.consistency, rate);
    if (!code && tr->step % tr->steps_per_epoch == 0) {
        double mean = c->loss_sum / (double)c->loss_count;
        char part[48] = "";
        if (c->loss_count < tr->steps_per_epoch)
            snprintf(part, sizeof part, " (its last %lld steps)", (long long)c->loss_count);
        log_info("%s  step %lld  mean loss %.5f  %.1f s%s", label, (long long)tr->step, mean,
                 now - c->epoch_start, part);
        code = run_log_epoch(t->log, tr, c->loss_count, mean, now - c->epoch_start);
        if (!code)
            code = keep_epoch(t);
        *c = (Clock){.epoch_start = now, .step_start = now};
    }
    return code;
}

/* Saves what was learned before a failure. The user is still told of the failure. */
static int save_after_failure(Train *t, int code, int64_t saved) {
    char reason[ERR_TEXT];
    snprintf(reason, sizeof reason, "%s", err_text());
    if (t->trainer->step > 0 && t->trainer->step != saved && t->be->sync(t->be) == 0 &&
        save(t) == 0)
        log_info("saved     step %lld", (long long)t->trainer->step);
    return err_set(code, "%s", reason);
}

/* Prints the command that resumes the run, with all options that the checkpoint does not hold. */
static int tell_stopped(const Train *t, int64_t total) {
    TrainArgs args = t->args;
    ComputeArgs compute = t->compute;
    args.output = NULL; /* stands before the others */
    args.resume = false;
    const OptGroup groups[] = {
        {"Run", run_options, &args}, {"Compute", compute_options, &compute}, {NULL, NULL, NULL}};
    char *path = shell_word(t->args.output), *rest = opt_command(groups);
    int code = path && rest ? ERR_STOPPED : ERR_FAIL;
    if (code == ERR_STOPPED)
        log_info("stopped at step %lld of %lld; continue with: normalcy %s --resume -o %s%s",
                 (long long)t->trainer->step, (long long)total, t->command->name, path, rest);
    mem_free(path);
    mem_free(rest);
    return code;
}

/* Steps of all epochs; without a network there are none. */
static int64_t steps_of(const Train *t) {
    return t->network.depth ? t->training.epochs * t->trainer->steps_per_epoch : 0;
}

/* Before the network, so that every checkpoint has it. It needs the footage alone. */
static int learn(Train *t) {
    int code = 0;
    if (t->command->judges && !t->judgement.stays) {
        motion_model_free(&t->judgement.motion);
        code = learn_scene(&t->judgement, &t->dataset->train, t->be);
        t->unsaved = t->judgement.motion;
    }
    t->trainer->judgement = &t->judgement;
    if (code == ERR_STOPPED && t->args.resume)
        return tell_stopped(t, steps_of(t));
    if (code == ERR_STOPPED)
        log_info("stopped before the first step: the same command begins again");
    return code;
}

static int loop(Train *t) {
    Trainer *tr = t->trainer;
    int64_t total = steps_of(t);
    if (t->args.steps > 0 && t->args.steps < total)
        total = t->args.steps;
    Clock clock = {.epoch_start = clock_seconds(), .step_start = clock_seconds()};
    int code = 0;
    int64_t saved = t->args.resume && !t->unsaved ? tr->step : -1;
    while (!code && tr->step < total && !stop_requested()) {
        PairBatch batch;
        StepReport r;
        code = pairs_next(t->pairs, &batch);
        if (code == ERR_STOPPED) { /* the signal reached the decoding thread first */
            code = 0;
            break;
        }
        calibration_free(&t->judgement.error); /* of other weights */
        if (!code)
            code = trainer_step(tr, &batch, &r);
        if (!code)
            code = report(t, &clock, &r, batch.stall, total);
        if (!code && tr->step % t->args.checkpoint_every == 0) {
            code = save(t);
            saved = tr->step;
        }
    }
    progress_end();
    if (code)
        return save_after_failure(t, code, saved);
    if (saved != tr->step)
        code = save(t);
    if (!code && !stop_requested())
        code = learn_errors(t);
    if ((!code || code == ERR_STOPPED) && stop_requested())
        return tell_stopped(t, total);
    if (!code)
        log_info("done      %lld steps; %s", (long long)tr->step, t->checkpoint_path);
    return code;
}

/* Writes the usage text and the recipes that the command knows. */
static void tell_usage(char *buf, size_t n, const char *usage) {
    size_t used = (size_t)snprintf(buf, n, "%s\nRecipes:\n", usage);
    for (const Recipe *r = recipes; r->name && used < n; r++)
        used += (size_t)snprintf(buf + used, n - used, "  %-26s %s\n", r->name, r->about);
}

static int run(const Command *command, int argc, char **argv) {
    char usage[4096];
    Train t = {.command = command, .lock = NO_LOCK};
    const OptGroup groups[] = {{"Run", run_options, &t.args},
                               {"Start", start_options, &t.args},
                               {"Compute", compute_options, &t.compute},
                               {"Network", vit_options, &t.network},
                               {"Training", train_options, &t.training},
                               {NULL, NULL, NULL}};
    memcpy(t.groups, groups, sizeof groups);
    tell_usage(usage, sizeof usage, command->usage);
    if (help_wanted(argc, argv)) { /* with the defaults of a run without a preset */
        int failed = opt_defaults(t.groups) || begin(&t, NULL, NULL, false);
        if (!failed)
            help_print(usage, t.groups);
        train_close(&t);
        return failed ? exit_code(ERR_FAIL, command->name) : EXIT_OK;
    }
    int code = parse(&t, argc, argv);
    if (!code)
        code = open_data(&t);
    if (!code)
        code = open_run(&t);
    if (!code)
        code = learn(&t);
    if (!code)
        code = loop(&t);
    train_close(&t);
    return exit_code(code, command->name);
}

int cmd_train(int argc, char **argv) {
    static const Command train = {"train", train_usage, "footage", "", true};
    return run(&train, argc, argv);
}

int cmd_pretrain(int argc, char **argv) {
    static const Command pretrain = {"pretrain", pretrain_usage, NULL, pretrain_options, false};
    return run(&pretrain, argc, argv);
}
