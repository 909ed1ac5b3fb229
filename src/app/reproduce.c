#include "app/reproduce.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

const char *const reproduce_sets[] = {"ped2", "avenue", "shanghaitech", NULL};

/* Table 4 names no data set; its last row is the 76.57 that Table 1 has for ShanghaiTech. */
const ReproduceRow reproduce_rows[] = {
    {"ours", "pseudo anomalies and consistency (ours)", "Tables 1 to 4", {95.5, 87.63, 76.57}},
    {"ablation/ae", "autoencoder only", "Table 4, row 1", {NAN, NAN, 73.2}},
    {"ablation/mask",
     "masked frames with p = 0.2, no consistency",
     "Table 4, row 2",
     {NAN, NAN, 75.46}},
    {"ablation/no-consistency", "both passes, no consistency", "not in the paper", {NAN, NAN, NAN}},
    {"lnra/patch", "LNRA's patches on this network", "Tables 2, 3", {NAN, NAN, NAN}},
    {"lnra/skip",
     "LNRA's skipped frames on this network; one frame cannot show a skip",
     "not in the paper",
     {NAN, NAN, NAN}},
    {"steal",
     "STEAL's negative loss on this network; one frame cannot show a skip",
     "not in the paper",
     {NAN, NAN, NAN}},
    {"frame-pred",
     "Frame-Pred's objective on this network: 4 frames in, no flow, no GAN",
     "not in the paper",
     {NAN, NAN, NAN}},
    {"memae", "MemAE's memory on this network's tokens", "not in the paper", {NAN, NAN, NAN}},
    {"mnad",
     "MNAD's memory on this network's tokens: 4 frames in, scored by PSNR alone",
     "not in the paper",
     {NAN, NAN, NAN}},
};

int reproduce_row_count(void) {
    return (int)(sizeof reproduce_rows / sizeof *reproduce_rows);
}

void reproduce_folder(char *buf, size_t n, const Reproduction *r, int row, int seed) {
    snprintf(buf, n, "%s/%s-seed%lld", r->output, reproduce_rows[r->rows[row]].recipe,
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

/* The ground truth that the paper's figures are of, where the data has several (method B.2): MLEP's
 * JSON on Avenue, else the first. */
static const char *truth_of(const Reproduction *r, const Json *rows) {
    const Json *found = js_at(rows, 0);
    for (size_t i = 0; i < js_count(rows) && strcmp(r->set, "avenue") == 0; i++) {
        const char *name = js_text_of(js_get(js_at(rows, i), "labels"));
        if (name && file_has_extension(name, "json"))
            found = js_at(rows, i);
    }
    const char *name = js_text_of(js_get(found, "labels"));
    return name ? name : "";
}

static void take_rows(ReproduceRun *run, Reproduction *r, const Json *rows, bool one_frame) {
    snprintf(r->labels, sizeof r->labels, "%s", truth_of(r, rows));
    for (size_t i = 0; i < js_count(rows); i++) {
        const Json *row = js_at(rows, i);
        if (!is(row, "labels", r->labels) || !is(row, "score", "frame"))
            continue;
        double micro = number(row, "auroc_micro");
        if (is(row, "model", "persistence")) {
            if (one_frame && is(row, "protocol", protocol_of(r)))
                r->persistence = micro; /* on the same frames whichever run it stands beside */
            continue;
        }
        if (is(row, "protocol", "per-clip")) {
            run->per_clip = micro;
            run->macro = number(row, "auroc_macro");
            run->psnr = number(row, "psnr");
        } else if (is(row, "protocol", "global")) {
            run->global = micro;
        }
        if (is(row, "protocol", protocol_of(r))) {
            run->auroc = micro;
            run->low = number(row, "auroc_micro_low");
            run->high = number(row, "auroc_micro_high");
            run->done = true;
        }
    }
}

/* Lines of a log, parsed one by one: calls f until it says stop. */
static int each_line(const char *path, void (*f)(void *ctx, const Json *line), void *ctx) {
    char *text;
    size_t bytes;
    int code = file_read(path, (size_t)1 << 30, &text, &bytes);
    if (code)
        return code;
    for (char *at = text; *at;) {
        size_t n = strcspn(at, "\n");
        Json *line = js_parse(at, n);
        if (line)
            f(ctx, line);
        js_free(line);
        at += n + (at[n] == '\n');
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

int reproduce_read_run(ReproduceRun *run, Reproduction *r, const char *folder) {
    char path[4400];
    *run = (ReproduceRun){0};
    snprintf(path, sizeof path, "%s/eval/results.json", folder);
    if (!file_exists(path))
        return 0;
    char *text;
    size_t bytes;
    int code = file_read(path, (size_t)1 << 26, &text, &bytes);
    if (code)
        return code;
    Json *top = js_parse(text, bytes);
    mem_free(text);
    if (!top)
        return err_context(ERR_FAIL, "%s", path);
    int64_t per_epoch = 0, frames = 0;
    js_int_of(js_get(js_get(top, "model"), "steps_per_epoch"), &per_epoch);
    js_int_of(js_get(js_get(top, "model"), "frames"), &frames);
    take_rows(run, r, js_get(top, "rows"), frames == 1);
    run->steps_per_epoch = per_epoch;
    run->epoch_seconds = NAN;
    js_free(top);
    Epochs epochs = {0};
    snprintf(path, sizeof path, "%s/log.jsonl", folder);
    if (file_exists(path))
        code = each_line(path, add_epoch, &epochs);
    if (epochs.steps)
        run->epoch_seconds = epochs.seconds / (double)epochs.steps * (double)per_epoch;
    return code;
}

/* ---- what a folder's runs are made with. */

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
    char path[4400], *text = NULL;
    size_t bytes;
    FileOut *f = NULL;
    claims(value, r);
    snprintf(path, sizeof path, "%s/reproduction.json", r->output);
    Json *json = NULL;
    int code = 0;
    if (file_exists(path)) {
        code = file_read(path, 1 << 20, &text, &bytes);
        json = code ? NULL : js_parse(text, bytes);
        if (!code)
            code = json ? compare_claim(json, value, path) : err_context(ERR_FAIL, "%s", path);
    } else {
        json = js_object();
        for (int i = 0; i < CLAIMS; i++)
            js_set_text(json, claim_keys[i], value[i]);
        text = js_text(json, true);
        code = text ? file_create(&f, path) : ERR_FAIL;
        if (!code) {
            file_printf(f, "%s\n", text);
            code = file_commit(&f);
        }
    }
    js_free(json);
    mem_free(text);
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

int reproduce_read_time(ReproduceTime *time, const char *log_path) {
    Steps *s = mem_alloc(1, sizeof *s);
    int code = s ? each_line(log_path, add_step, s) : ERR_FAIL;
    if (!code && s->count == 0)
        code =
            err_set(ERR_FAIL, "%s: fewer than %d steps: too few for a time", log_path, WARM_UP + 1);
    if (!code)
        *time = (ReproduceTime){median(s->step, s->count), median(s->compute, s->count)};
    mem_free(s);
    return code;
}
