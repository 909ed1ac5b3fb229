/* Bootstrap over clips: how much the AUROC would vary with other clips of the same kind. */
#ifndef EVAL_BOOTSTRAP_H
#define EVAL_BOOTSTRAP_H

#include <stdint.h>

/* The micro AUROC and its percentiles. All three are NaN if fewer than two clips have frames or one
 * class is absent. */
typedef struct {
    double estimate, low, high; /* low, high: the 2.5th and 97.5th percentile of the replicates */
    int clips;                  /* clips that have frames */
} Bootstrap;

/* Draws 1000 replicates. Each replicate is `clips` clips drawn with replacement; whole clips,
 * because frames of one clip are not independent. The draws are the same in every call. A replicate
 * without frames of both classes is drawn again. `score` and `label` hold the clips end to end;
 * `score` holds no NaN. ERR_FAIL if memory is out. */
int bootstrap_percentiles(Bootstrap *out, const double *score, const uint8_t *label,
                          const int64_t *clip_length, int clips);

/* The 95 % interval of the micro AUROC. With few clips the percentiles alone cover the truth too
 * seldom, so they are widened (interval.h). Both ends are NaN if the replicates show no spread. */
int bootstrap_auroc(double *low, double *high, const double *score, const uint8_t *label,
                    const int64_t *clip_length, int clips);

#endif
