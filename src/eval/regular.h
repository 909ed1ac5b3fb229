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

/* anomaly[i] = (max - psnr[i]) / (max - min), which is 1 - Eq. 9; 0 for all where max == min. In
 * [0, 1]; equal PSNRs stay equal, and of unequal ones the lower is the more abnormal, however far
 * apart min and max are: where rounding would make them one they end a bit apart. psnr is the
 * concatenation of `clips` clips of the given lengths. anomaly may be psnr itself. Infinite values
 * are left out of min and max and give 0 or 1; NaN stays NaN. NORMALISE_NONE: -psnr[i]. ERR_FAIL
 * where memory is out. */
int regular_normalise(double *anomaly, const double *psnr, const int64_t *clip_length, int clips,
                      Normalise how);

#endif
