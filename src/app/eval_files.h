/* The files of an evaluation: results.json, scores.csv, report.html. */
#ifndef APP_EVAL_FILES_H
#define APP_EVAL_FILES_H

#include "app/eval_checkpoints.h"
#include "app/eval_localise.h"
#include "score/evaluate.h"

/* All that an evaluation gave; borrowed. */
typedef struct {
    const Evaluation *evaluation;
    const ResultRow *rows;
    int count;
    const EvalCheckpoints *checkpoints; /* count 0: not asked for */
    const EvalLocalise *localise;       /* localiser NULL: not asked for */
    bool alarms;                        /* whether tables show the rows' alarms */
    double fps, budget;                 /* of these */
} EvalResults;

/* {"data": ..., "labels": {...}, "model": {...}, "rows": [...]} as text, owned by the caller
 * (mem_free). */
char *eval_json(const EvalResults *r);

/* Makes the folder and tries whether files can be made in it, for before the work. */
int eval_folder(const char *folder);

/* Writes the three files into a folder, each atomically, results.json last: it says that all are
 * there. */
int eval_write(const EvalResults *r, const char *folder);

#endif
