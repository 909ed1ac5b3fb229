/* The HTML page about one evaluation. It is self-contained (inline CSS, SVG and PNG), has no script
 * and opens without a network. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "eval/localise.h"
#include "eval/metrics.h"
#include "eval/result.h"
#include "score/surprise.h"

typedef struct {
    const char *name, *note; /* "03", "runner" */
    int64_t first, frames;   /* the clip's first scored frame; number of scored frames */
    const double *anomaly;   /* the model's scores, per frame, in [0, 1] */
    const double *baseline;  /* persistence's scores; NULL if it has none of this kind */
    const uint8_t *label;
} ReportClip;

/* A frame worth looking at; pictures are size x size BGR, borrowed. */
typedef struct {
    const char *clip;
    int64_t index;
    FrameScore score;
    double anomaly; /* the value in the clip's curve */
    int abnormal;
    int size;
    const uint8_t *frame, *prediction, *difference;
    const uint8_t *odd, *truth; /* NULL: the model has no surprise; unknown */
} ReportFrame;

/* Frames of one kind, under a heading. */
typedef struct {
    const char *title, *note;
    const ReportFrame *frames;
    int count;
} ReportGroup;

/* The localisation figures of one model at one level (eval/localise.h). */
typedef struct {
    const char *model, *level;
    Localisation figures;
} ReportPlace;

typedef struct {
    const char *title, *subtitle; /* subtitle: data, labels, epoch, seed, in words */
    const char *const *facts;     /* key, value, key, value, ..., NULL */
    const ResultRow *rows;
    int row_count;
    bool alarms;               /* whether the page has a table of the rows' alarms */
    double fps, budget;        /* of the alarms: frames a second, false alarms an hour */
    const Tracks *tracks;      /* the true tracks with which `places` were measured */
    const ReportPlace *places; /* may be NULL */
    int place_count;
    const ResultRow *checkpoints; /* rows of a run's epochs, the last epoch at the end; or NULL */
    int checkpoint_count;
    const int *oracles; /* indices of the best checkpoint row of each kind; -1: none */
    int oracle_count;
    const ReportClip *clips;
    int clip_count;
    const ResultRow *told; /* the row that the headline and the curves tell of; NULL: no rows */
    const RocPoint *roc, *roc_baseline; /* may be NULL */
    int64_t roc_count, roc_baseline_count;
    const ReportGroup *groups;
    int group_count;
} Report;

/* Writes the page atomically. Parts that are empty or NULL are left out. ERR_FAIL for NaN scores.
 */
int report_write(const Report *r, const char *path);

#endif
