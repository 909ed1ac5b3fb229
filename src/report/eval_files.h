/* The files of an evaluation: results.json, scores.csv, report.html. */
#ifndef REPORT_EVAL_FILES_H
#define REPORT_EVAL_FILES_H

#include "base/json.h"
#include "eval/eval_results.h"

/* {"data": ..., "labels": {...}, "model": {...}, "rows": [...]}, owned by the caller. */
Json *eval_json(const EvalResults *r);

/* Makes the folder and tries whether files can be made in it, for before the work. */
int eval_folder(const char *folder);

/* Writes the three files into a folder, each atomically, results.json last: it says that all are
 * there. */
int eval_write(const EvalResults *r, const char *folder);

#endif
