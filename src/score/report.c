#include "score/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "score/html.h"
#include "score/report_svg.h"
#include "video/writer.h"

static bool is_baseline(const ResultRow *row) {
    return strcmp(row->model, "persistence") == 0;
}

/* Persistence judged the same way; NULL where it was not evaluated. */
static const ResultRow *baseline_of(const Report *r, const ResultRow *row) {
    for (int i = 0; i < r->row_count; i++) {
        const ResultRow *b = &r->rows[i];
        if (is_baseline(b) && strcmp(b->protocol, row->protocol) == 0 &&
            strcmp(b->score, row->score) == 0 && strcmp(b->hash, row->hash) == 0 &&
            (b->smooth > 0) == (row->smooth > 0))
            return b;
    }
    return NULL;
}

/* Whether there is something beside persistence to compare with it. */
static bool has_baseline(const Report *r) {
    bool baseline = false, other = false;
    for (int i = 0; i < r->row_count; i++)
        *(is_baseline(&r->rows[i]) ? &baseline : &other) = true;
    return baseline && other;
}

/* Whether rows differ in their score or its filter, so that a column must tell. */
static bool scores_differ(const ResultRow *rows, int count) {
    for (int i = 0; i < count; i++)
        if (rows[i].smooth > 0 || strcmp(rows[i].score, rows[0].score) != 0)
            return true;
    return false;
}

static bool labels_differ(const ResultRow *rows, int count) {
    return count && strcmp(rows[0].hash, rows[count - 1].hash) != 0;
}

/* ---- sections ---- */

/* The first row that is not persistence, if there is one, says it in one line. */
static void write_verdict(FileOut *f, const Report *r) {
    const ResultRow *row = r->row_count ? r->rows : NULL;
    for (int i = r->row_count - 1; i >= 0; i--)
        if (!is_baseline(&r->rows[i]))
            row = &r->rows[i];
    file_printf(f, "<section class=\"panel verdict\">\n<p class=\"big\">");
    if (!row) {
        file_printf(f, "Nothing was evaluated</p>\n</section>\n");
        return;
    }
    const ResultRow *base = has_baseline(r) ? baseline_of(r, row) : NULL;
    if (!isfinite(row->auroc_micro)) {
        file_printf(f, "No AUROC: all frames are of one class</p>\n</section>\n");
        return;
    }
    file_printf(f, "AUROC %.1f&nbsp;%%", row->auroc_micro);
    if (strcmp(row->normalise, "per-clip") == 0)
        file_printf(f, " per clip");
    if (base && isfinite(base->auroc_micro)) {
        file_printf(f, "; persistence %.1f&nbsp;%%: ", base->auroc_micro);
        html_margin(f, row->auroc_micro - base->auroc_micro);
    }
    file_printf(f,
                "</p>\n<p class=\"soft\">An abnormal frame scores higher than a normal one %.1f "
                "times in 100",
                row->auroc_micro);
    if (isfinite(row->low))
        file_printf(f, " (95&nbsp;%% interval over clips: %.1f to %.1f)", row->low, row->high);
    file_printf(f, ".");
    if (base && isfinite(base->auroc_micro))
        file_printf(f, " Persistence predicts that the next frame is the same as this one; what it "
                       "reaches needs no learning.");
    file_printf(f, "</p>\n</section>\n");
}

/* ---- tables of results ---- */

typedef struct {
    const ResultRow *rows;
    int count;
    bool compared, score, labels; /* which columns and headings there are */
} Table;

static void table_head(FileOut *f, const Table *t, const char *first) {
    file_printf(f, "<thead><tr><th>%s</th><th class=\"word\">protocol</th>", first);
    if (t->score)
        file_printf(f, "<th class=\"word\">score</th>");
    file_printf(f, "<th class=\"word\">min-max</th><th>AUROC<br>micro</th><th>95&nbsp;%%</th>");
    if (t->compared)
        file_printf(f, "<th>over<br>persistence</th>");
    file_printf(f, "<th>AUROC<br>macro</th><th>AP</th><th>EER</th><th>PSNR<br>dB</th>"
                   "<th>frames</th><th>abnormal</th></tr></thead>\n");
}

static void cell(FileOut *f, double value) {
    file_printf(f, "<td>");
    html_number(f, "%.2f", value);
    file_printf(f, "</td>");
}

static void table_row(FileOut *f, const Table *t, const ResultRow *row, const ResultRow *base) {
    file_printf(f, "<tr%s><td>", is_baseline(row) ? " class=\"base\"" : "");
    html_path(f, row->model);
    file_printf(f, "</td><td class=\"word\">");
    html_text(f, row->protocol);
    if (t->score) {
        file_printf(f, "</td><td class=\"word\">");
        html_text(f, row->score);
        if (row->smooth > 0)
            file_printf(f, ", &sigma; %.3g", row->smooth);
    }
    file_printf(f, "</td><td class=\"word\">");
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
    file_printf(f, "<td>%lld</td><td>%lld</td></tr>\n", (long long)row->frames,
                (long long)row->abnormal);
}

static void write_table(FileOut *f, const Report *r, const Table *t, const char *first) {
    file_printf(f, "<div class=\"scroll\"><table>\n");
    table_head(f, t, first);
    file_printf(f, "<tbody>\n");
    for (int i = 0; i < t->count; i++) {
        const ResultRow *row = &t->rows[i];
        if (t->labels && (i == 0 || strcmp(row->hash, row[-1].hash) != 0)) {
            file_printf(f, "<tr class=\"group\"><td colspan=\"%d\">labels ",
                        11 + t->compared + t->score);
            html_text(f, row->labels);
            file_printf(f, ", hash %s</td></tr>\n", row->hash);
        }
        table_row(f, t, row, baseline_of(r, row));
    }
    file_printf(f, "</tbody>\n</table></div>\n");
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

static void write_results(FileOut *f, const Report *r) {
    Table t = {r->rows, r->row_count, has_baseline(r), scores_differ(r->rows, r->row_count),
               labels_differ(r->rows, r->row_count)};
    file_printf(f, "<section class=\"panel table\">\n<h2>Results</h2>\n");
    write_table(f, r, &t, "model");
    write_protocols(f, r);
    file_printf(f, "</section>\n");
}

static void write_checkpoints(FileOut *f, const Report *r) {
    const ResultRow *rows = r->checkpoints;
    Table t = {rows, r->checkpoint_count, has_baseline(r), scores_differ(rows, r->checkpoint_count),
               labels_differ(rows, r->checkpoint_count)};
    file_printf(f,
                "<section class=\"panel table\">\n<h2>Checkpoints</h2>\n<p class=\"soft\">The "
                "result above is the last one's. To report the best of these is to choose on the "
                "test set: an oracle.</p>\n");
    write_table(f, r, &t, "checkpoint");
    file_printf(f, "</section>\n");
}

static void write_facts(FileOut *f, const Report *r) {
    if (!r->facts || !r->facts[0])
        return;
    file_printf(f, "<section class=\"panel\">\n<h2>Settings</h2>\n<dl>\n");
    for (const char *const *p = r->facts; p[0] && p[1]; p += 2) {
        file_printf(f, "<dt>");
        html_text(f, p[0]);
        file_printf(f, "</dt><dd>");
        html_text(f, p[1]);
        file_printf(f, "</dd>\n");
    }
    file_printf(f, "</dl>\n</section>\n");
}

static void write_legend(FileOut *f, bool compared, bool shaded) {
    file_printf(f, "<p class=\"legend\"><span><i></i>model</span>");
    if (compared)
        file_printf(f, "<span><i class=\"b\"></i>persistence</span>");
    if (shaded)
        file_printf(f, "<span><i class=\"t\"></i>labelled abnormal</span>");
    file_printf(f, "</p>\n");
}

static void write_overview(FileOut *f, const Report *r) {
    file_printf(f, "<div class=\"overview\">\n");
    write_facts(f, r);
    if (r->roc_count) {
        file_printf(f, "<section class=\"panel\">\n<h2>ROC, ");
        html_text(f, r->roc_name);
        file_printf(f, "</h2>\n");
        write_legend(f, r->roc_baseline, false);
        report_svg_roc(f, r->roc, r->roc_count, r->roc_baseline, r->roc_baseline_count);
        file_printf(f, "</section>\n");
    }
    file_printf(f, "</div>\n");
}

static int write_clips(FileOut *f, const Report *r) {
    if (!r->clip_count)
        return 0;
    bool compared = has_baseline(r);
    file_printf(f, "<section>\n<h2>Anomaly score of each frame</h2>\n");
    write_legend(f, compared, true);
    file_printf(f, "<div class=\"clips\">\n");
    for (int i = 0; i < r->clip_count; i++) {
        ReportClip c = r->clips[i];
        if (!compared)
            c.baseline = NULL;
        double area;
        int code = auroc(&area, c.anomaly, c.label, c.frames);
        if (code)
            return err_context(code, "clip %s", c.name);
        file_printf(f, "<figure class=\"panel\"><figcaption><span><b>");
        html_text(f, c.name);
        file_printf(f, "</b> <span class=\"soft\">");
        html_text(f, c.note);
        file_printf(f, "</span></span><span class=\"soft\">%lld frames", (long long)c.frames);
        if (isfinite(area))
            file_printf(f, " &middot; AUROC %.1f&nbsp;%%", 100 * area);
        file_printf(f, "</span></figcaption>\n");
        report_svg_curve(f, &c);
        file_printf(f, "</figure>\n");
    }
    file_printf(f, "</div>\n</section>\n");
    return 0;
}

static int write_frames(FileOut *f, const Report *r) {
    if (!r->frame_count)
        return 0;
    file_printf(f, "<section>\n<h2>Frames with the highest scores</h2>\n<div class=\"frames\">\n");
    int code = 0;
    for (int i = 0; i < r->frame_count && !code; i++) {
        const ReportFrame *p = &r->frames[i];
        file_printf(f, "<figure class=\"panel\"><figcaption><span><b>");
        html_text(f, p->clip);
        file_printf(f, "</b> <span class=\"soft\">frame %lld, PSNR ", (long long)p->index);
        html_number(f, "%.1f dB", p->psnr);
        file_printf(f, "</span></span><span class=\"chip %s</span></figcaption>\n",
                    p->abnormal ? "hit\">abnormal" : "miss\">normal");
        file_printf(f, "<div class=\"pictures\">\n");
        const uint8_t *const pictures[] = {p->frame, p->prediction, p->difference, p->truth};
        static const char *const captions[] = {"frame", "prediction", "difference", "truth"};
        for (int k = 0; k < 4 && !code; k++)
            code = html_picture(f, captions[k], pictures[k], p->size);
        file_printf(f, "</div></figure>\n");
    }
    file_printf(f, "</div>\n</section>\n");
    return code;
}

int report_write(const Report *r, const char *path) {
    FileOut *f;
    int code = file_create(&f, path);
    if (code)
        return code;
    html_head(f, r->title, r->subtitle);
    write_verdict(f, r);
    if (r->row_count)
        write_results(f, r);
    if (r->checkpoint_count)
        write_checkpoints(f, r);
    write_overview(f, r);
    code = write_clips(f, r);
    if (!code)
        code = write_frames(f, r);
    if (code) {
        file_discard(&f);
        return err_context(code, "%s", path);
    }
    file_printf(f,
                "<footer>normalcy " NORMALCY_VERSION
                ". Anomaly score: 1 less the regularity score, PSNR scaled to 0&hellip;1 within "
                "each clip. In percent: AUROC, micro: one ROC over all frames, with its 95&nbsp;%% "
                "interval over "
                "clips; macro: the mean over clips; AP: average precision; EER: equal error rate."
                "</footer>\n</main>\n</body>\n</html>\n");
    return file_commit(&f);
}
