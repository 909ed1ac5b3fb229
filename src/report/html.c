#include "report/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "video/png.h"

static const char style[] =
    ":root{color-scheme:light dark;--bg:#f6f7f8;--panel:#fff;--ink:#1a1e23;--soft:#5b6570;"
    "--line:#e1e4e8;--model:#1558d6;--base:#8d97a3;--truth:#fbd9d2;--mark:#b3402e;"
    "--good:#12734a;--bad:#b3261e;--shade:#0003}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--bg:#121518;--panel:#1b1f24;"
    "--ink:#e9ebee;--soft:#9aa4af;--line:#2d333a;--model:#78aaff;--base:#77828e;--truth:#4d2823;"
    "--mark:#f2a190;--good:#5fcf97;--bad:#ff9389;--shade:#000a}}\n"
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
    ".table{margin-top:18px}.table dl{margin-top:14px}.table>.soft{max-width:110ch;margin:0 0 "
    "12px}.scroll+.small{margin:12px 0 0}\n"
    ".overview>:only-child{grid-column:1/-1}\n"
    ".stack{display:grid;grid-template-columns:minmax(0,1fr);gap:18px;margin-top:18px}"
    ".stack .panel{padding:18px 22px}.stack h2{margin:0 0 12px}\n"
    /* A shadow marks the side where more columns can be scrolled to. */
    ".scroll{overflow-x:auto;background:"
    "linear-gradient(90deg,var(--panel) 50%,transparent) 0 0/32px 100% no-repeat local,"
    "linear-gradient(270deg,var(--panel) 50%,transparent) 100% 0/32px 100% no-repeat local,"
    "linear-gradient(90deg,var(--shade),transparent) 0 0/14px 100% no-repeat,"
    "linear-gradient(270deg,var(--shade),transparent) 100% 0/14px 100% no-repeat}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:right;padding:7px 8px;border-bottom:1px solid var(--line);"
    "white-space:nowrap}\n"
    "tr:last-child td{border-bottom:0}\n"
    "th{font-weight:500;font-size:12.5px;color:var(--soft);vertical-align:bottom}\n"
    "th:first-child,td:first-child{text-align:left;padding-left:0;white-space:normal;"
    "overflow-wrap:break-word}\n"
    "th:last-child,td:last-child{padding-right:0}\n"
    "th.word,td.word{text-align:left}tr.group td{color:var(--soft);font-size:12.5px}\n"
    "tr.base td{color:var(--soft)}td.key{font-weight:650}td .chip{font-size:.85em;padding:0 6px}\n"
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
    ".five{grid-template-columns:repeat(5,1fr)}.six{grid-template-columns:repeat(6,1fr)}"
    ".grids{display:grid;gap:14px}\n"
    ".none{display:grid;place-items:center;aspect-ratio:1;border:1px dashed var(--line);"
    "border-radius:4px;margin-bottom:3px}\n"
    ".chip{font-size:12px;padding:1px 9px;border-radius:99px;border:1px solid currentColor;"
    "white-space:nowrap}.chip.hit{color:var(--mark)}.chip.miss{color:var(--soft)}\n"
    "footer{margin-top:34px;color:var(--soft);font-size:12.5px}\n"
    "@media(max-width:860px){.overview{grid-template-columns:minmax(0,1fr)}"
    ".roc{max-width:380px;margin:0 auto}.verdict .big{font-size:24px}"
    "main{padding:28px 16px 40px}.verdict,.overview .panel,.table,.stack .panel{padding:16px}"
    "table{font-size:12.5px}th{font-size:11px}th,td{padding:6px 3px}}\n"
    "@media print{@page{margin:14mm}body{background:#fff;font-size:10.5pt;"
    "print-color-adjust:exact;-webkit-print-color-adjust:exact}main{max-width:none;padding:0 1px}"
    "h2,.legend{break-after:avoid}h2{margin-top:20px}"
    ".overview{grid-template-columns:minmax(0,1fr) 260px;gap:10px}"
    ".overview .panel,.table{padding:12px 16px}"
    ".clips,.frames{grid-template-columns:repeat(2,minmax(0,1fr));gap:8px}"
    ".panel{break-inside:avoid}.table{break-inside:auto}tr{break-inside:avoid}"
    ".scroll{overflow:visible;background:none}table{font-size:8.5pt}th{font-size:7.5pt}"
    "footer{margin-top:12px}figure{padding:8px 10px}.verdict{padding:14px 18px}"
    ".verdict .big{font-size:17pt}th,td{padding:3px 4px}"
    "svg text,.roc text{font-size:13px}}\n";

void html_text(FileOut *f, const char *s) {
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

/* Lets lines break after each slash. */
void html_path(FileOut *f, const char *s) {
    for (const char *slash; s && (slash = strchr(s, '/')); s = slash + 1) {
        char part[256];
        snprintf(part, sizeof part, "%.*s", (int)(slash - s), s);
        html_text(f, part);
        file_printf(f, "/<wbr>");
    }
    html_text(f, s);
}

/* Prints a dash if the value is not finite. */
void html_number(FileOut *f, const char *format, double value) {
    char buf[64];
    snprintf(buf, sizeof buf, format, value);
    file_printf(f, "%s", isfinite(value) ? buf : "&ndash;");
}

/* "+16.1" in green, "&minus;3.1" in red. */
void html_margin(FileOut *f, double points) {
    if (!isfinite(points)) {
        file_printf(f, "&ndash;");
        return;
    }
    double shown = round(10 * points) / 10;
    file_printf(f, "<span class=\"%s\">%s%.1f</span>", shown < 0 ? "bad" : "good",
                shown < 0 ? "&minus;" : "+", fabs(shown));
}

void html_head(FileOut *f, const char *title, const char *subtitle) {
    file_printf(f, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                   "<meta name=\"generator\" content=\"normalcy " NORMALCY_VERSION "\">\n"
                   "<link rel=\"icon\" href=\"data:,\">\n<title>");
    html_text(f, title);
    file_printf(f, "</title>\n<style>\n");
    file_write(f, style, sizeof style - 1);
    file_printf(f, "</style>\n</head>\n<body>\n<main>\n<header>\n<h1>");
    html_text(f, title);
    file_printf(f, "</h1>\n<p class=\"soft\">");
    html_text(f, subtitle);
    file_printf(f, "</p>\n</header>\n");
}

void html_foot(FileOut *f, const char *note) {
    file_printf(f, "<footer>normalcy " NORMALCY_VERSION ". ");
    html_text(f, note);
    file_printf(f, "</footer>\n</main>\n</body>\n</html>\n");
}

void html_panel(FileOut *f, const char *heading) {
    file_printf(f, "<section class=\"panel table\">\n<h2>%s</h2>\n", heading);
}

void html_panel_end(FileOut *f) {
    file_printf(f, "</section>\n");
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

int html_picture(FileOut *f, const char *caption, const uint8_t *bgr, int size) {
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
