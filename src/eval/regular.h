/* From PSNR to the regularity score (Eq. 9) and its complement, the anomaly score. */
#ifndef EVAL_REGULAR_H
#define EVAL_REGULAR_H

#include <stdint.h>

typedef enum {
    NORMALISE_CLIP,   /* min-max within each clip: Ped2 and ShanghaiTech in the paper */
    NORMALISE_GLOBAL, /* one min-max over all clips: Avenue in the paper; ranks like raw PSNR */
    NORMALISE_NONE,   /* the sign only */
} Normalise;

extern const char *const normalise_names[]; /* "per-clip", "global", "none", NULL */

/* anomaly[i] = (max - psnr[i]) / (max - min) in [0, 1], which is 1 - Eq. 9; all 0 if max == min.
 * NORMALISE_NONE: -psnr[i]. `psnr` holds `clips` clips of the given lengths end to end; `anomaly`
 * may be `psnr`.
 *
 * Equal PSNRs stay equal, and a lower PSNR always gives a higher anomaly: two values that rounding
 * would make equal end one bit apart. Infinite values do not count for min and max and give 0 or 1.
 * NaN stays NaN. ERR_FAIL if memory is out. */
int regular_normalise(double *anomaly, const double *psnr, const int64_t *clip_length, int clips,
                      Normalise how);

#endif
