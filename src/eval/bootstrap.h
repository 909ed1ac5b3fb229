/* How far the AUROC would move with other clips of the same kind. */
#ifndef EVAL_BOOTSTRAP_H
#define EVAL_BOOTSTRAP_H

#include <stdint.h>

/* 95 % percentile interval of the micro AUROC: 1000 replicates of as many clips, drawn with
 * replacement (frames of one clip are not independent, so whole clips are drawn), always the same
 * ones. A replicate without frames of both classes is drawn again. Clips end to end; `score` holds
 * no NaN. NaN for both where there are fewer than two clips, or one class is absent. ERR_FAIL where
 * memory is out. */
int bootstrap_auroc(double *low, double *high, const double *score, const uint8_t *label,
                    const int64_t *clip_length, int clips);

#endif
