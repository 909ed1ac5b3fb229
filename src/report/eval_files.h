/* The files of an evaluation: results.json, scores.csv, report.html. */
#ifndef REPORT_EVAL_FILES_H
#define REPORT_EVAL_FILES_H

#include "base/json.h"
#include "eval/eval_results.h"

/* The content of results.json: {"data": ..., "labels": {...}, "model": {...}, "rows": [...]}. The
 * caller owns it. */
Json *eval_json(const EvalResults *r);

/* Makes the folder and checks that files can be made in it. Call it before the work begins. */
int eval_folder(const char *folder);

/* Writes the three files into a folder, each atomically. results.json is the last, so if it is
 * there, all are. */
int eval_write(const EvalResults *r, const char *folder);

#endif
