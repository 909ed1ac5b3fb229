/* One self-contained HTML page (inline CSS, SVG and PNG; no script needed, opens without a network)
 * about one evaluation. */
#ifndef SCORE_REPORT_H
#define SCORE_REPORT_H

#include <stdint.h>

#include "score/metrics.h"
#include "score/result.h"

typedef struct {
    const char *name, *note; /* "03", "runner" */
    int64_t frames;
    const double *anomaly;  /* per frame, in [0, 1]: the model's */
    const double *baseline; /* the same of persistence; NULL where no row is persistence's */
    const uint8_t *label;
} ReportClip;

/* A frame worth looking at; pictures are size x size BGR, borrowed. */
typedef struct {
    const char *clip;
    int64_t index;
    double psnr;
    int abnormal;
    int size;
    const uint8_t *frame, *prediction, *difference, *truth; /* truth NULL where unknown */
} ReportFrame;

typedef struct {
    const char *title, *subtitle; /* subtitle: data, labels, epoch, seed, in words */
    const char *const *facts; /* "key\0value" pairs flattened: key, value, key, value, ..., NULL */
    const ResultRow *rows;
    int row_count;
    const ResultRow
        *checkpoints; /* of the epochs of a run, the last one behind them; may be NULL */
    int checkpoint_count;
    const ReportClip *clips;
    int clip_count;
    const char *roc_name;               /* the protocol of the curves */
    const RocPoint *roc, *roc_baseline; /* may be NULL */
    int64_t roc_count, roc_baseline_count;
    const ReportFrame *frames;
    int frame_count;
} Report;

/* Writes the page atomically. Whatever is empty or NULL is left out of it; NaN scores are ERR_FAIL.
 */
int report_write(const Report *r, const char *path);

#endif
