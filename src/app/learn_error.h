/* The last pass of `train`: how large prediction errors of normal frames are. */
#ifndef APP_LEARN_ERROR_H
#define APP_LEARN_ERROR_H

#include "compute/backend.h"
#include "data/pairs.h"
#include "score/calibration.h"

/* Predicts a sample of the run's pairs, some of which were held out, with the model in a file;
 * shows a progress bar. `pairs` gives `batch` at a time and is left anywhere. The values are minus
 * PSNRs of pairs that were learned from, in dB, and more by what pairs that were held out are worse
 * than those beside them (method I.3). ERR_STOPPED when the user asks to stop. */
int learn_error(Calibration *out, const char *model, Pairs *pairs, int batch, Backend *be);

#endif
