/* Figures of merit. Scores: higher = more abnormal. Labels: 0 normal, 1 abnormal. NaN scores are
 * ERR_FAIL everywhere. */
#ifndef EVAL_METRICS_H
#define EVAL_METRICS_H

#include <stdint.h>

typedef struct {
    double fpr, tpr, threshold;
} RocPoint;

/* Area under the ROC curve: ties grouped, trapezoid; equal to Mann-Whitney with 1/2 for ties
 * (method D.2). NaN where one class is absent. *out in [0, 1]. */
int auroc(double *out, const double *score, const uint8_t *label, int64_t n);

/* The curve itself, from (0,0) to (1,1), one point a distinct score; *points owned by the caller
 * (mem_free). ERR_FAIL where one class is absent. */
int roc_curve(RocPoint **points, int64_t *count, const double *score, const uint8_t *label,
              int64_t n);

/* Mean over the clips, as the field computes it (method D.2): every clip gets one more label 0 at
 * the lowest and one more label 1 at the highest score of all clips (0 and 1 where scores are
 * normalised), which clips of one class need. Empty clips do not count. The lengths sum to the
 * scores' number. */
int auroc_macro(double *out, const double *score, const uint8_t *label, const int64_t *clip_length,
                int clips);

/* Average precision: the sum of precision x gain in recall over the distinct scores, from the
 * highest down, without interpolation. NaN where no frame is abnormal. */
int average_precision(double *out, const double *score, const uint8_t *label, int64_t n);

/* Equal error rate: the false positive rate where it equals the share of abnormal frames missed, 1
 * - tpr, on the straight line between the two neighbouring points of the ROC curve. (Codes that
 * take the nearest point instead differ by up to half a step.) NaN where one class is absent. */
int equal_error_rate(double *out, const double *score, const uint8_t *label, int64_t n);

#endif
