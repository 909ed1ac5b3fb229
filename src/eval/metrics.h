/* Figures of merit. Scores: higher = more abnormal. Labels: 0 normal, 1 abnormal. All functions
 * return ERR_FAIL for a NaN score. */
#ifndef EVAL_METRICS_H
#define EVAL_METRICS_H

#include <stdint.h>

typedef struct {
    double fpr, tpr, threshold;
} RocPoint;

/* Area under the ROC curve by trapezoids, ties grouped. It equals Mann-Whitney with 1/2 for ties
 * (method D.2). *out in [0, 1]; NaN if one class is absent. */
int auroc(double *out, const double *score, const uint8_t *label, int64_t n);

/* The ROC curve from (0,0) to (1,1), one point for each distinct score. The caller owns *points
 * (mem_free). ERR_FAIL if one class is absent. */
int roc_curve(RocPoint **points, int64_t *count, const double *score, const uint8_t *label,
              int64_t n);

/* Mean of the clips' AUROCs, as the field computes it (method D.2). Every clip gets two more
 * frames: label 0 at the lowest and label 1 at the highest score of all clips (0 and 1 if scores
 * are normalised). So clips of one class have an AUROC too. Empty clips do not count. The lengths
 * sum to the number of scores. */
int auroc_macro(double *out, const double *score, const uint8_t *label, const int64_t *clip_length,
                int clips);

/* Average precision: the sum of precision x gain in recall over the distinct scores, from the
 * highest down, without interpolation. NaN if no frame is abnormal. */
int average_precision(double *out, const double *score, const uint8_t *label, int64_t n);

/* Equal error rate: the false positive rate at which fpr = 1 - tpr, the share of missed abnormal
 * frames. It is interpolated on the straight line between the two neighbouring points of the ROC
 * curve. (Codes that take the nearest point differ by up to half a step.) NaN if one class is
 * absent. */
int equal_error_rate(double *out, const double *score, const uint8_t *label, int64_t n);

#endif
