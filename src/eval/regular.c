#include "eval/regular.h"

#include <math.h>
#include <stddef.h>

const char *const normalise_names[] = {"per-clip", "global", "none", NULL};

/* An infinite PSNR (equal frames) takes no part in min and max and lands on the near end; NaN stays
 * NaN, which auroc then refuses. */
static void normalise(double *anomaly, const double *psnr, int64_t n) {
    double min = INFINITY, max = -INFINITY;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(psnr[i])) {
            min = fmin(min, psnr[i]);
            max = fmax(max, psnr[i]);
        }
    for (int64_t i = 0; i < n; i++) {
        double s = max > min ? 1 - (psnr[i] - min) / (max - min) : 0;
        anomaly[i] = isnan(psnr[i]) ? NAN : s < 0 ? 0 : s > 1 ? 1 : s;
    }
}

void regular_normalise(double *anomaly, const double *psnr, const int64_t *clip_length, int clips,
                       Normalise how) {
    int64_t n = 0;
    for (int c = 0; c < clips; c++) {
        if (how == NORMALISE_CLIP)
            normalise(anomaly + n, psnr + n, clip_length[c]);
        n += clip_length[c];
    }
    if (how == NORMALISE_GLOBAL)
        normalise(anomaly, psnr, n);
    for (int64_t i = 0; how == NORMALISE_NONE && i < n; i++)
        anomaly[i] = -psnr[i];
}
