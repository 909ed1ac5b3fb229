/* How far the AUROC would move with other clips of the same kind. */
#ifndef EVAL_BOOTSTRAP_H
#define EVAL_BOOTSTRAP_H

#include <stdint.h>

/* Of the micro AUROC. NaN for all three where there are fewer than two clips with frames, or one
 * class is absent. */
typedef struct {
    double estimate, low, high; /* low, high: 2.5 and 97.5 % of the replicates lie below */
    int clips;                  /* those with frames */
} Bootstrap;

/* 1000 replicates of as many clips, drawn with replacement (frames of one clip are not independent,
 * so whole clips are drawn), always the same ones. A replicate without frames of both classes is
 * drawn again. Clips end to end; `score` holds no NaN. ERR_FAIL where memory is out. */
int bootstrap_percentiles(Bootstrap *out, const double *score, const uint8_t *label,
                          const int64_t *clip_length, int clips);

/* The 95 % interval of the micro AUROC: these percentiles, which hold the truth too seldom with few
 * clips, widened (interval.h). NaN for both where the replicates tell no spread. */
int bootstrap_auroc(double *low, double *high, const double *score, const uint8_t *label,
                    const int64_t *clip_length, int clips);

#endif
