#include "report/report_table.h"

#include <math.h>
#include <string.h>

#include "report/html.h"
#include "report/html_table.h"

/* The rows of a table, and which optional columns and headings it has. */
typedef struct {
    const ResultRow *row;
    int count;
    bool compared, score, labels;
} Rows;

static Rows rows_of(const Report *r, const ResultRow *row, int count) {
    return (Rows){row, count, results_compare(r->rows, r->row_count),
                  results_tell_score(row, count), strcmp(row[0].hash, row[count - 1].hash) != 0};
}

/* ---- parts ---- */

static void cell(HtmlTable *t, double value) {
    html_number_cell(t, NULL, "%.2f", value);
}

/* Begins a table with the columns that name a row. */
static HtmlTable name_columns(FileOut *f, const Rows *rows, const char *first) {
    HtmlTable t = html_table(f);
    html_column(&t, NULL, "%s", first);
    html_column(&t, "word", "protocol");
    if (rows->score)
        html_column(&t, "word", "score");
    return t;
}

/* Begins row i with its name, below a heading over all columns if the ground truth changes. */
static void name_row(HtmlTable *t, const Rows *rows, int i, const char *chip) {
    const ResultRow *row = &rows->row[i];
    if (rows->labels && (i == 0 || strcmp(row->hash, row[-1].hash) != 0)) {
        html_row(t, "group");
        html_cell_over_all(t);
        file_printf(t->f, "labels ");
        html_text(t->f, row->labels);
        file_printf(t->f, ", hash %s", row->hash);
    }
    html_row(t, result_is_baseline(row) ? "base" : NULL);
    html_cell(t, NULL);
    html_path(t->f, row->model);
    if (chip)
        file_printf(t->f, " <span class=\"chip miss\">%s</span>", chip);
    html_cell(t, "word");
    html_text(t->f, row->protocol);
    if (rows->score) {
        html_cell(t, "word");
        html_text(t->f, row->score);
        if (row->smooth > 0)
            file_printf(t->f, ", &sigma; %.3g", row->smooth);
    }
}

/* ---- results ---- */

static HtmlTable result_columns(FileOut *f, const Rows *rows, const char *first) {
    static const char *const figures[] = {"AUROC<br>micro", "95&nbsp;%", NULL};
    static const char *const more[] = {"AUROC<br>macro",      "AP", "EER", "PSNR<br>dB",
                                       "frames/<br>abnormal", NULL};
    HtmlTable t = name_columns(f, rows, first);
    html_column(&t, "word", "min-max");
    html_columns(&t, figures);
    if (rows->compared)
        html_column(&t, NULL, "over<br>persistence");
    html_columns(&t, more);
    return t;
}

static void result_row(HtmlTable *t, const Rows *rows, int i, const ResultRow *base,
                       const char *chip) {
    const ResultRow *row = &rows->row[i];
    name_row(t, rows, i, chip);
    html_cell(t, "word");
    html_text(t->f, row->normalise);
    html_number_cell(t, "key", "%.2f", row->auroc_micro);
    html_number_cell(t, NULL, "%.1f", row->low);
    if (isfinite(row->low))
        file_printf(t->f, "&hellip;%.1f", row->high);
    if (rows->compared) {
        html_cell(t, NULL);
        html_margin(t->f, base && base != row ? row->auroc_micro - base->auroc_micro : NAN);
    }
    cell(t, row->auroc_macro);
    cell(t, row->ap);
    cell(t, row->eer);
    cell(t, row->psnr);
    html_cell(t, NULL);
    file_printf(t->f, "%lld/%lld", (long long)row->frames, (long long)row->abnormal);
}

/* Explains the protocols if there are others than the paper's. */
static void write_protocols(FileOut *f, const Report *r) {
    bool open = false;
    for (const Protocol *p = protocols + 2; p->name; p++) {
        bool used = false;
        for (int i = 0; i < r->row_count; i++)
            used |= strcmp(r->rows[i].protocol, p->name) == 0;
        if (!used)
            continue;
        file_printf(f, "%s<dt>%s</dt><dd>", open ? "" : "<dl class=\"small\">\n", p->name);
        open = true;
        html_text(f, p->note);
        if (p->labels) {
            file_printf(f, " (Avenue: ");
            html_text(f, p->labels);
            file_printf(f, ")");
        }
        file_printf(f, "</dd>\n");
    }
    if (open)
        file_printf(f, "</dl>\n");
}

void report_table_results(FileOut *f, const Report *r) {
    if (!r->row_count)
        return;
    Rows rows = rows_of(r, r->rows, r->row_count);
    html_panel(f, "Results");
    file_printf(f,
                "<p class=\"soft\"><b>In a paper:</b> figures compare within one protocol and "
                "one ground truth only. <b>With a camera:</b> how well scores put frames in "
                "order, 50&nbsp;%% being a guess; how often it would call is another question "
                "(--alarms).%s</p>\n",
                rows.compared && rows.score
                    ? " A score that persistence lacks is set against its PSNR."
                    : "");
    HtmlTable t = result_columns(f, &rows, "model");
    for (int i = 0; i < rows.count; i++)
        result_row(&t, &rows, i, result_baseline(r->rows, r->row_count, &rows.row[i]), NULL);
    html_table_end(&t);
    write_protocols(f, r);
    html_panel_end(f);
}

/* ---- alarms ---- */

/* Explains the figures, and the lowest rate that can be measured with so many frames. */
static void alarm_notes(FileOut *f, const Report *r) {
    int64_t normal = r->rows[0].frames - r->rows[0].abnormal;
    double seconds = (double)normal / r->fps;
    file_printf(
        f,
        "<p class=\"soft small\">An alarm is a run of frames over the threshold; it is false if "
        "none of them is abnormal. A lower threshold can give fewer alarms, because alarms then "
        "merge. Detected events and their mean delay are those at the lowest threshold that keeps "
        "to %g false alarms an hour. ",
        r->budget);
    if (normal)
        file_printf(f,
                    "At %g frames a second, the %lld normal frames of the first row last "
                    "%.3g&nbsp;%s. One false alarm in them is %.4g an hour: lower rates, except "
                    "0, cannot be measured.",
                    r->fps, (long long)normal, seconds < 120 ? seconds : seconds / 60,
                    seconds < 120 ? "s" : "min", alarms_smallest(normal, r->fps));
    file_printf(f, "</p>\n");
}

void report_table_alarms(FileOut *f, const Report *r) {
    if (!r->alarms || !r->row_count)
        return;
    Rows rows = rows_of(r, r->rows, r->row_count);
    html_panel(f, "Alarms");
    file_printf(f,
                "<p class=\"soft\"><b>In a paper:</b> false alarms per hour of normal frames, "
                "where so many of the abnormal frames are found. <b>With a camera:</b> how "
                "often it calls for nothing while nothing happens; 1 an hour is 24 a day.</p>\n");
    HtmlTable t = name_columns(f, &rows, "model");
    for (int k = 0; k < ALARM_RECALLS; k++)
        html_column(&t, NULL, "false an hour<br>at %.0f&nbsp;%% found", 100 * alarm_recalls[k]);
    html_columns(
        &t, (const char *const[]){"events<br>detected", "delay<br>frames", "delay<br>s", NULL});
    for (int i = 0; i < rows.count; i++) {
        const Alarms *a = &rows.row[i].alarms;
        name_row(&t, &rows, i, NULL);
        for (int k = 0; k < ALARM_RECALLS; k++)
            cell(&t, a->per_hour[k]);
        html_cell(&t, "key");
        file_printf(f, "%lld of %lld", (long long)a->detected, (long long)a->events);
        cell(&t, a->delay);
        cell(&t, a->delay / r->fps);
    }
    html_table_end(&t);
    alarm_notes(f, r);
    html_panel_end(f);
}

/* ---- where in the frame ---- */

static void place_row(HtmlTable *t, const ReportPlace *p) {
    const PixelFigures *pixel = &p->figures.pixel;
    html_row(t, strcmp(p->model, "persistence") == 0 ? "base" : NULL);
    html_cell(t, NULL);
    html_path(t->f, p->model);
    html_cell(t, "word");
    html_text(t->f, p->level);
    const double all[] = {pixel->auroc, pixel->frame_auroc, pixel->frame_eer, p->figures.rbdc,
                          p->figures.tbdc};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        cell(t, 100 * all[k]);
}

void report_table_localisation(FileOut *f, const Report *r) {
    if (!r->place_count)
        return;
    html_panel(f, "Where in the frame");
    file_printf(f,
                "<p class=\"soft\"><b>In a paper:</b> %s. <b>With a camera:</b> whether the mark "
                "is on the thing. TBDC comes closest: it says how many of 100 unusual things get a "
                "mark, with up to one wrong mark in every frame.</p>\n",
                r->tracks->made ? "the tracks are made here from the masks, so RBDC and TBDC do "
                                  "not compare with published ones"
                                : "RBDC and TBDC are on the tracks of files, the rest on masks");
    HtmlTable t = html_table(f);
    html_column(&t, NULL, "model");
    html_column(&t, "word", "level");
    html_columns(&t, (const char *const[]){"pixel<br>AUROC", "40&nbsp;%<br>AUROC",
                                           "40&nbsp;%<br>EER", "RBDC", "TBDC", NULL});
    for (int i = 0; i < r->place_count; i++)
        place_row(&t, &r->places[i]);
    html_table_end(&t);
    file_printf(f,
                "<p class=\"soft small\">In percent. Error maps are by patch (token) or by a "
                "window that moves (pixel). Pixel AUROC: all pixels in one ROC. 40&nbsp;%%: AUROC "
                "and EER of frames; a frame is found if 40&nbsp;%% of its abnormal pixels are over "
                "the threshold. RBDC, TBDC: the share of the %lld boxes and of the %lld tracks "
                "that is found, up to one false alarm a frame.</p>\n",
                (long long)r->tracks->count, (long long)r->tracks->tracks);
    html_panel_end(f);
}

/* ---- checkpoints ---- */

static bool is_oracle(const Report *r, int row) {
    for (int k = 0; k < r->oracle_count; k++)
        if (r->oracles[k] == row)
            return true;
    return false;
}

void report_table_checkpoints(FileOut *f, const Report *r) {
    if (!r->checkpoint_count)
        return;
    Rows rows = rows_of(r, r->checkpoints, r->checkpoint_count);
    html_panel(f, "Checkpoints");
    file_printf(f, "<p class=\"soft\"><b>In a paper:</b> the result above is the last one's; the "
                   "best of its kind here is chosen on the test set, an oracle and no result. "
                   "<b>With a camera:</b> whether longer training still helps; the last one is "
                   "what watches.</p>\n");
    HtmlTable t = result_columns(f, &rows, "checkpoint");
    for (int i = 0; i < rows.count; i++)
        result_row(&t, &rows, i, result_baseline(r->rows, r->row_count, &rows.row[i]),
                   is_oracle(r, i) ? "oracle" : NULL);
    html_table_end(&t);
    html_panel_end(f);
}
