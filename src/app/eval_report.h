/* The page about an evaluation (score/report.h): its facts, curves and pictures. */
#ifndef APP_EVAL_REPORT_H
#define APP_EVAL_REPORT_H

#include "app/eval_files.h"

/* Writes report.html. `judged`: each model's scores under the protocol per-clip, for the curves. */
int eval_report(const EvalResults *r, const Judged *judged, const char *path);

#endif
