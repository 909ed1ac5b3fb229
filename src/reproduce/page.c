#include "reproduce/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "compute/compute_options.h"
#include "report/html.h"
#include "report/html_table.h"
#include "reproduce/frame_grid.h"
#include "reproduce/summary.h"

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

/* ---- tables. */

/* The interval's ends, or nothing. */
static void interval_cell(HtmlTable *t, const ReproduceFigures *m) {
    html_cell(t, NULL);
    if (isfinite(m->low))
        file_printf(t->f, "%.1f&ndash;%.1f", m->low, m->high);
}

static bool scored_fewer(const ReproduceFigures *m, int64_t frames) {
    return m->frames && m->frames < frames;
}

static void frames_cell(HtmlTable *t, const ReproduceFigures *m, int64_t frames) {
    html_number_cell(t, scored_fewer(m, frames) ? "bad" : NULL, "%.0f",
                     m->frames ? (double)m->frames : NAN);
}

static void results_row(HtmlTable *t, const Reproduction *r, int i, int64_t frames) {
    const ReproduceRow *row = reproduce_row(r, i);
    ReproduceSummary s = reproduce_summary(r, i);
    html_row(t, NULL);
    html_cell(t, NULL);
    file_printf(t->f, "<b>");
    html_path(t->f, row->name);
    file_printf(t->f, "</b><br><span class=\"soft small\">");
    html_text(t->f, row->about);
    file_printf(t->f, " (");
    html_text(t->f, row->where);
    file_printf(t->f, ")</span>");
    html_number_cell(t, NULL, "%.2f", row->paper[r->set_index]);
    html_number_cell(t, "key", "%.2f", s.mean.auroc);
    html_cell(t, NULL);
    html_margin(t->f, s.mean.auroc - row->paper[r->set_index]);
    interval_cell(t, &s.mean);
    html_cell(t, NULL);
    file_printf(t->f, "%s", s.done ? s.seeds : "none yet");
    if (s.done > 1 && isfinite(s.least))
        file_printf(t->f, "<br>%.2f&ndash;%.2f", s.least, s.most);
    frames_cell(t, &s.mean, frames);
}

static void persistence_row(HtmlTable *t, const ReproduceFigures *m, int64_t frames) {
    html_row(t, "base");
    html_cell(t, NULL);
    file_printf(t->f, "persistence<br><span class=\"small\">predicts that nothing moves; needs no "
                      "learning</span>");
    html_number_cell(t, NULL, "%.2f", NAN);
    html_number_cell(t, NULL, "%.2f", m->auroc);
    html_cell(t, NULL);
    interval_cell(t, m);
    html_cell(t, NULL);
    frames_cell(t, m, frames);
}

/* Gives whether a row has fewer frames scored than others. */
static bool results_rows(HtmlTable *t, const Reproduction *r) {
    bool fewer = false;
    int64_t frames = reproduce_most_frames(r);
    for (int i = 0; i < r->row_count; i++) {
        ReproduceSummary s = reproduce_summary(r, i);
        fewer = fewer || scored_fewer(&s.mean, frames);
        results_row(t, r, i, frames);
    }
    if (r->persistence.frames)
        persistence_row(t, &r->persistence, frames);
    return fewer;
}

static void results_table(FileOut *f, const Reproduction *r) {
    static const char *const columns[] = {"row",
                                          "paper<br>AUROC, %",
                                          "here<br>AUROC, %",
                                          "difference",
                                          "95&nbsp;%<br>over clips",
                                          "seeds,<br>least&ndash;most",
                                          "frames<br>scored",
                                          NULL};
    char caution[1024];
    html_panel(f, "Results beside the paper");
    if (*reproduce_caution(caution, sizeof caution, r)) {
        file_printf(f, "<p class=\"bad\">");
        html_text(f, caution);
        file_printf(f, "</p>\n");
    }
    HtmlTable t = html_table(f);
    html_columns(&t, columns);
    bool fewer = results_rows(&t, r);
    html_table_end(&t);
    file_printf(f, "<p class=\"soft small\">");
    html_text(f, reproduce_note);
    file_printf(f, "</p>\n");
    if (fewer)
        file_printf(f, "<p class=\"bad small\">Rows with fewer frames scored need more frames "
                       "before the first score of a clip: their figures are of other frames than "
                       "those of ours.</p>\n");
    html_panel_end(f);
}

static HtmlTable protocol_columns(FileOut *f, bool oracle) {
    static const char *const protocols[] = {
        "row", "per clip<br>micro", "per clip<br>macro", "global<br>micro", "global<br>macro",
        NULL};
    HtmlTable t = html_table(f);
    html_columns(&t, protocols);
    if (oracle)
        html_column(&t, NULL, "best on<br>the test");
    html_columns(&t, (const char *const[]){"PSNR<br>dB", "epoch<br>s", NULL});
    return t;
}

static void protocol_row(HtmlTable *t, const char *class, const char *name,
                         const ReproduceFigures *m, bool oracle, double epoch_seconds) {
    html_row(t, class);
    html_cell(t, NULL);
    html_path(t->f, name);
    html_number_cell(t, NULL, "%.2f", m->per_clip);
    html_number_cell(t, NULL, "%.2f", m->per_clip_macro);
    html_number_cell(t, NULL, "%.2f", m->global);
    html_number_cell(t, NULL, "%.2f", m->global_macro);
    if (oracle)
        html_number_cell(t, NULL, "%.2f", m->oracle);
    html_number_cell(t, NULL, "%.2f", m->psnr);
    html_number_cell(t, NULL, "%.1f", epoch_seconds);
}

static void protocol_table(FileOut *f, const Reproduction *r) {
    bool oracle = reproduce_has_oracle(r);
    html_panel(f, "By the min-max, means over the seeds");
    HtmlTable t = protocol_columns(f, oracle);
    for (int i = 0; i < r->row_count; i++) {
        ReproduceSummary s = reproduce_summary(r, i);
        protocol_row(&t, NULL, reproduce_row(r, i)->name, &s.mean, oracle,
                     s.done ? s.epoch_seconds : NAN);
    }
    if (r->persistence.frames)
        protocol_row(&t, "base", "persistence", &r->persistence, oracle, NAN);
    html_table_end(&t);
    file_printf(f, "<p class=\"soft small\">AUROC in percent. Micro: all frames in one ROC; macro: "
                   "mean over clips.");
    if (oracle)
        file_printf(f, " Best on the test: the paper's protocol, the best of the epochs that were "
                       "kept, chosen by the test set itself as the paper's authors do.");
    file_printf(f, "</p>\n");
    html_panel_end(f);
}

static void time_row(HtmlTable *t, const Reproduction *r, int i, double ours) {
    const ReproduceTime *time = &r->time[i];
    const ReproduceRun *run = &r->run[i][0];
    html_row(t, NULL);
    html_cell(t, NULL);
    html_text(t->f, reproduce_row(r, i)->name);
    html_number_cell(t, NULL, "%.3f", time->step_seconds);
    html_number_cell(t, NULL, "%.3f", time->compute_seconds);
    html_number_cell(t, NULL, "%.4f",
                     run->done ? time->step_seconds * (double)run->steps_per_epoch / 3600 : NAN);
    html_number_cell(t, NULL, "%.2f", time->step_seconds / ours);
}

static void time_table(FileOut *f, const Reproduction *r) {
    static const char *const columns[] = {
        "row", "step, s", "without waiting<br>for data, s", "epoch<br>h", "over<br>ours", NULL};
    bool any = false;
    double ours = NAN;
    for (int i = 0; i < r->row_count; i++) {
        any = any || r->time[i].step_seconds > 0;
        if (strcmp(reproduce_row(r, i)->name, "ours") == 0)
            ours = r->time[i].step_seconds;
    }
    if (!any)
        return;
    html_panel(f, "Time of training, measured in turns");
    HtmlTable t = html_table(f);
    html_columns(&t, columns);
    for (int i = 0; i < r->row_count; i++)
        if (r->time[i].step_seconds != 0)
            time_row(&t, r, i, ours);
    html_table_end(&t);
    file_printf(f, "<p class=\"soft small\">Rows with both passes run twice the images of the "
                   "others in a step. Short runs on data that is not decoded yet; an epoch that "
                   "finds its frames in memory waits less. The paper's Table 3 has 0.034&nbsp;h "
                   "for an epoch of Ped2 on a GPU it does not name, and LNRA 9 to 22 times slower: "
                   "most likely LNRA's data pipeline (16 frames and a mask filled in pixel by "
                   "pixel in Python for each sample), so not to be expected here.</p>\n");
    html_panel_end(f);
}

static void published_table(FileOut *f, const Reproduction *r) {
    html_panel(f, "Published figures");
    file_printf(f, "<p class=\"soft small\">Copied from the papers and their repositories, not run "
                   "here; protocols and, on Avenue, labels differ among them.</p>\n");
    HtmlTable t = html_table(f);
    html_columns(&t, (const char *const[]){"method", "AUROC, %", NULL});
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        html_row(&t, "base");
        html_cell(&t, NULL);
        html_text(f, published[i].name);
        html_number_cell(&t, NULL, "%.2f", published[i].auroc[r->set_index]);
    }
    html_table_end(&t);
    html_panel_end(f);
}

static void settings(FileOut *f, const Reproduction *r) {
    ReproduceFacts facts;
    reproduce_facts(&facts, r);
    html_panel(f, "Settings");
    file_printf(f, "<dl>\n");
    for (int i = 0; i < facts.count; i++) {
        file_printf(f, "<dt>%s</dt><dd>", facts.fact[i].key);
        html_text(f, facts.fact[i].value);
        file_printf(f, "</dd>\n");
    }
    file_printf(f, "</dl>\n");
    html_panel_end(f);
}

/* ---- Fig. 2: frame, predictions of the autoencoder and of ours, both differences, truth. */

enum { GRID_FRAMES = 6 };

/* What the evaluations ran on. */
static int open_backend(Backend **out, const Reproduction *r) {
    char list[512];
    ComputeArgs args = {0};
    const OptGroup groups[] = {{"Compute", compute_options, &args}, {NULL, NULL, NULL}};
    int code = opt_defaults(groups);
    if (!code)
        code = opt_set_list(groups, "--settings: ", reproduce_compute(list, sizeof list, r));
    if (!code)
        code = compute_open(out, &args);
    opt_free(groups);
    return code;
}

static int open_grid(FrameGrid **out, const Reproduction *r, int ours, int plain) {
    char folder[2][4200];
    Backend *be = NULL;
    reproduce_folder(folder[0], sizeof folder[0], r, plain, 0);
    reproduce_folder(folder[1], sizeof folder[1], r, ours, 0);
    int code = open_backend(&be, r);
    if (!code)
        code = frame_grid_open(out, r->data, folder[0], folder[1], r->run[ours][0].label,
                               GRID_FRAMES, be);
    backend_free(&be);
    return code;
}

static int draw_figure(FileOut *f, const Reproduction *r, int ours, int plain) {
    FrameGrid *grid = NULL;
    int code = open_grid(&grid, r, ours, plain);
    if (code)
        return code;
    file_printf(f,
                "<section>\n<h2>Fig. 2: the frames with the highest scores</h2>\n<p class=\"soft "
                "small\">Of each clip the frame that ours predicts worst, seed %lld. Normal or "
                "abnormal: by ",
                (long long)r->seeds[0]);
    html_text(f, r->labels);
    file_printf(f, ". Boxes: the pixel masks beside the data.</p>\n<div class=\"grids\">\n");
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

/* The figures are worth a page without the pictures. */
static int figure(FileOut *f, const Reproduction *r, int ours, int plain) {
    int code = draw_figure(f, r, ours, plain);
    if (!code || code == ERR_STOPPED)
        return code;
    log_warn("the report is without Fig. 2: %s", err_text());
    file_printf(f, "<p class=\"bad\">Fig. 2 is not here: ");
    html_text(f, err_text());
    file_printf(f, "</p>\n");
    return 0;
}

static int find_row(const Reproduction *r, const char *name) {
    for (int i = 0; i < r->row_count; i++)
        if (strcmp(reproduce_row(r, i)->name, name) == 0 && r->run[i][0].done)
            return i;
    return -1;
}

int reproduce_page(const Reproduction *r, const char *path, bool pictures) {
    FileOut *f = NULL;
    char title[128], subtitle[256];
    int done = 0;
    for (int i = 0; i < r->row_count; i++)
        done += reproduce_summary(r, i).done;
    snprintf(title, sizeof title, "Reproduction on %s", r->set);
    snprintf(subtitle, sizeof subtitle, "%d of %d trainings done", done,
             r->row_count * r->seed_count);
    int code = file_create(&f, path);
    if (code)
        return code;
    html_head(f, title, subtitle);
    results_table(f, r);
    protocol_table(f, r);
    time_table(f, r);
    settings(f, r);
    int ours = find_row(r, "ours"), plain = find_row(r, "ablation/ae");
    if (pictures && ours >= 0 && plain >= 0)
        code = figure(f, r, ours, plain);
    published_table(f, r);
    html_foot(f, "AUROC in percent; last epoch, nothing is chosen on test labels (the paper picks "
                 "the best test epoch).");
    if (code) {
        file_discard(&f);
        return err_context(code, "%s", path);
    }
    return file_commit(&f);
}
