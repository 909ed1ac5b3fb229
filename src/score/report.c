#include "score/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "score/report_svg.h"
#include "video/writer.h"

static const char style[] =
    ":root{color-scheme:light dark;--bg:#f6f7f8;--panel:#fff;--ink:#1a1e23;--soft:#5b6570;"
    "--line:#e1e4e8;--model:#1558d6;--base:#8d97a3;--truth:#fbd9d2;--mark:#b3402e;"
    "--good:#12734a;--bad:#b3261e}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--bg:#121518;--panel:#1b1f24;"
    "--ink:#e9ebee;--soft:#9aa4af;--line:#2d333a;--model:#78aaff;--base:#77828e;--truth:#4d2823;"
    "--mark:#f2a190;--good:#5fcf97;--bad:#ff9389}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--bg);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",sans-serif}\n"
    "main{max-width:1120px;margin:0 auto;padding:36px 24px 48px}\n"
    "h1{font-size:22px;line-height:1.25;margin:0;letter-spacing:-.01em}\n"
    "h2{font-size:16px;margin:38px 0 12px}\n"
    "p{margin:6px 0}.soft{color:var(--soft)}.small{font-size:13px}\n"
    ".panel{background:var(--panel);border:1px solid var(--line);border-radius:10px}\n"
    ".verdict{margin:22px 0 0;padding:22px 26px}\n"
    ".verdict "
    ".big{font-size:30px;line-height:1.25;font-weight:650;letter-spacing:-.02em;margin:0}\n"
    ".good{color:var(--good)}.bad{color:var(--bad)}\n"
    ".overview{display:grid;grid-template-columns:minmax(0,1fr) 350px;gap:18px;margin-top:18px;"
    "align-items:start}\n"
    ".overview h2,.table h2{margin:0 0 12px}.overview .panel,.table{padding:18px 22px}\n"
    ".table{margin-top:18px}.table dl{margin-top:14px}\n"
    ".overview>:only-child{grid-column:1/-1}\n"
    ".scroll{overflow-x:auto}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:right;padding:7px 8px;border-bottom:1px solid var(--line);"
    "white-space:nowrap}\n"
    "tr:last-child td{border-bottom:0}\n"
    "th{font-weight:500;font-size:12.5px;color:var(--soft);vertical-align:bottom}\n"
    "th:first-child,td:first-child{text-align:left;padding-left:0;white-space:normal;"
    "overflow-wrap:break-word}\n"
    "th:last-child,td:last-child{padding-right:0}\n"
    "th.word,td.word{text-align:left}tr.group td{color:var(--soft);font-size:12.5px}\n"
    "tr.base td{color:var(--soft)}td.key{font-weight:650}\n"
    "dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 18px;margin:0}\n"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:6px 20px;margin:0 0 12px;font-size:13px;"
    "color:var(--soft)}\n"
    ".legend span{display:flex;align-items:center;gap:7px}\n"
    ".legend i{width:20px;height:0;border-top:2.5px solid var(--model)}\n"
    ".legend i.b{border-top:1.5px solid var(--base)}\n"
    ".legend i.t{height:12px;border:0;background:var(--truth);border-radius:2px}\n"
    ".clips,.frames{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr)"
    ");"
    "gap:14px}\n"
    "figure{margin:0;padding:12px 14px;break-inside:avoid}\n"
    "figcaption{display:flex;gap:10px;align-items:baseline;justify-content:space-between;"
    "margin-bottom:6px;font-size:13px}\n"
    "figcaption b{font-weight:650;overflow-wrap:anywhere}\n"
    "svg{display:block;width:100%;height:auto}\n"
    "svg text{font-size:10.5px;fill:var(--soft)}\n"
    "svg path{fill:none;vector-effect:non-scaling-stroke}\n"
    ".grid{stroke:var(--line);stroke-width:1}.axis{stroke:var(--base);stroke-width:1}\n"
    ".chance{stroke:var(--base);stroke-width:1;stroke-dasharray:3 4}\n"
    ".truth{fill:var(--truth)}.roc text{font-size:11px}\n"
    ".baseline{stroke:var(--base);stroke-width:1}\n"
    ".model{stroke:var(--model);stroke-width:1.8;stroke-linejoin:round}\n"
    ".roc .model{stroke-width:2.4}.roc .baseline{stroke-width:1.4}\n"
    ".pictures{display:grid;grid-template-columns:repeat(4,1fr);gap:8px;font-size:12px;"
    "color:var(--soft)}\n"
    ".pictures img{display:block;width:100%;height:auto;border-radius:4px;margin-bottom:3px}\n"
    ".none{display:grid;place-items:center;aspect-ratio:1;border:1px dashed var(--line);"
    "border-radius:4px;margin-bottom:3px}\n"
    ".chip{font-size:12px;padding:1px 9px;border-radius:99px;border:1px solid currentColor;"
    "white-space:nowrap}.chip.hit{color:var(--mark)}.chip.miss{color:var(--soft)}\n"
    "footer{margin-top:34px;color:var(--soft);font-size:12.5px}\n"
    "@media(max-width:860px){.overview{grid-template-columns:minmax(0,1fr)}"
    ".roc{max-width:380px;margin:0 auto}.verdict .big{font-size:24px}}\n"
    "@media print{@page{margin:14mm}body{background:#fff;font-size:10.5pt;"
    "print-color-adjust:exact;-webkit-print-color-adjust:exact}main{max-width:none;padding:0 1px}"
    "h2,.legend{break-after:avoid}h2{margin-top:20px}"
    ".overview{grid-template-columns:minmax(0,1fr) 260px;gap:10px}"
    ".overview .panel,.table{padding:12px 16px}"
    ".clips,.frames{grid-template-columns:repeat(2,minmax(0,1fr));gap:8px}"
    ".panel{break-inside:avoid}figure{padding:8px 10px}.verdict{padding:14px 18px}"
    ".verdict .big{font-size:17pt}th,td{padding:4px 5px}"
    "svg text,.roc text{font-size:13px}}\n";

/* ---- pieces ---- */

static void text(FileOut *f, const char *s) {
    for (; s && *s; s++) {
        const char *entity = *s == '&'    ? "&amp;"
                             : *s == '<'  ? "&lt;"
                             : *s == '>'  ? "&gt;"
                             : *s == '"'  ? "&quot;"
                             : *s == '\'' ? "&#39;"
                                          : NULL;
        if (entity)
            file_write(f, entity, strlen(entity));
        else
            file_write(f, s, 1);
    }
}

/* A path or name that may break behind each slash. */
static void path_text(FileOut *f, const char *s) {
    for (const char *slash; s && (slash = strchr(s, '/')); s = slash + 1) {
        char part[256];
        snprintf(part, sizeof part, "%.*s", (int)(slash - s), s);
        text(f, part);
        file_printf(f, "/<wbr>");
    }
    text(f, s);
}

/* A dash where there is no number. */
static void number(FileOut *f, const char *format, double value) {
    char buf[64];
    snprintf(buf, sizeof buf, format, value);
    file_printf(f, "%s", isfinite(value) ? buf : "&ndash;");
}

/* "+16.1" in green, "&minus;3.1" in red. */
static void margin(FileOut *f, double points) {
    if (!isfinite(points)) {
        file_printf(f, "&ndash;");
        return;
    }
    double shown = round(10 * points) / 10;
    file_printf(f, "<span class=\"%s\">%s%.1f</span>", shown < 0 ? "bad" : "good",
                shown < 0 ? "&minus;" : "+", fabs(shown));
}

static void base64(FileOut *f, const uint8_t *data, int64_t n) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int64_t i = 0; i < n; i += 3) {
        int have = n - i < 3 ? (int)(n - i) : 3;
        uint32_t v = (uint32_t)data[i] << 16;
        if (have > 1)
            v |= (uint32_t)data[i + 1] << 8;
        if (have > 2)
            v |= data[i + 2];
        char out[4] = {digits[v >> 18], digits[v >> 12 & 63], have > 1 ? digits[v >> 6 & 63] : '=',
                       have > 2 ? digits[v & 63] : '='};
        file_write(f, out, sizeof out);
    }
}

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

static void write_head(FileOut *f, const Report *r) {
    file_printf(f, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                   "<meta name=\"generator\" content=\"normalcy " NORMALCY_VERSION "\">\n"
                   "<link rel=\"icon\" href=\"data:,\">\n<title>");
    text(f, r->title);
    file_printf(f, "</title>\n<style>\n");
    file_write(f, style, sizeof style - 1);
    file_printf(f, "</style>\n</head>\n<body>\n<main>\n<header>\n<h1>");
    text(f, r->title);
    file_printf(f, "</h1>\n<p class=\"soft\">");
    text(f, r->subtitle);
    file_printf(f, "</p>\n</header>\n");
}

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
        margin(f, row->auroc_micro - base->auroc_micro);
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
    number(f, "%.2f", value);
    file_printf(f, "</td>");
}

static void table_row(FileOut *f, const Table *t, const ResultRow *row, const ResultRow *base) {
    file_printf(f, "<tr%s><td>", is_baseline(row) ? " class=\"base\"" : "");
    path_text(f, row->model);
    file_printf(f, "</td><td class=\"word\">");
    text(f, row->protocol);
    if (t->score) {
        file_printf(f, "</td><td class=\"word\">");
        text(f, row->score);
        if (row->smooth > 0)
            file_printf(f, ", &sigma; %.3g", row->smooth);
    }
    file_printf(f, "</td><td class=\"word\">");
    text(f, row->normalise);
    file_printf(f, "</td><td class=\"key\">");
    number(f, "%.2f", row->auroc_micro);
    file_printf(f, "</td><td>");
    number(f, "%.1f", row->low);
    if (isfinite(row->low))
        file_printf(f, "&hellip;%.1f", row->high);
    file_printf(f, "</td>");
    if (t->compared) {
        file_printf(f, "<td>");
        margin(f, base && base != row ? row->auroc_micro - base->auroc_micro : NAN);
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
            text(f, row->labels);
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
        text(f, p->note);
        if (p->labels) {
            file_printf(f, " (Avenue: ");
            text(f, p->labels);
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
        text(f, p[0]);
        file_printf(f, "</dt><dd>");
        text(f, p[1]);
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
        text(f, r->roc_name);
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
        text(f, c.name);
        file_printf(f, "</b> <span class=\"soft\">");
        text(f, c.note);
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

static int write_picture(FileOut *f, const char *caption, const uint8_t *bgr, int size) {
    if (!bgr) {
        file_printf(f, "<span><span class=\"none\">no %s</span>%s</span>\n", caption, caption);
        return 0;
    }
    uint8_t *png;
    int64_t bytes;
    int code = png_encode(&png, &bytes, bgr, size, size);
    if (code)
        return code;
    file_printf(f, "<span><img alt=\"%s\" width=\"%d\" height=\"%d\" src=\"data:image/png;base64,",
                caption, size, size);
    base64(f, png, bytes);
    file_printf(f, "\">%s</span>\n", caption);
    mem_free(png);
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
        text(f, p->clip);
        file_printf(f, "</b> <span class=\"soft\">frame %lld, PSNR ", (long long)p->index);
        number(f, "%.1f dB", p->psnr);
        file_printf(f, "</span></span><span class=\"chip %s</span></figcaption>\n",
                    p->abnormal ? "hit\">abnormal" : "miss\">normal");
        file_printf(f, "<div class=\"pictures\">\n");
        const uint8_t *const pictures[] = {p->frame, p->prediction, p->difference, p->truth};
        static const char *const captions[] = {"frame", "prediction", "difference", "truth"};
        for (int k = 0; k < 4 && !code; k++)
            code = write_picture(f, captions[k], pictures[k], p->size);
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
    write_head(f, r);
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
