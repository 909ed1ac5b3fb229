/* A table of an HTML page: first the columns, then rows of cells. After html_cell, the caller
 * writes the cell's content to the page. The next call closes open cells and rows. */
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

/* Adds a column. The heading is HTML in printf style. CSS classes may be NULL, here and below. */
void html_column(HtmlTable *t, const char *class, const char *heading, ...)
    __attribute__((format(printf, 3, 4)));

/* Columns without a class, named by a list that ends with NULL. */
void html_columns(HtmlTable *t, const char *const *headings);

void html_row(HtmlTable *t, const char *class);
void html_cell(HtmlTable *t, const char *class);

/* Begins a cell over all columns, the only one of its row. */
void html_cell_over_all(HtmlTable *t);

/* A cell with one number; a dash if it is not finite. */
void html_number_cell(HtmlTable *t, const char *class, const char *format, double value);

void html_table_end(HtmlTable *t);

#endif
