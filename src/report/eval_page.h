/* The page about an evaluation (report/report.h): its facts, curves and pictures. */
#ifndef REPORT_EVAL_PAGE_H
#define REPORT_EVAL_PAGE_H

#include "eval/eval_results.h"

/* Writes report.html. `judged` holds each model's scores under the protocol "per-clip", from which
 * the curves are drawn. */
int eval_page_write(const EvalResults *r, const Judged *judged, const char *path);

#endif
