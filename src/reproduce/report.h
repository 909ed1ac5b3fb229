/* The report of a reproduction: a page, its text and its numbers. */
#ifndef REPRODUCE_REPORT_H
#define REPRODUCE_REPORT_H

#include "reproduce/state.h"

/* Writes report.html, report.md and results.json into the output folder; with `pictures` also
 * Fig. 2, which takes seconds. */
int reproduce_write(const Reproduction *r, bool pictures);

#endif
