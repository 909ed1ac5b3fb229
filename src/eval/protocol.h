/* Protocols: how published codes turn scores into one ROC (method D.1). A protocol says which
 * frames count, and which min-max and filters are applied. Everything after that is the same for
 * all protocols. */
#ifndef EVAL_PROTOCOL_H
#define EVAL_PROTOCOL_H

#include <stdbool.h>

#include "data/labels.h"
#include "eval/regular.h"
#include "eval/smooth.h"

enum { PROTOCOL_STEPS = 2, PROTOCOL_UNSCORED = -1 };

typedef struct {
    Normalise normalise;
    Smooth smooth; /* after the min-max, clip by clip */
} ProtocolStep;

typedef struct {
    const char *name;
    /* Numbers of frames at the start and end of each clip that do not count. PROTOCOL_UNSCORED: the
     * frames without a score do not count. A frame without a score can count, because the published
     * code's model may see fewer past frames than ours; it takes the nearest score of its clip. */
    int head, tail;
    int steps;
    ProtocolStep step[PROTOCOL_STEPS];
    const char *labels; /* Avenue's ground truth in this code; NULL: not for Avenue */
    const char *note;
} Protocol;

extern const Protocol protocols[]; /* ends with a NULL name; the first two are the paper's */

const Protocol *protocol_find(const char *name); /* NULL where there is none */

/* The min-max of the protocol's last step that has one. */
Normalise protocol_normalise(const Protocol *p);

/* The scores of one model on labelled clips, end to end. */
typedef struct {
    const Labels *labels;
    const double *regularity; /* of every frame; higher = more normal; no NaN */
    int64_t first, last;      /* frames at the ends of each clip that have no score */
    double normal;            /* the regularity whose anomaly is 0 before any min-max */
    /* Further frames that have no score; they hold the nearest one of their clip. NULL: none. */
    const bool *missing;
} ProtocolInput;

/* The scores that count under a protocol, clips end to end; higher = more abnormal. */
typedef struct {
    int clips;
    int64_t *length; /* [clips] frames that count; 0 if the protocol drops the whole clip */
    double *score;
    uint8_t *label;
    int64_t *frame; /* each one's number in its clip */
    int64_t frames, abnormal;
} Judged;

/* Applies a protocol. `sigma` > 0 adds a Gaussian filter over time after it. ERR_FAIL if memory is
 * out. */
int protocol_apply(Judged *out, const Protocol *p, const ProtocolInput *in, double sigma);
void judged_free(Judged *j); /* accepts a zeroed one */

#endif
