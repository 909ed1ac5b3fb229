/* Filters over time within one clip, as evaluation codes apply them to scores (method D.1). */
#ifndef EVAL_SMOOTH_H
#define EVAL_SMOOTH_H

#include <stdint.h>

typedef enum {
    SMOOTH_NONE,
    SMOOTH_MEAN,
    SMOOTH_MEDIAN,
    SMOOTH_GAUSSIAN,     /* weights sum to 1; window 0: 4 sigma to each side (SciPy's) */
    SMOOTH_GAUSSIAN_RAW, /* not scaled to sum 1, and centred one frame back (the AED code's) */
} SmoothKind;

/* What lies beyond the ends of a clip a b c d: */
typedef enum {
    EDGE_REFLECT, /* b a | a b c d | d c */
    EDGE_ZERO,    /* 0 0 | a b c d | 0 0 */
    EDGE_REPEAT,  /* a b | a b c d | c d: the ends once more, in the same order */
    EDGE_KEEP,    /* nothing: frames whose window is not whole keep their score */
} SmoothEdge;

typedef struct {
    SmoothKind kind;
    SmoothEdge edge;
    int window; /* frames, odd */
    double sigma;
} Smooth;

/* Filters n scores in place. ERR_FAIL where memory is out. */
int smooth_run(const Smooth *s, double *score, int64_t n);

#endif
