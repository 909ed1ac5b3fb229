/* The files of an evaluation: results.json, scores.csv, report.html. */
#ifndef APP_EVAL_FILES_H
#define APP_EVAL_FILES_H

#include "score/evaluate.h"

/* {"data": ..., "labels": {...}, "model": {...}, "rows": [...]} as text, owned by the caller
 * (mem_free). */
char *eval_json(const Evaluation *e, const ResultRow *rows);

/* Writes the three files into a folder, each atomically. */
int eval_write(const Evaluation *e, const ResultRow *rows, const char *folder);

#endif
