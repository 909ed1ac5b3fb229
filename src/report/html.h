/* What the HTML pages share: one self-contained page each, inline CSS, SVG and PNG, no script. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stdint.h>

#include "base/file.h"

/* The page up to and with its heading; html_foot ends it with a note in plain text. */
void html_head(FileOut *f, const char *title, const char *subtitle);
void html_foot(FileOut *f, const char *note);

/* A box under a heading, for a table and what is said about it. */
void html_panel(FileOut *f, const char *heading);
void html_panel_end(FileOut *f);

/* Text with &, <, >, " and ' as entities; the path may break behind each slash. */
void html_text(FileOut *f, const char *s);
void html_path(FileOut *f, const char *s);

/* printf of one number; a dash where it is none. */
void html_number(FileOut *f, const char *format, double value);

/* "+16.1" in green, "-3.1" in red. */
void html_margin(FileOut *f, double points);

/* A picture of size x size BGR with a caption, or the word that there is none (bgr NULL). */
int html_picture(FileOut *f, const char *caption, const uint8_t *bgr, int size);

#endif
