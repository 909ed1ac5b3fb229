/* One self-contained HTML page (inline CSS, SVG and PNG; no script needed, opens without a network)
 * about one evaluation. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "eval/localise.h"
#include "eval/metrics.h"
#include "eval/result.h"

typedef struct {
    const char *name, *note; /* "03", "runner" */
    int64_t first, frames;   /* of the clip: its first scored one, and how many are */
    const double *anomaly;   /* per frame, in [0, 1]: the model's */
    const double *baseline;  /* the same of persistence; NULL where no row is persistence's */
    const uint8_t *label;
} ReportClip;

/* A frame worth looking at; pictures are size x size BGR, borrowed. */
typedef struct {
    const char *clip;
    int64_t index;
    double psnr, anomaly; /* dB; as in the curve of its clip */
    int abnormal;
    int size;
    const uint8_t *frame, *prediction, *difference, *truth; /* truth NULL where unknown */
} ReportFrame;

/* Frames of one kind, under a heading. */
typedef struct {
    const char *title, *note;
    const ReportFrame *frames;
    int count;
} ReportGroup;

/* Where in the frame: one model at one level (localise.h). */
typedef struct {
    const char *model, *level;
    Localisation figures;
} ReportPlace;

typedef struct {
    const char *title, *subtitle; /* subtitle: data, labels, epoch, seed, in words */
    const char *const *facts; /* "key\0value" pairs flattened: key, value, key, value, ..., NULL */
    const ResultRow *rows;
    int row_count;
    bool alarms;               /* whether the rows' alarms have a table */
    double fps, budget;        /* of these: frames a second, false alarms an hour */
    const Tracks *tracks;      /* the truth of the places */
    const ReportPlace *places; /* may be NULL */
    int place_count;
    const ResultRow *checkpoints; /* of the epochs of a run, the last one behind them; or NULL */
    int checkpoint_count;
    const int *oracles; /* of these the best of their kind, as indices; -1: none */
    int oracle_count;
    const ReportClip *clips;
    int clip_count;
    const ResultRow *roc_row;           /* whose score and protocol the curves have */
    const RocPoint *roc, *roc_baseline; /* may be NULL */
    int64_t roc_count, roc_baseline_count;
    const ReportGroup *groups;
    int group_count;
} Report;

/* Writes the page atomically. Whatever is empty or NULL is left out of it; NaN scores are ERR_FAIL.
 */
int report_write(const Report *r, const char *path);

#endif
