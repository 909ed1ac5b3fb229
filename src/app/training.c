#include "app/training.h"

#include <stdio.h>
#include <string.h>

#include "app/common.h"
#include "app/footage.h"
#include "app/learn_error.h"
#include "app/learn_scene.h"
#include "app/load_init.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/shell_word.h"
#include "base/stop.h"
#include "base/system.h"

const Opt training_run_options[] = {
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

void training_close(Train *t) {
    run_log_free(&t->log);
    file_unlock(t->lock);
    trainer_free(&t->trainer);
    pairs_free(&t->pairs); /* its thread looks at what is ignored */
    judgement_free(&t->judgement);
    backend_free(&t->be);
    dataset_free(&t->dataset);
    mem_free(t->shown);
    safetensors_free(&t->checkpoint);
    mem_free(t->checkpoint_path);
    mem_free(t->log_path);
    mem_free(t->settings_path);
    checkpoint_info_free(&t->stored);
    opt_free(t->groups);
}

int training_paths(Train *t) {
    if (!t->args.output)
        return err_set(ERR_USAGE, "no folder for the run: give -o RUN");
    t->checkpoint_path = mem_printf("%s/" CHECKPOINT_NAME, t->args.output);
    t->log_path = mem_printf("%s/log.jsonl", t->args.output);
    t->settings_path = mem_printf("%s/settings.yaml", t->args.output);
    return t->checkpoint_path && t->log_path && t->settings_path ? 0 : ERR_FAIL;
}

int training_check_new(const Train *t) {
    if (t->args.resume || !file_exists(t->checkpoint_path))
        return 0;
    return err_set(ERR_USAGE,
                   "%s is there already: --resume continues that run, another -o begins a new one",
                   t->checkpoint_path);
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
                     .ignore = t->judgement.ignore,
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
    char interval[48] = "", held_out[48] = "", ignored[64] = "";
    if (t->judgement.ignore)
        snprintf(ignored, sizeof ignored, ", ignores %.1f %% of the picture",
                 100 * ignore_share(t->judgement.ignore));
    if (pairs_interval(t->pairs) > 0)
        snprintf(interval, sizeof interval, ", a frame every %.3g s", pairs_interval(t->pairs));
    if (pairs_sample(t->pairs, PAIRS_HELD_OUT) > 0)
        snprintf(held_out, sizeof held_out, ", %lld held out",
                 (long long)pairs_sample(t->pairs, PAIRS_HELD_OUT));
    log_info("data      %s: %d clips%s, %lld pairs%s, %lld steps an epoch%s", t->shown,
             t->dataset->train.count, interval, (long long)pairs_count(t->pairs), held_out,
             (long long)pairs_steps_per_epoch(t->pairs), ignored);
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

/* The footage is open already, with what is ignored in it. */
static int load_judgement(Train *t) {
    Ignore *ignore = t->judgement.ignore;
    int code = judgement_load(&t->judgement, t->checkpoint, t->checkpoint_path);
    mem_free(t->judgement.ignore);
    t->judgement.ignore = ignore;
    return code;
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
            code = load_judgement(t);
        safetensors_free(&t->checkpoint);
        if (!code)
            tell_resumed(t);
    }
    if (!code)
        code = file_make_folder(t->args.output);
    if (!code && t->lock == NO_LOCK)
        code = file_lock_folder(&t->lock, t->args.output);
    if (!code)
        code = training_check_new(t); /* again: another run may have ended there since */
    if (!code)
        code = file_probe(t->checkpoint_path);
    if (!code) /* the settings, as --config reads them; --ignore is in the checkpoint alone */
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
    const OptGroup groups[] = {{"Run", training_run_options, &args},
                               {"Compute", compute_options, &compute},
                               {NULL, NULL, NULL}};
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

int training_run(Train *t) {
    int code = open_data(t);
    if (!code)
        code = open_run(t);
    if (!code)
        code = learn(t);
    return code ? code : loop(t);
}
