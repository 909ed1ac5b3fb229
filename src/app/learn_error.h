/* The last pass of `train`: how large prediction errors of normal frames are. */
#ifndef APP_LEARN_ERROR_H
#define APP_LEARN_ERROR_H

#include "compute/backend.h"
#include "data/dataset.h"
#include "score/calibration.h"

/* Predicts a sample of the clips' pairs with the model in a file, with a progress bar. The values
 * are minus PSNRs. The network has learned from these frames; frames that it has not seen have
 * slightly larger errors. ERR_STOPPED when the user asks to stop. */
int learn_error(Calibration *out, const char *model, const Split *split, Backend *be);

#endif
