/* From a value to a surprise: how few held-out training frames have one as high (method I.3). All
 * opinions about a frame speak this language. */
#ifndef SCORE_CALIBRATION_H
#define SCORE_CALIBRATION_H

#include "model/safetensors.h"

typedef struct {
    int count;
    float *ranks;  /* [count] values of training frames, ascending; owned */
    float tail[2]; /* their 0.9 quantile; their mean excess over it */
} Calibration;

/* Fits to `count` >= 1 finite values, which it sorts and copies. `least` > 0: the least mean
 * excess, in the values' unit. */
int calibration_fit(Calibration *c, float *values, int count, float least);
void calibration_free(Calibration *c); /* accepts a zeroed one */

/* -ln of the share of frames with a value as high, at least 0. Beyond the 0.9 quantile the share
 * falls exponentially. */
double calibration_surprise(const Calibration *c, double value);

/* Declares it to a writer as tensors NAME.ranks and NAME.tail, borrowed until the writer saves.
 * Names are constants. */
void calibration_add(SafeWriter *w, const Calibration *c, const char *ranks, const char *tail);

/* Reads it; count is 0 if the file has none. ERR_FAIL if it is damaged. */
int calibration_load(Calibration *c, const Safetensors *file, const char *path, const char *ranks,
                     const char *tail);

#endif
