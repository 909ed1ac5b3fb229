#include "report/report_table.h"

#include <math.h>
#include <string.h>

#include "report/html.h"

/* Which columns and headings there are. */
typedef struct {
    const ResultRow *rows;
    int count;
    bool compared, score, labels;
} Table;

static Table table_of(const Report *r, const ResultRow *rows, int count) {
    return (Table){rows, count, results_compare(r->rows, r->row_count),
                   results_tell_score(rows, count),
                   strcmp(rows[0].hash, rows[count - 1].hash) != 0};
}

/* ---- parts ---- */

static void open_table(FileOut *f, const char *heading) {
    file_printf(f, "<section class=\"panel table\">\n<h2>%s</h2>\n", heading);
}

static void close_table(FileOut *f) {
    file_printf(f, "</tbody>\n</table></div>\n");
}

static void cell(FileOut *f, double value) {
    file_printf(f, "<td>");
    html_number(f, "%.2f", value);
    file_printf(f, "</td>");
}

/* The columns that say which row it is. */
static void name_head(FileOut *f, const Table *t, const char *first) {
    file_printf(f,
                "<div class=\"scroll\"><table>\n"
                "<thead><tr><th>%s</th><th class=\"word\">protocol</th>",
                first);
    if (t->score)
        file_printf(f, "<th class=\"word\">score</th>");
}

/* A heading where the ground truth changes, over `columns`; then the row's name. */
static void name_row(FileOut *f, const Table *t, int i, int columns, const char *chip) {
    const ResultRow *row = &t->rows[i];
    if (t->labels && (i == 0 || strcmp(row->hash, row[-1].hash) != 0)) {
        file_printf(f, "<tr class=\"group\"><td colspan=\"%d\">labels ", columns + t->score);
        html_text(f, row->labels);
        file_printf(f, ", hash %s</td></tr>\n", row->hash);
    }
    file_printf(f, "<tr%s><td>", result_is_baseline(row) ? " class=\"base\"" : "");
    html_path(f, row->model);
    if (chip)
        file_printf(f, " <span class=\"chip miss\">%s</span>", chip);
    file_printf(f, "</td><td class=\"word\">");
    html_text(f, row->protocol);
    file_printf(f, "</td>");
    if (t->score) {
        file_printf(f, "<td class=\"word\">");
        html_text(f, row->score);
        if (row->smooth > 0)
            file_printf(f, ", &sigma; %.3g", row->smooth);
        file_printf(f, "</td>");
    }
}

/* ---- results ---- */

static void result_head(FileOut *f, const Table *t, const char *first) {
    name_head(f, t, first);
    file_printf(f, "<th class=\"word\">min-max</th><th>AUROC<br>micro</th><th>95&nbsp;%%</th>");
    if (t->compared)
        file_printf(f, "<th>over<br>persistence</th>");
    file_printf(f, "<th>AUROC<br>macro</th><th>AP</th><th>EER</th><th>PSNR<br>dB</th>"
                   "<th>frames/<br>abnormal</th></tr></thead>\n<tbody>\n");
}

static void result_row(FileOut *f, const Table *t, int i, const ResultRow *base, const char *chip) {
    const ResultRow *row = &t->rows[i];
    name_row(f, t, i, 10 + t->compared, chip);
    file_printf(f, "<td class=\"word\">");
    html_text(f, row->normalise);
    file_printf(f, "</td><td class=\"key\">");
    html_number(f, "%.2f", row->auroc_micro);
    file_printf(f, "</td><td>");
    html_number(f, "%.1f", row->low);
    if (isfinite(row->low))
        file_printf(f, "&hellip;%.1f", row->high);
    file_printf(f, "</td>");
    if (t->compared) {
        file_printf(f, "<td>");
        html_margin(f, base && base != row ? row->auroc_micro - base->auroc_micro : NAN);
        file_printf(f, "</td>");
    }
    cell(f, row->auroc_macro);
    cell(f, row->ap);
    cell(f, row->eer);
    cell(f, row->psnr);
    file_printf(f, "<td>%lld/%lld</td></tr>\n", (long long)row->frames, (long long)row->abnormal);
}

/* What the protocols are, where there are others than the paper's. */
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
    Table t = table_of(r, r->rows, r->row_count);
    open_table(f, "Results");
    file_printf(f, "<p class=\"soft\"><b>In a paper:</b> figures compare within one protocol and "
                   "one ground truth only. <b>With a camera:</b> how well scores put frames in "
                   "order, 50&nbsp;%% being a guess; how often it would call is another question "
                   "(--alarms).</p>\n");
    result_head(f, &t, "model");
    for (int i = 0; i < t.count; i++)
        result_row(f, &t, i, result_baseline(r->rows, r->row_count, &t.rows[i]), NULL);
    close_table(f);
    write_protocols(f, r);
    file_printf(f, "</section>\n");
}

/* ---- alarms ---- */

/* What the figures are, and which rates so many frames cannot show. */
static void alarm_notes(FileOut *f, const Report *r) {
    int64_t normal = r->rows[0].frames - r->rows[0].abnormal;
    double seconds = (double)normal / r->fps;
    file_printf(
        f,
        "<p class=\"soft small\">An alarm is a run of frames over the threshold; it is "
        "false where none of them is abnormal. Rates can fall as more is found: alarms grow "
        "together. Detected events and their mean delay: at "
        "the threshold where at most %g an hour are false. ",
        r->budget);
    if (normal)
        file_printf(f,
                    "At %g frames a second the %lld normal ones of the first row last "
                    "%.3g&nbsp;%s: one false alarm "
                    "in them is %.4g an hour, and no lower rate but 0 can be seen.",
                    r->fps, (long long)normal, seconds < 120 ? seconds : seconds / 60,
                    seconds < 120 ? "s" : "min", alarms_smallest(normal, r->fps));
    file_printf(f, "</p>\n");
}

void report_table_alarms(FileOut *f, const Report *r) {
    if (!r->alarms || !r->row_count)
        return;
    Table t = table_of(r, r->rows, r->row_count);
    open_table(f, "Alarms");
    file_printf(f,
                "<p class=\"soft\"><b>In a paper:</b> false alarms per hour of normal frames, "
                "where so many of the abnormal frames are found. <b>With a camera:</b> how "
                "often it calls for nothing while nothing happens; 1 an hour is 24 a day.</p>\n");
    name_head(f, &t, "model");
    for (int k = 0; k < ALARM_RECALLS; k++)
        file_printf(f, "<th>false an hour<br>at %.0f&nbsp;%% found</th>", 100 * alarm_recalls[k]);
    file_printf(f, "<th>events<br>detected</th><th>delay<br>frames</th><th>delay<br>s</th></tr>"
                   "</thead>\n<tbody>\n");
    for (int i = 0; i < t.count; i++) {
        const Alarms *a = &t.rows[i].alarms;
        name_row(f, &t, i, 5 + ALARM_RECALLS, NULL);
        for (int k = 0; k < ALARM_RECALLS; k++)
            cell(f, a->per_hour[k]);
        file_printf(f, "<td class=\"key\">%lld of %lld</td>", (long long)a->detected,
                    (long long)a->events);
        cell(f, a->delay);
        cell(f, a->delay / r->fps);
        file_printf(f, "</tr>\n");
    }
    close_table(f);
    alarm_notes(f, r);
    file_printf(f, "</section>\n");
}

/* ---- where in the frame ---- */

static void place_row(FileOut *f, const ReportPlace *p) {
    const PixelFigures *pixel = &p->figures.pixel;
    file_printf(f, "<tr%s><td>", strcmp(p->model, "persistence") == 0 ? " class=\"base\"" : "");
    html_path(f, p->model);
    file_printf(f, "</td><td class=\"word\">");
    html_text(f, p->level);
    file_printf(f, "</td>");
    const double all[] = {pixel->auroc, pixel->frame_auroc, pixel->frame_eer, p->figures.rbdc,
                          p->figures.tbdc};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        cell(f, 100 * all[k]);
    file_printf(f, "</tr>\n");
}

void report_table_localisation(FileOut *f, const Report *r) {
    if (!r->place_count)
        return;
    open_table(f, "Where in the frame");
    file_printf(f,
                "<p class=\"soft\"><b>In a paper:</b> %s. <b>With a camera:</b> whether the mark "
                "is on the thing. TBDC is nearest to: of 100 unusual things so many get one, with "
                "up to one wrong mark in every frame.</p>\n",
                r->tracks->made ? "the tracks are made here from the masks, so RBDC and TBDC do "
                                  "not compare with published ones"
                                : "RBDC and TBDC are on the tracks of files, the rest on masks");
    file_printf(f, "<div class=\"scroll\"><table>\n<thead><tr><th>model</th>"
                   "<th class=\"word\">level</th><th>pixel<br>AUROC</th>"
                   "<th>40&nbsp;%%<br>AUROC</th><th>40&nbsp;%%<br>EER</th><th>RBDC</th>"
                   "<th>TBDC</th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < r->place_count; i++)
        place_row(f, &r->places[i]);
    close_table(f);
    file_printf(f,
                "<p class=\"soft small\">In percent, of error maps by patch (token) or by a window "
                "that moves (pixel). Pixel: all pixels in one ROC. 40&nbsp;%%: frames, found where "
                "40&nbsp;%% of their abnormal pixels are over the threshold. RBDC, TBDC: the share "
                "of the %lld boxes, and of the %lld tracks, that are found, up to one false alarm "
                "a frame.</p>\n",
                (long long)r->tracks->count, (long long)r->tracks->tracks);
    file_printf(f, "</section>\n");
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
    Table t = table_of(r, r->checkpoints, r->checkpoint_count);
    open_table(f, "Checkpoints");
    file_printf(f, "<p class=\"soft\"><b>In a paper:</b> the result above is the last one's; the "
                   "best of its kind here is chosen on the test set, an oracle and no result. "
                   "<b>With a camera:</b> whether longer training still helps; the last one is "
                   "what watches.</p>\n");
    result_head(f, &t, "checkpoint");
    for (int i = 0; i < t.count; i++)
        result_row(f, &t, i, result_baseline(r->rows, r->row_count, &t.rows[i]),
                   is_oracle(r, i) ? "oracle" : NULL);
    close_table(f);
    file_printf(f, "</section>\n");
}
