#include "reproduce/report.h"

#include <math.h>
#include <stdio.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "reproduce/page.h"
#include "reproduce/summary.h"

/* ---- text. */

static void cell(FileOut *f, const char *format, double value) {
    file_printf(f, " | ");
    if (isfinite(value))
        file_printf(f, format, value);
    else
        file_printf(f, "-");
}

/* Writes foreign text on one line, escaped so that it opens no cell of a table. */
static void text(FileOut *f, const char *s) {
    for (; *s; s++) {
        if (*s == '|')
            file_write(f, "\\", 1);
        file_write(f, *s == '\n' || *s == '\r' ? " " : s, 1);
    }
}

static void figure_cells(FileOut *f, const ReproduceFigures *m) {
    const double columns[] = {m->per_clip,     m->per_clip_macro, m->global,
                              m->global_macro, m->oracle,         m->psnr};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        cell(f, "%.2f", columns[i]);
    cell(f, "%.0f", m->frames ? (double)m->frames : NAN);
}

static void write_row(FileOut *f, const Reproduction *r, int i) {
    const ReproduceRow *row = reproduce_row(r, i);
    ReproduceSummary s = reproduce_summary(r, i);
    file_printf(f, "| %s | %s", row->name, row->where);
    cell(f, "%.2f", row->paper[r->set_index]);
    cell(f, "%.2f", s.mean.auroc);
    cell(f, "%.2f", s.mean.low);
    cell(f, "%.2f", s.mean.high);
    file_printf(f, " | %s", s.done ? s.seeds : "-");
    cell(f, "%.2f", s.least);
    cell(f, "%.2f", s.most);
    figure_cells(f, &s.mean);
    cell(f, "%.1f", s.done ? s.epoch_seconds : NAN);
    file_printf(f, " |\n");
}

static int write_markdown(const Reproduction *r, const char *path) {
    FileOut *f = NULL;
    char caution[1024];
    int code = file_create(&f, path);
    if (code)
        return code;
    file_printf(f, "# Reproduction on %s\n\n", r->set);
    if (*reproduce_caution(caution, sizeof caution, r)) {
        file_printf(f, "**");
        text(f, caution);
        file_printf(f, "**\n\n");
    }
    file_printf(f, "| row | in the paper | paper | here | low | high | seeds | least | most | per "
                   "clip, micro | per clip, macro | global, micro | global, macro | best on the "
                   "test | PSNR | frames scored | s an epoch |\n");
    for (int i = 0; i < 17; i++)
        file_printf(f, "| --- ");
    file_printf(f, "|\n");
    for (int i = 0; i < r->row_count; i++)
        write_row(f, r, i);
    if (r->persistence.frames) {
        file_printf(f, "| persistence | - | -");
        cell(f, "%.2f", r->persistence.auroc);
        cell(f, "%.2f", r->persistence.low);
        cell(f, "%.2f", r->persistence.high);
        file_printf(f, " | - | - | -");
        figure_cells(f, &r->persistence);
        file_printf(f, " | - |\n");
    }
    file_printf(f,
                "\n%s A row with fewer frames scored needs more input frames: its figures are of "
                "other frames than those of ours.\n\n",
                reproduce_note);
    ReproduceFacts facts;
    reproduce_facts(&facts, r);
    for (int i = 0; i < facts.count; i++) {
        file_printf(f, "- %s: ", facts.fact[i].key);
        text(f, facts.fact[i].value);
        file_printf(f, "\n");
    }
    file_printf(f, "- Written by: normalcy " NORMALCY_VERSION "\n");
    return file_commit(&f);
}

/* ---- numbers. */

static void set_figures(Json *j, const ReproduceFigures *m) {
    js_set_number(j, "auroc", m->auroc);
    js_set_number(j, "low", m->low);
    js_set_number(j, "high", m->high);
    js_set_number(j, "per_clip_micro", m->per_clip);
    js_set_number(j, "per_clip_macro", m->per_clip_macro);
    js_set_number(j, "global_micro", m->global);
    js_set_number(j, "global_macro", m->global_macro);
    js_set_number(j, "oracle", m->oracle);
    js_set_number(j, "psnr", m->psnr);
    js_set_int(j, "frames", m->frames);
}

static Json *run_json(const Reproduction *r, int row, int seed) {
    const ReproduceRun *run = &r->run[row][seed];
    Json *j = js_object();
    js_set_int(j, "seed", r->seeds[seed]);
    set_figures(j, &run->figures);
    js_set_number(j, "epoch_seconds", run->epoch_seconds);
    js_set_text(j, "made_by", run->made_by);
    return j;
}

static double known(double seconds) {
    return seconds > 0 ? seconds : NAN;
}

static Json *row_json(const Reproduction *r, int i) {
    const ReproduceRow *row = reproduce_row(r, i);
    Json *j = js_object(), *runs = js_array();
    for (int s = 0; s < r->seed_count; s++)
        if (r->run[i][s].done)
            js_append(runs, run_json(r, i, s));
    js_set_text(j, "row", row->name);
    js_set_text(j, "recipe", row->recipe);
    js_set_text(j, "options", row->options);
    js_set_number(j, "paper", row->paper[r->set_index]);
    js_set_number(j, "step_seconds", known(r->time[i].step_seconds));
    js_set_number(j, "compute_seconds", known(r->time[i].compute_seconds));
    js_set(j, "runs", runs);
    return j;
}

static Json *reproduction_json(const Reproduction *r) {
    static const char *const known_as[] = {"unknown", "the paper's", "not the paper's"};
    char machine[256];
    Json *top = js_object(), *rows = js_array(), *seeds = js_array();
    js_set_text(top, "version", NORMALCY_VERSION);
    js_set_text(top, "machine", reproduce_machine(machine, sizeof machine, r));
    js_set_text(top, "set", r->set);
    js_set_text(top, "data", r->data);
    js_set_text(top, "init", r->init ? r->init : "");
    js_set_text(top, "size", r->init ? "" : r->size);
    js_set_text(top, "settings", r->settings);
    js_set_text(top, "labels", r->labels);
    js_set_text(top, "labels_hash", r->labels_hash);
    js_set_text(top, "labels_known_as", known_as[reproduce_truth(r)]);
    for (int i = 0; i < r->seed_count; i++)
        js_append_int(seeds, r->seeds[i]);
    js_set(top, "seeds", seeds);
    if (r->persistence.frames) {
        Json *persistence = js_object();
        set_figures(persistence, &r->persistence);
        js_set(top, "persistence", persistence);
    }
    for (int i = 0; i < r->row_count; i++)
        js_append(rows, row_json(r, i));
    js_set(top, "rows", rows);
    return top;
}

static int write_json(const Reproduction *r, const char *path) {
    Json *top = reproduction_json(r);
    int code = js_write_file(top, path);
    js_free(top);
    return code;
}

int reproduce_write(const Reproduction *r, bool pictures) {
    char path[4400];
    snprintf(path, sizeof path, "%s/results.json", r->output);
    int code = write_json(r, path);
    snprintf(path, sizeof path, "%s/report.md", r->output);
    if (!code)
        code = write_markdown(r, path);
    snprintf(path, sizeof path, "%s/report.html", r->output);
    return code ? code : reproduce_page(r, path, pictures);
}
