/* The report of a reproduction: one page, its text and its numbers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/frame_grid.h"
#include "app/reproduce.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "score/html.h"

/* Frame AUROC as published, by the authors' own protocols and labels (method F). */
static const struct {
    const char *name;
    double auroc[REPRODUCE_SETS];
} published[] = {
    {"Frame-Pred", {95.4, 85.1, 72.8}},
    {"LNRA, patch", {94.77, 84.91, 72.46}},
    {"LNRA, skip frame", {96.50, 84.67, 75.97}},
    {"STEAL", {98.4, 87.1, 73.7}},
    {"VEC", {97.3, 90.2, 74.8}},
    {"ASTNet", {97.4, 86.7, 73.6}},
    {"HF2-VAD", {99.3, 91.1, 76.2}},
    {"SSMTL", {97.5, 91.5, 82.4}},
    {"Jigsaw-VAD", {99.0, 92.2, 84.3}},
    {"DMAD", {99.7, 92.8, 78.8}},
    {"AED-MAE", {95.4, 91.3, 79.1}},
    {"AccI-VAD", {99.1, 93.7, 85.9}},
    {"VADMamba", {98.5, 91.5, 77.0}},
    {"MASA-RTNet", {97.3, 87.9, 74.5}},
};

/* Mean and spread over the seeds that are done. */
typedef struct {
    int done;
    double mean, least, most, low, high, per_clip, global, macro, psnr, epoch_seconds;
} Summary;

static Summary summarise(const Reproduction *r, int row) {
    Summary s = {.least = INFINITY, .most = -INFINITY};
    for (int i = 0; i < r->seed_count; i++) {
        const ReproduceRun *run = &r->run[row][i];
        if (!run->done)
            continue;
        s.done++;
        s.mean += run->auroc;
        s.low += run->low;
        s.high += run->high;
        s.per_clip += run->per_clip;
        s.global += run->global;
        s.macro += run->macro;
        s.psnr += run->psnr;
        s.epoch_seconds += run->epoch_seconds;
        s.least = fmin(s.least, run->auroc);
        s.most = fmax(s.most, run->auroc);
    }
    double n = s.done ? s.done : NAN;
    s.mean /= n, s.low /= n, s.high /= n, s.per_clip /= n, s.global /= n, s.macro /= n, s.psnr /= n,
        s.epoch_seconds /= n;
    return s;
}

static const ReproduceRow *row_of(const Reproduction *r, int row) {
    return &reproduce_rows[r->rows[row]];
}

/* ---- the page. */

static void auroc_cell(FileOut *f, double value) {
    file_printf(f, "</td><td>");
    html_number(f, "%.2f", value);
}

static void results_table(FileOut *f, const Reproduction *r) {
    file_printf(f, "<section class=\"panel\">\n<h2>Results beside the paper</h2>\n<div "
                   "class=\"scroll\"><table>\n<thead><tr><th>row</th><th>in the paper</th>"
                   "<th>paper<br>AUROC, %%</th><th>here<br>AUROC, %%</th><th>difference</th>"
                   "<th>95&nbsp;%% over<br>clips, mean</th><th>seeds<br>least to "
                   "most</th><th>global<br>min-max</th><th>macro</th>"
                   "<th>PSNR<br>dB</th><th>epoch<br>s</th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < r->row_count; i++) {
        const ReproduceRow *row = row_of(r, i);
        Summary s = summarise(r, i);
        file_printf(f, "<tr><td><b>");
        html_text(f, row->recipe);
        file_printf(f, "</b><br><span class=\"soft\">");
        html_text(f, row->name);
        file_printf(f, "</span></td><td>");
        html_text(f, row->where);
        auroc_cell(f, row->paper[r->set_index]);
        file_printf(f, "</td><td class=\"key\">");
        html_number(f, "%.2f", s.mean);
        file_printf(f, "</td><td>");
        html_margin(f, s.mean - row->paper[r->set_index]);
        file_printf(f, "</td><td>");
        if (isfinite(s.low))
            file_printf(f, "%.1f&ndash;%.1f", s.low, s.high);
        file_printf(f, "</td><td>");
        if (s.done > 1)
            file_printf(f, "%d: %.2f&ndash;%.2f", s.done, s.least, s.most);
        else
            file_printf(f, "%d", s.done);
        auroc_cell(f, s.global);
        auroc_cell(f, s.macro);
        auroc_cell(f, s.psnr);
        file_printf(f, "</td><td>");
        html_number(f, "%.0f", s.epoch_seconds);
        file_printf(f, "</td></tr>\n");
    }
    if (r->persistence > 0) {
        file_printf(f, "<tr class=\"base\"><td>persistence<br>predicts that nothing moves; needs "
                       "no learning</td><td>&ndash;</td><td>&ndash;");
        auroc_cell(f, r->persistence);
        file_printf(f,
                    "</td><td></td><td></td><td></td><td></td><td></td><td></td><td></td></tr>\n");
    }
    file_printf(f, "</tbody>\n</table></div>\n</section>\n");
}

static void time_table(FileOut *f, const Reproduction *r) {
    bool any = false;
    for (int i = 0; i < r->row_count; i++)
        any = any || r->time[i].step_seconds > 0;
    if (!any)
        return;
    file_printf(f,
                "<section class=\"panel\">\n<h2>Time of training, measured in turns</h2>\n<div "
                "class=\"scroll\"><table>\n<thead><tr><th>row</th><th>step, s</th><th>without "
                "waiting<br>for data, s</th><th>epoch<br>h</th><th>over<br>ours</th></tr></thead>"
                "\n<tbody>\n");
    double ours = NAN;
    for (int i = 0; i < r->row_count; i++)
        if (strcmp(row_of(r, i)->recipe, "ours") == 0)
            ours = r->time[i].step_seconds;
    for (int i = 0; i < r->row_count; i++) {
        const ReproduceTime *t = &r->time[i];
        if (t->step_seconds == 0)
            continue;
        file_printf(f, "<tr><td>");
        html_text(f, row_of(r, i)->recipe);
        file_printf(f, "</td><td>%.3f</td><td>%.3f</td><td>", t->step_seconds, t->compute_seconds);
        html_number(f, "%.4f",
                    r->run[i][0].done
                        ? t->step_seconds * (double)r->run[i][0].steps_per_epoch / 3600
                        : NAN);
        file_printf(f, "</td><td>");
        html_number(f, "%.2f", t->step_seconds / ours);
        file_printf(f, "</td></tr>\n");
    }
    file_printf(
        f, "</tbody>\n</table></div>\n<p class=\"soft small\">Rows with both passes run twice the "
           "images of the others in a step. Short runs on data that is not decoded yet; an epoch "
           "that finds its frames in memory waits less. The paper's Table 3 has 0.034&nbsp;h for "
           "an epoch of Ped2 on a GPU it does not name, and LNRA 9 to 22 times slower: most "
           "likely LNRA's data pipeline (16 frames and a mask filled in pixel by pixel in Python "
           "for each sample), so not to be expected here.</p>\n</section>\n");
}

static void published_table(FileOut *f, const Reproduction *r) {
    file_printf(f,
                "<section class=\"panel\">\n<h2>Published figures</h2>\n<p class=\"soft small\">"
                "Copied from the papers and their repositories, not run here; protocols and, on "
                "Avenue, labels differ among them.</p>\n<div class=\"scroll\"><table>\n<thead><tr>"
                "<th>method</th><th>AUROC, %%</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        file_printf(f, "<tr class=\"base\"><td>");
        html_text(f, published[i].name);
        auroc_cell(f, published[i].auroc[r->set_index]);
        file_printf(f, "</td></tr>\n");
    }
    file_printf(f, "</tbody>\n</table></div>\n</section>\n");
}

static void fact(FileOut *f, const char *key, const char *value) {
    file_printf(f, "<dt>%s</dt><dd>", key);
    html_text(f, value);
    file_printf(f, "</dd>\n");
}

/* All that is not as the paper has it. */
static char *changes(char *buf, size_t n, const Reproduction *r) {
    bool sized = !r->init && strcmp(r->size, "base") != 0;
    snprintf(buf, n, "%s%s%s%s%s", r->init ? "" : "no pre-trained weights; ", sized ? "size " : "",
             sized ? r->size : "", sized ? "; " : "",
             *r->settings ? r->settings : "no other setting");
    return buf;
}

/* The settings as options. */
static char *options_of(char *buf, size_t n, const Reproduction *r) {
    size_t used = 0;
    buf[0] = 0;
    for (const char *at = r->settings + strspn(r->settings, " \n"); *at && used < n;
         at += strspn(at, " \n")) {
        int word = (int)strcspn(at, " \n");
        used += (size_t)snprintf(buf + used, n - used, "--%.*s ", word, at);
        at += word;
    }
    return buf;
}

static void settings(FileOut *f, const Reproduction *r) {
    char command[8192], options[4096], changed[4096];
    snprintf(command, sizeof command,
             "normalcy train %s --preset=%s --recipe=ROW --%s=%s --seed=N %s-o RUN; normalcy eval "
             "RUN %s",
             r->data, r->set, r->init ? "init" : "size", r->init ? r->init : r->size,
             options_of(options, sizeof options, r), r->data);
    file_printf(f, "<section class=\"panel\">\n<h2>Settings</h2>\n<dl>\n");
    fact(f, "Data", r->data);
    fact(f, "Start", r->init ? r->init : "random weights");
    fact(f, "Size", r->init ? "that of the start" : r->size);
    fact(f, "Changed from the paper", changes(changed, sizeof changed, r));
    fact(f, "Protocol",
         strcmp(r->set, "avenue") == 0
             ? "PSNR, one min-max over all clips, micro, no smoothing, last epoch"
             : "PSNR, min-max per clip, micro, no smoothing, last epoch");
    fact(f, "Labels", *r->labels ? r->labels : "not known yet");
    fact(f, "Each row", command);
    file_printf(f, "</dl>\n</section>\n");
}

/* ---- Fig. 2: frame, predictions of the autoencoder and of ours, both differences, truth. */

enum { GRID_FRAMES = 6 };

static int figure(FileOut *f, Reproduction *r, int ours, int plain) {
    char folder[2][4200];
    reproduce_folder(folder[0], sizeof folder[0], r, plain, 0);
    reproduce_folder(folder[1], sizeof folder[1], r, ours, 0);
    FrameGrid *grid = NULL;
    int code = frame_grid_open(&grid, r->data, folder[0], folder[1], GRID_FRAMES);
    if (code)
        return code;
    file_printf(f, "<section>\n<h2>Fig. 2: the frames with the highest scores</h2>\n<div "
                   "class=\"grids\">\n");
    for (int i = 0; i < frame_grid_count(grid) && !code; i++) {
        const GridFrame *g = frame_grid_at(grid, i);
        file_printf(f, "<figure class=\"panel\"><figcaption><span><b>");
        html_text(f, g->clip);
        file_printf(f,
                    "</b> <span class=\"soft\">frame %lld</span></span><span class=\"chip "
                    "%s</span></figcaption>\n<div class=\"pictures six\">\n",
                    (long long)g->index, g->abnormal ? "hit\">abnormal" : "miss\">normal");
        const struct {
            const char *caption;
            const uint8_t *bgr;
        } all[] = {{"frame", g->frame},
                   {"prediction, AE only", g->prediction[0]},
                   {"prediction, ours", g->prediction[1]},
                   {"difference, AE only", g->difference[0]},
                   {"difference, ours", g->difference[1]},
                   {"truth", g->truth}};
        for (int k = 0; k < 6 && !code; k++)
            code = html_picture(f, all[k].caption, all[k].bgr, g->size);
        file_printf(f, "</div></figure>\n");
    }
    file_printf(f, "</div>\n</section>\n");
    frame_grid_free(&grid);
    return code;
}

static int find_row(const Reproduction *r, const char *recipe) {
    for (int i = 0; i < r->row_count; i++)
        if (strcmp(row_of(r, i)->recipe, recipe) == 0 && r->run[i][0].done)
            return i;
    return -1;
}

static int write_html(Reproduction *r, const char *path, bool pictures) {
    FileOut *f = NULL;
    char title[128], subtitle[256];
    int done = 0;
    for (int i = 0; i < r->row_count; i++)
        done += summarise(r, i).done;
    snprintf(title, sizeof title, "Reproduction on %s", r->set);
    snprintf(subtitle, sizeof subtitle, "%d of %d trainings done", done,
             r->row_count * r->seed_count);
    int code = file_create(&f, path);
    if (code)
        return code;
    html_head(f, title, subtitle);
    file_printf(f, "<div class=\"stack\">\n");
    results_table(f, r);
    time_table(f, r);
    settings(f, r);
    file_printf(f, "</div>\n");
    int ours = find_row(r, "ours"), plain = find_row(r, "ablation/ae");
    if (pictures && ours >= 0 && plain >= 0)
        code = figure(f, r, ours, plain);
    file_printf(f, "<div class=\"stack\">\n");
    published_table(f, r);
    file_printf(f, "</div>\n");
    html_foot(f, "AUROC: micro, by the paper's protocol for this data set; last epoch, nothing is "
                 "chosen on test labels (the paper picks the best test epoch).");
    if (code) {
        file_discard(&f);
        return err_context(code, "%s", path);
    }
    return file_commit(&f);
}

/* ---- the same as text and as numbers. */

static void cell(FileOut *f, const char *format, double value) {
    file_printf(f, " | ");
    if (isfinite(value))
        file_printf(f, format, value);
    else
        file_printf(f, "-");
}

static int write_markdown(const Reproduction *r, const char *path) {
    FileOut *f = NULL;
    char changed[4096];
    int code = file_create(&f, path);
    if (code)
        return code;
    file_printf(
        f,
        "# Reproduction on %s\n\nData: %s. Start: %s. Changed from the paper: %s. Low and high: "
        "95 %% interval over clips, mean of the seeds' intervals; least and most: of the "
        "seeds.\n\n"
        "| row | in the paper | paper | here | low | high | least | most | seeds | global | "
        "macro | PSNR | s an epoch |\n| --- | --- | --- | --- | --- | --- | --- | --- | "
        "--- | --- | --- | --- | --- |\n",
        r->set, r->data, r->init ? r->init : "random weights", changes(changed, sizeof changed, r));
    for (int i = 0; i < r->row_count; i++) {
        Summary s = summarise(r, i);
        file_printf(f, "| %s | %s", row_of(r, i)->recipe, row_of(r, i)->where);
        cell(f, "%.2f", row_of(r, i)->paper[r->set_index]);
        cell(f, "%.2f", s.mean);
        cell(f, "%.2f", s.low);
        cell(f, "%.2f", s.high);
        cell(f, "%.2f", s.least);
        cell(f, "%.2f", s.most);
        cell(f, "%.0f", s.done);
        cell(f, "%.2f", s.global);
        cell(f, "%.2f", s.macro);
        cell(f, "%.2f", s.psnr);
        cell(f, "%.0f", s.epoch_seconds);
        file_printf(f, " |\n");
    }
    if (r->persistence > 0)
        file_printf(f, "| persistence | - | - | %.2f | - | - | - | - | - | - | - | - | - |\n",
                    r->persistence);
    return file_commit(&f);
}

static Json *run_json(const Reproduction *r, int row, int seed) {
    const ReproduceRun *run = &r->run[row][seed];
    Json *j = js_object();
    js_set_int(j, "seed", r->seeds[seed]);
    js_set_number(j, "auroc", run->auroc);
    js_set_number(j, "low", run->low);
    js_set_number(j, "high", run->high);
    js_set_number(j, "per_clip", run->per_clip);
    js_set_number(j, "global", run->global);
    js_set_number(j, "macro", run->macro);
    js_set_number(j, "psnr", run->psnr);
    js_set_number(j, "epoch_seconds", run->epoch_seconds);
    return j;
}

static double known(double seconds) {
    return seconds > 0 ? seconds : NAN;
}

static int write_json(const Reproduction *r, const char *path) {
    Json *top = js_object(), *rows = js_array();
    js_set_text(top, "set", r->set);
    js_set_text(top, "data", r->data);
    js_set_text(top, "init", r->init ? r->init : "");
    js_set_text(top, "size", r->init ? "" : r->size);
    js_set_text(top, "settings", r->settings);
    js_set_text(top, "labels", r->labels);
    js_set_number(top, "persistence", r->persistence > 0 ? r->persistence : NAN);
    for (int i = 0; i < r->row_count; i++) {
        Json *row = js_object(), *runs = js_array();
        for (int s = 0; s < r->seed_count; s++)
            if (r->run[i][s].done)
                js_append(runs, run_json(r, i, s));
        js_set_text(row, "recipe", row_of(r, i)->recipe);
        js_set_number(row, "paper", row_of(r, i)->paper[r->set_index]);
        js_set_number(row, "step_seconds", known(r->time[i].step_seconds));
        js_set_number(row, "compute_seconds", known(r->time[i].compute_seconds));
        js_set(row, "runs", runs);
        js_append(rows, row);
    }
    js_set(top, "rows", rows);
    char *text = js_text(top, true);
    js_free(top);
    FileOut *f = NULL;
    int code = text ? file_create(&f, path) : ERR_FAIL;
    if (!code) {
        file_printf(f, "%s\n", text);
        code = file_commit(&f);
    }
    mem_free(text);
    return code;
}

int reproduce_write(Reproduction *r, bool pictures) {
    char path[4400];
    snprintf(path, sizeof path, "%s/results.json", r->output);
    int code = write_json(r, path);
    snprintf(path, sizeof path, "%s/report.md", r->output);
    if (!code)
        code = write_markdown(r, path);
    snprintf(path, sizeof path, "%s/report.html", r->output);
    return code ? code : write_html(r, path, pictures);
}
