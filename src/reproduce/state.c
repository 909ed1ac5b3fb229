#include "reproduce/state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/words.h"
#include "compute/compute_options.h"
#include "model/model_file.h"

const ReproduceRow *reproduce_row(const Reproduction *r, int row) {
    return &reproduce_rows[r->rows[row]];
}

void reproduce_folder(char *buf, size_t n, const Reproduction *r, int row, int seed) {
    snprintf(buf, n, "%s/%s-seed%lld", r->output, reproduce_row(r, row)->name,
             (long long)r->seeds[seed]);
}

/* ---- results.json of an evaluation. */

static double number(const Json *row, const char *key) {
    double value = NAN;
    js_number_of(js_get(row, key), &value);
    return value;
}

static bool is(const Json *row, const char *key, const char *text) {
    const char *found = js_text_of(js_get(row, key));
    return found && strcmp(found, text) == 0;
}

/* The paper scores Avenue with one min-max over all clips, the others per clip (method B.2). */
static const char *protocol_of(const Reproduction *r) {
    return strcmp(r->set, "avenue") == 0 ? "global" : "per-clip";
}

/* Hashes (data/labels.h) of the paper's ground truths, known from its authors' code. Ped2's is the
 * usual one. Avenue's is MLEP's JSON, which labels 4835 frames of 15324 (method B.2). NULL: not
 * known. */
static const char *const paper_truth[REPRODUCE_SETS] = {"1a794057832d4fbb", "bb153d5a958451d6",
                                                        NULL};

ReproduceTruth reproduce_truth(const Reproduction *r) {
    const char *wanted = paper_truth[r->set_index];
    if (!wanted || !*r->labels_hash)
        return TRUTH_UNKNOWN;
    return strcmp(r->labels_hash, wanted) == 0 ? TRUTH_PAPER : TRUTH_OTHER;
}

static int rank(const Reproduction *r, const char *variant, const char *hash) {
    const char *wanted = paper_truth[r->set_index];
    if (wanted && strcmp(hash, wanted) == 0)
        return 2;
    return strcmp(r->set, "avenue") == 0 && file_has_extension(variant, "json");
}

void reproduce_offer_truth(Reproduction *r, const char *variant, const char *hash) {
    if (*r->labels_hash && rank(r, variant, hash) <= rank(r, r->labels, r->labels_hash))
        return;
    snprintf(r->labels, sizeof r->labels, "%s", variant);
    snprintf(r->labels_hash, sizeof r->labels_hash, "%s", hash);
}

/* Does the row count? Its score must be the frame's, its ground truth the reproduction's. */
static bool is_ours(const Reproduction *r, const Json *row) {
    return is(row, "labels_hash", r->labels_hash) && is(row, "score", "frame");
}

static void take_row(ReproduceFigures *f, const Reproduction *r, const Json *row) {
    double micro = number(row, "auroc_micro"), macro = number(row, "auroc_macro");
    if (is(row, "protocol", "per-clip")) {
        f->per_clip = micro;
        f->per_clip_macro = macro;
    } else if (is(row, "protocol", "global")) {
        f->global = micro;
        f->global_macro = macro;
    }
    if (is(row, "protocol", protocol_of(r))) {
        f->auroc = micro;
        f->low = number(row, "auroc_micro_low");
        f->high = number(row, "auroc_micro_high");
        f->psnr = number(row, "psnr");
        js_int_of(js_get(row, "frames"), &f->frames);
    }
}

static void take_figures(ReproduceFigures *run, ReproduceFigures *persistence,
                         const Reproduction *r, const Json *top) {
    const Json *rows = js_get(top, "rows"), *oracle = js_get(top, "oracle");
    *run = *persistence = (ReproduceFigures){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0};
    for (size_t i = 0; i < js_count(rows); i++)
        if (is_ours(r, js_at(rows, i)))
            take_row(is(js_at(rows, i), "model", "persistence") ? persistence : run, r,
                     js_at(rows, i));
    for (size_t i = 0; i < js_count(oracle); i++)
        if (is_ours(r, js_at(oracle, i)) && is(js_at(oracle, i), "protocol", protocol_of(r)))
            run->oracle = number(js_at(oracle, i), "auroc_micro");
}

/* Parses a log line by line and calls f for each line that is JSON. */
static int each_line(const char *path, void (*f)(void *ctx, const Json *line), void *ctx) {
    char *text;
    size_t bytes;
    int code = file_read(path, (size_t)1 << 30, &text, &bytes);
    if (code)
        return code;
    for (Words w = words_of(text); words_next_part(&w, '\n');) {
        Json *line = js_parse(w.text, (size_t)w.length);
        if (line)
            f(ctx, line);
        js_free(line);
    }
    mem_free(text);
    return 0;
}

typedef struct {
    double seconds;
    int64_t steps;
} Epochs;

static void add_epoch(void *ctx, const Json *line) {
    Epochs *e = ctx;
    int64_t steps;
    if (is(line, "event", "epoch") && js_int_of(js_get(line, "steps"), &steps)) {
        e->seconds += number(line, "seconds");
        e->steps += steps;
    }
}

/* Reads from the checkpoint which program and processor made it. */
static int read_made_by(ReproduceRun *run, const char *folder) {
    char path[4400];
    model_path(path, sizeof path, folder);
    if (!file_exists(path))
        return 0;
    Safetensors *file = NULL;
    ModelInfo info;
    int code = safetensors_open(&file, path);
    if (!code)
        code = model_info(&info, file, path);
    if (!code)
        snprintf(run->made_by, sizeof run->made_by, "normalcy %s on %s", info.version,
                 info.compute);
    safetensors_free(&file);
    return code;
}

static int read_epochs(ReproduceRun *run, const char *folder) {
    char path[4400];
    Epochs epochs = {0};
    snprintf(path, sizeof path, "%s/log.jsonl", folder);
    int code = file_exists(path) ? each_line(path, add_epoch, &epochs) : 0;
    run->epoch_seconds =
        epochs.steps ? epochs.seconds / (double)epochs.steps * (double)run->steps_per_epoch : NAN;
    return code;
}

int reproduce_read_run(ReproduceRun *run, Reproduction *r, const char *folder) {
    static const char *const files[] = {"eval/scores.csv", "eval/report.html", "eval/results.json"};
    char path[4400];
    *run = (ReproduceRun){0};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        if (!file_exists(path))
            return 0;
    }
    Json *top;
    int code = js_read_file(&top, path, (size_t)1 << 26);
    if (code)
        return code;
    ReproduceFigures persistence;
    js_int_of(js_get(js_get(top, "model"), "steps_per_epoch"), &run->steps_per_epoch);
    take_figures(&run->figures, &persistence, r, top);
    bool first = is(js_get(top, "labels"), "hash", r->labels_hash);
    snprintf(run->label, sizeof run->label, first ? "label" : "label_%s", r->labels_hash);
    js_free(top);
    run->trained = true;
    run->done = run->figures.frames > 0;
    if (run->done && persistence.frames > r->persistence.frames)
        r->persistence = persistence;
    code = read_epochs(run, folder);
    return code ? code : read_made_by(run, folder);
}

/* ---- claiming a folder. */

static const char *const claim_keys[] = {"set", "data", "size", "init", "settings"};

enum { CLAIMS = sizeof claim_keys / sizeof *claim_keys };

static void claims(const char *value[CLAIMS], const Reproduction *r) {
    value[0] = r->set;
    value[1] = r->data;
    value[2] = r->init ? "" : r->size;
    value[3] = r->init ? r->init : "";
    value[4] = r->settings;
}

static int compare_claim(const Json *found, const char *const value[CLAIMS], const char *path) {
    for (int i = 0; i < CLAIMS; i++) {
        const char *was = js_text_of(js_get(found, claim_keys[i]));
        if (!was || strcmp(was, value[i]) != 0)
            return err_set(
                ERR_USAGE,
                "%s: the runs there were begun with %s \"%s\", now it is \"%s\"; give the "
                "same, or another folder",
                path, claim_keys[i], was ? was : "", value[i]);
    }
    return 0;
}

int reproduce_claim(const Reproduction *r) {
    const char *value[CLAIMS];
    char path[4400];
    claims(value, r);
    snprintf(path, sizeof path, "%s/reproduction.json", r->output);
    Json *json = NULL;
    int code = 0;
    for (int i = 0; i < CLAIMS && !code; i++)
        code = js_check_text(claim_keys[i], value[i]);
    if (code)
        return code;
    if (file_exists(path)) {
        code = js_read_file(&json, path, 1 << 20);
        if (!code)
            code = compare_claim(json, value, path);
    } else {
        json = js_object();
        for (int i = 0; i < CLAIMS; i++)
            js_set_text(json, claim_keys[i], value[i]);
        code = js_write_file(json, path);
    }
    js_free(json);
    return code;
}

/* ---- time. */

enum { WARM_UP = 3, MOST_STEPS = 1000 };

typedef struct {
    double step[MOST_STEPS], compute[MOST_STEPS];
    int64_t seen, count;
} Steps;

static void add_step(void *ctx, const Json *line) {
    Steps *s = ctx;
    double seconds = number(line, "seconds"), stall = number(line, "stall");
    if (js_get(line, "event") || !(seconds > 0) || s->seen++ < WARM_UP || s->count == MOST_STEPS)
        return;
    s->step[s->count] = seconds;
    s->compute[s->count++] = seconds - stall;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int64_t n) {
    qsort(x, (size_t)n, sizeof *x, ascending);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

int reproduce_read_time(ReproduceTime *time, const char *log_path, int64_t least) {
    Steps *s = mem_alloc(1, sizeof *s);
    int code = s ? each_line(log_path, add_step, s) : ERR_FAIL;
    least = least > WARM_UP ? least : WARM_UP + 1;
    if (!code && s->seen < least)
        code = err_set(ERR_FAIL, "%s: %lld steps, expected at least %lld for a time", log_path,
                       (long long)s->seen, (long long)least);
    if (!code)
        *time = (ReproduceTime){median(s->step, s->count), median(s->compute, s->count)};
    mem_free(s);
    return code;
}

/* ---- compute options. */

static bool is_compute(const Words *w) {
    for (const Opt *row = compute_options; row->name; row++)
        if (words_value(w, row->name))
            return true;
    return false;
}

char *reproduce_compute(char *buf, size_t n, const Reproduction *r) {
    size_t used = 0;
    buf[0] = 0;
    for (Words w = words_of(r->settings); words_next(&w);)
        if (is_compute(&w) && used + (size_t)w.length + 2 <= n)
            used +=
                (size_t)snprintf(buf + used, n - used, "%s%.*s", used ? " " : "", w.length, w.text);
    return buf;
}
