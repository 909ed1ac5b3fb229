#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "report/html.h"
#include "report/report_svg.h"
#include "report/report_table.h"

/* ---- sections ---- */

/* Names the score unless it is the plain one. */
static void write_score(FileOut *f, const ResultRow *row) {
    if (!results_tell_score(row, 1))
        return;
    file_printf(f, ", ");
    html_text(f, row->score);
}

static bool compared(const Report *r) {
    return r->clip_count && r->clips[0].baseline && results_compare(r->rows, r->row_count);
}

static void write_verdict(FileOut *f, const Report *r) {
    const ResultRow *row = r->told;
    file_printf(f, "<section class=\"panel verdict\">\n<p class=\"big\">");
    if (!row) {
        file_printf(f, "Nothing was evaluated</p>\n</section>\n");
        return;
    }
    const ResultRow *base =
        results_compare(r->rows, r->row_count) ? result_baseline(r->rows, r->row_count, row) : NULL;
    if (!isfinite(row->auroc_micro)) {
        file_printf(f, "No AUROC: all frames are of one class</p>\n</section>\n");
        return;
    }
    file_printf(f, "AUROC %.1f&nbsp;%%", row->auroc_micro);
    if (strcmp(row->normalise, "per-clip") == 0)
        file_printf(f, " per clip");
    write_score(f, row);
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
        html_text(f, r->told->protocol);
        write_score(f, r->told);
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
    file_printf(f, "<section>\n<h2>Anomaly score of each frame</h2>\n");
    write_legend(f, compared(r), true);
    file_printf(f, "<div class=\"clips\">\n");
    for (int i = 0; i < r->clip_count; i++) {
        ReportClip c = r->clips[i];
        if (!compared(r))
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

static int write_frames(FileOut *f, const ReportGroup *g) {
    enum { ODD = 3, PICTURES = 5 };
    if (!g->count)
        return 0;
    file_printf(f, "<section>\n<h2>%s</h2>\n<p class=\"legend\">%s</p>\n<div class=\"frames\">\n",
                g->title, g->note);
    int code = 0;
    for (int i = 0; i < g->count && !code; i++) {
        const ReportFrame *p = &g->frames[i];
        file_printf(f, "<figure class=\"panel\"><figcaption><span><b>");
        html_text(f, p->clip);
        file_printf(f, "</b> <span class=\"soft\">frame %lld, PSNR ", (long long)p->index);
        html_number(f, "%.1f dB", p->score.psnr);
        if (!isnan(p->score.surprise))
            file_printf(f, ", surprise %.1f (%s)", p->score.surprise, opinion_names[p->score.by]);
        file_printf(f, ", score %.2f</span></span><span class=\"chip %s</span></figcaption>\n",
                    p->anomaly, p->abnormal ? "hit\">abnormal" : "miss\">normal");
        const uint8_t *const pictures[] = {p->frame, p->prediction, p->difference, p->odd,
                                           p->truth};
        static const char *const captions[] = {"frame", "prediction", "difference", "what is odd",
                                               "truth"};
        file_printf(f, "<div class=\"pictures%s\">\n", p->odd ? " five" : "");
        for (int k = 0; k < PICTURES && !code; k++)
            if (k != ODD || p->odd)
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
    report_table_results(f, r);
    report_table_alarms(f, r);
    report_table_localisation(f, r);
    report_table_checkpoints(f, r);
    write_overview(f, r);
    code = write_clips(f, r);
    for (int i = 0; i < r->group_count && !code; i++)
        code = write_frames(f, &r->groups[i]);
    if (code) {
        file_discard(&f);
        return err_context(code, "%s", path);
    }
    file_printf(
        f, "<footer>normalcy " NORMALCY_VERSION
           ". Anomaly score: the frame's score, for a model its PSNR or what the headline names, "
           "scaled to 0&hellip;1 within each clip; 1 is the most abnormal. Figures are in percent. "
           "AUROC micro: one ROC over "
           "all frames, with its 95&nbsp;%% interval over clips. AUROC macro: the mean over clips. "
           "AP: average precision. EER: equal error rate."
           "</footer>\n</main>\n</body>\n</html>\n");
    return file_commit(&f);
}
