/* normalcy data plant: makes a data set whose test clips are held-out training clips with planted
 * anomalies. */
#ifndef APP_DATA_PLANT_H
#define APP_DATA_PLANT_H

#include <stdint.h>

#include "base/opt.h"

typedef struct {
    char *output;
    int64_t hold_out, copies, seed;
} PlantArgs;

extern const Opt plant_options[];

/* Makes a data set in the new folder args->output from the training clips of `path`.
 * training/frames holds links, testing/frames and testing/masks hold pictures; the masks are the
 * ground truth. The folder is OUTPUT.part until it is complete. ERR_FAIL if one of them is there
 * already. Shows progress. */
int data_plant(const char *path, PlantArgs *args);

#endif
