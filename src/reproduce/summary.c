#include "reproduce/summary.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/system.h"
#include "base/words.h"
#include "train/settings.h"

const char reproduce_note[] =
    "Here: micro AUROC by the paper's protocol for this data set, mean over the seeds. 95 %: "
    "bootstrap over the test clips, widened for their number, each end a mean over the seeds; the "
    "seeds' own spread stands beside it.";

/* ---- rows. */

ReproduceSummary reproduce_summary(const Reproduction *r, int row) {
    ReproduceSummary s = {.least = INFINITY, .most = -INFINITY};
    ReproduceFigures *m = &s.mean;
    for (int i = 0; i < r->seed_count; i++) {
        const ReproduceFigures *f = &r->run[row][i].figures;
        size_t used = strlen(s.seeds);
        if (!r->run[row][i].done)
            continue;
        snprintf(s.seeds + used, sizeof s.seeds - used, "%s%lld", used ? ", " : "",
                 (long long)r->seeds[i]);
        s.done++;
        m->auroc += f->auroc, m->low += f->low, m->high += f->high;
        m->per_clip += f->per_clip, m->per_clip_macro += f->per_clip_macro;
        m->global += f->global, m->global_macro += f->global_macro;
        m->psnr += f->psnr, m->oracle += f->oracle;
        m->frames = f->frames;
        s.epoch_seconds += r->run[row][i].epoch_seconds;
        s.least = fmin(s.least, f->auroc);
        s.most = fmax(s.most, f->auroc);
    }
    double n = s.done ? s.done : NAN;
    m->auroc /= n, m->low /= n, m->high /= n;
    m->per_clip /= n, m->per_clip_macro /= n, m->global /= n, m->global_macro /= n;
    m->psnr /= n, m->oracle /= n;
    s.epoch_seconds /= n;
    return s;
}

int64_t reproduce_most_frames(const Reproduction *r) {
    int64_t most = 0;
    for (int i = 0; i < r->row_count; i++) {
        int64_t frames = reproduce_summary(r, i).mean.frames;
        most = frames > most ? frames : most;
    }
    return most;
}

bool reproduce_has_oracle(const Reproduction *r) {
    for (int i = 0; i < r->row_count; i++)
        if (isfinite(reproduce_summary(r, i).mean.oracle))
            return true;
    return false;
}

/* ---- facts. */

/* Appends text and cuts off what does not fit. */
static void append(char *buf, size_t n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void append(char *buf, size_t n, const char *format, ...) {
    va_list args;
    size_t used = strlen(buf);
    va_start(args, format);
    vsnprintf(buf + used, n - used, format, args);
    va_end(args);
}

/* Appends the words of a list, each preceded by `before`. */
static void append_words(char *buf, size_t n, const char *before, const char *list) {
    for (Words w = words_of(list); words_next(&w);) {
        bool apart = *buf && buf[strlen(buf) - 1] != ' ';
        append(buf, n, "%s%s%.*s", apart ? " " : "", before, w.length, w.text);
    }
}

char *reproduce_machine(char *buf, size_t n, const Reproduction *r) {
    char name[128];
    long long threads = system_cpu_count();
    for (Words w = words_of(r->settings); words_next(&w);) {
        const char *value = words_value(&w, "threads");
        if (value && strtoll(value, NULL, 10) > 0)
            threads = strtoll(value, NULL, 10);
    }
    snprintf(buf, n, "%s, %lld thread%s", system_cpu_name(name, sizeof name), threads,
             threads == 1 ? "" : "s");
    return buf;
}

char *reproduce_made_by(char *buf, size_t n, const Reproduction *r) {
    buf[0] = 0;
    for (int row = 0; row < r->row_count; row++)
        for (int seed = 0; seed < r->seed_count; seed++) {
            const char *by = r->run[row][seed].made_by;
            if (*by && !strstr(buf, by))
                append(buf, n, "%s%s", *buf ? "; " : "", by);
        }
    return buf;
}

char *reproduce_caution(char *buf, size_t n, const Reproduction *r) {
    buf[0] = 0;
    if (reproduce_truth(r) != TRUTH_OTHER)
        return buf;
    append(
        buf, n,
        "Not like with like: the ground truth here, %s (hash %s), is not the paper's%s. So the "
        "difference to the paper's figure is one of labels too.",
        r->labels, r->labels_hash,
        strcmp(r->set, "avenue") == 0
            ? " (most likely MLEP's JSON: 4835 of 15324 frames abnormal, Avenue's masks have 3712)"
            : "");
    return buf;
}

/* Appends everything that differs from the paper. */
static void changes(char *buf, size_t n, const Reproduction *r) {
    if (!r->init)
        append(buf, n, "no pre-trained weights; ");
    if (!r->init && strcmp(r->size, "base") != 0)
        append(buf, n, "size %s; ", r->size);
    Words settings = words_of(r->settings);
    if (words_next(&settings))
        append_words(buf, n, "", r->settings);
    else
        append(buf, n, "no other setting");
}

static void commands(char *buf, size_t n, const Reproduction *r) {
    char compute[512];
    append(buf, n, "normalcy train %s --output=RUN --preset=%s --recipe=RECIPE --%s=%s --seed=N",
           r->data, r->set, r->init ? "init" : "size", r->init ? r->init : r->size);
    append_words(buf, n, "--", r->settings);
    append(buf, n, " OPTIONS; normalcy eval RUN %s --output=RUN/eval%s", r->data,
           reproduce_has_oracle(r) ? " --checkpoints" : "");
    append_words(buf, n, "--", reproduce_compute(compute, sizeof compute, r));
}

/* Appends the options that define each row. */
static void definitions(char *buf, size_t n, const Reproduction *r) {
    for (int i = 0; i < r->row_count; i++) {
        const ReproduceRow *row = reproduce_row(r, i);
        append(buf, n, "%s%s: %s,", *buf ? "; " : "", row->name, row->recipe);
        append_words(buf, n, "--", recipe_find(row->recipe)->options);
        append_words(buf, n, "--", row->options);
    }
}

static char *add(ReproduceFacts *facts, const char *key) {
    facts->fact[facts->count].key = key;
    facts->fact[facts->count].value[0] = 0;
    return facts->fact[facts->count++].value;
}

void reproduce_facts(ReproduceFacts *facts, const Reproduction *r) {
    enum { SIZE = sizeof facts->fact[0].value };
    static const char *const known[] = {"", ": the paper's", ": not the paper's"};
    facts->count = 0;
    append(add(facts, "Data"), SIZE, "%s", r->data);
    if (*r->labels)
        append(add(facts, "Ground truth"), SIZE, "%s, hash %s%s", r->labels, r->labels_hash,
               known[reproduce_truth(r)]);
    append(add(facts, "Protocol"), SIZE, "PSNR, min-max %s, micro, no smoothing, last epoch",
           strcmp(r->set, "avenue") == 0 ? "over all clips" : "per clip");
    append(add(facts, "Start"), SIZE, "%s", r->init ? r->init : "random weights");
    append(add(facts, "Size"), SIZE, "%s", r->init ? "that of the start" : r->size);
    changes(add(facts, "Changed from the paper"), SIZE, r);
    char *seeds = add(facts, "Seeds");
    for (int i = 0; i < r->seed_count; i++)
        append(seeds, SIZE, "%s%lld", i ? ", " : "", (long long)r->seeds[i]);
    reproduce_made_by(add(facts, "Trained by"), SIZE, r);
    if (!*facts->fact[facts->count - 1].value)
        facts->count--;
    reproduce_machine(add(facts, "This machine"), SIZE, r);
    commands(add(facts, "Each row"), SIZE, r);
    definitions(add(facts, "Each row's RECIPE, OPTIONS"), SIZE, r);
}
