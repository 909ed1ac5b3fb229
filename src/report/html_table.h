/* A table of an HTML page: the columns, then rows of cells. What is written to the page between two
 * calls is the cell's content; whatever is open ends with the next cell, row or end. */
#ifndef REPORT_HTML_TABLE_H
#define REPORT_HTML_TABLE_H

#include <stdbool.h>

#include "base/file.h"

typedef struct {
    FileOut *f;
    int columns;
    bool in_body, in_row, in_cell;
} HtmlTable;

HtmlTable html_table(FileOut *f);

/* Its heading is HTML, printf style. Classes may be NULL, here and below. */
void html_column(HtmlTable *t, const char *class, const char *heading, ...)
    __attribute__((format(printf, 3, 4)));

/* Columns without a class, named by a list that ends with NULL. */
void html_columns(HtmlTable *t, const char *const *headings);

void html_row(HtmlTable *t, const char *class);
void html_cell(HtmlTable *t, const char *class);

/* The row's only cell. */
void html_cell_over_all(HtmlTable *t);

/* A cell with one number; a dash where it is none. */
void html_number_cell(HtmlTable *t, const char *class, const char *format, double value);

void html_table_end(HtmlTable *t);

#endif
