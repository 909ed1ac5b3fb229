/* The last pass of `train`: how large prediction errors of normal frames are. */
#ifndef APP_LEARN_ERROR_H
#define APP_LEARN_ERROR_H

#include "compute/backend.h"
#include "data/pairs.h"
#include "score/calibration.h"

/* Predicts the run's held-out pairs, of which there are some, with the model in a file; shows a
 * progress bar. `pairs` gives `batch` at a time and is left anywhere. The values are minus PSNRs.
 * ERR_STOPPED when the user asks to stop. */
int learn_error(Calibration *out, const char *model, Pairs *pairs, int batch, Backend *be);

#endif
