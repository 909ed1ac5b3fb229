#include "report/html_table.h"

#include <stdarg.h>
#include <stdio.h>

#include "report/html.h"

/* Writes a tag such as <td>, with its class if there is one. */
static void open_tag(FileOut *f, const char *name, const char *class) {
    if (class)
        file_printf(f, "<%s class=\"%s\">", name, class);
    else
        file_printf(f, "<%s>", name);
}

HtmlTable html_table(FileOut *f) {
    file_printf(f, "<div class=\"scroll\"><table>\n<thead><tr>");
    return (HtmlTable){.f = f};
}

void html_column(HtmlTable *t, const char *class, const char *heading, ...) {
    char text[128];
    va_list ap;
    va_start(ap, heading);
    vsnprintf(text, sizeof text, heading, ap);
    va_end(ap);
    open_tag(t->f, "th", class);
    file_printf(t->f, "%s</th>", text);
    t->columns++;
}

void html_columns(HtmlTable *t, const char *const *headings) {
    for (; *headings; headings++)
        html_column(t, NULL, "%s", *headings);
}

static void end_cell(HtmlTable *t) {
    if (t->in_cell)
        file_printf(t->f, "</td>");
    t->in_cell = false;
}

static void end_row(HtmlTable *t) {
    end_cell(t);
    if (t->in_row)
        file_printf(t->f, "</tr>\n");
    t->in_row = false;
    if (!t->in_body)
        file_printf(t->f, "</tr></thead>\n<tbody>\n");
    t->in_body = true;
}

void html_row(HtmlTable *t, const char *class) {
    end_row(t);
    open_tag(t->f, "tr", class);
    t->in_row = true;
}

void html_cell(HtmlTable *t, const char *class) {
    end_cell(t);
    open_tag(t->f, "td", class);
    t->in_cell = true;
}

void html_cell_over_all(HtmlTable *t) {
    file_printf(t->f, "<td colspan=\"%d\">", t->columns);
    t->in_cell = true;
}

void html_number_cell(HtmlTable *t, const char *class, const char *format, double value) {
    html_cell(t, class);
    html_number(t->f, format, value);
}

void html_table_end(HtmlTable *t) {
    end_row(t);
    file_printf(t->f, "</tbody>\n</table></div>\n");
}
