/* How published codes turn scores into one ROC: which frames count, min-max, filters (method D.1).
 * The one place where protocols differ; everything after it is the same for all. */
#ifndef EVAL_PROTOCOL_H
#define EVAL_PROTOCOL_H

#include "data/labels.h"
#include "eval/regular.h"
#include "eval/smooth.h"

enum { PROTOCOL_STEPS = 2, PROTOCOL_UNSCORED = -1 };

typedef struct {
    Normalise normalise;
    Smooth smooth; /* after it, clip by clip */
} ProtocolStep;

typedef struct {
    const char *name;
    /* Frames of each clip that do not count, at its start and end; PROTOCOL_UNSCORED: those without
     * a score. Frames without a score that count (the code's model sees less of the past than the
     * one scored) take the nearest score of their clip. */
    int head, tail;
    int steps;
    ProtocolStep step[PROTOCOL_STEPS];
    const char *labels; /* Avenue's ground truth in this code; NULL: not for Avenue */
    const char *note;
} Protocol;

extern const Protocol protocols[]; /* ends with a NULL name; the first two are the paper's */

const Protocol *protocol_find(const char *name); /* NULL where there is none */

/* The last min-max of its steps. */
Normalise protocol_normalise(const Protocol *p);

/* Scores of one model on labelled clips, clips end to end. */
typedef struct {
    const Labels *labels;
    const double *regularity; /* of every frame; higher = more normal; no NaN */
    int64_t first, last;      /* frames at the ends of each clip that have no score */
    double normal;            /* the regularity that stands for 0 anomaly before any min-max */
} ProtocolInput;

/* What is left to judge, clips end to end; higher = more abnormal. */
typedef struct {
    int clips;
    int64_t *length; /* of each clip; 0 where a protocol drops all of it */
    double *score;
    uint8_t *label;
    int64_t frames, abnormal;
} Judged;

/* Applies a protocol; `sigma` > 0 adds a Gaussian filter over time behind it. ERR_FAIL where memory
 * is out. */
int protocol_apply(Judged *out, const Protocol *p, const ProtocolInput *in, double sigma);
void judged_free(Judged *j); /* accepts a zeroed one */

#endif
