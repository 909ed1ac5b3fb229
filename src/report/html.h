/* Parts of HTML pages. Each page is one self-contained file: inline CSS, SVG and PNG, no script. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stdint.h>

#include "base/file.h"

/* html_head writes the page's start with its heading. html_foot ends the page with a note in plain
 * text. */
void html_head(FileOut *f, const char *title, const char *subtitle);
void html_foot(FileOut *f, const char *note);

/* A box under a heading. It holds a table and its explanations. */
void html_panel(FileOut *f, const char *heading);
void html_panel_end(FileOut *f);

/* Write text with &, <, >, " and ' as entities. html_path also lets lines break after a slash. */
void html_text(FileOut *f, const char *s);
void html_path(FileOut *f, const char *s);

/* Prints one number in printf's `format`; a dash if it is not finite. */
void html_number(FileOut *f, const char *format, double value);

/* "+16.1" in green, "-3.1" in red. */
void html_margin(FileOut *f, double points);

/* A picture of size x size BGR with a caption. If bgr is NULL, a note says that there is none. */
int html_picture(FileOut *f, const char *caption, const uint8_t *bgr, int size);

#endif
