/* The page about an evaluation (report/report.h): its facts, curves and pictures. */
#ifndef REPORT_EVAL_PAGE_H
#define REPORT_EVAL_PAGE_H

#include "eval/eval_results.h"

/* Writes report.html of at least one row. It tells of the surprise if a row has it, else of the
 * first row's score. Its curves are drawn under the protocol "per-clip". */
int eval_page_write(const EvalResults *r, const char *path);

#endif
