/* normalcy data plant: training clips held out, with planted anomalies, as a data set. */
#ifndef APP_DATA_PLANT_H
#define APP_DATA_PLANT_H

#include <stdint.h>

#include "base/opt.h"

typedef struct {
    char *output;
    int64_t hold_out, copies, seed;
} PlantArgs;

extern const Opt plant_options[];

/* From the training clips of `path` into the folder args->output, which must not be there yet:
 * training/frames are links, testing/frames and testing/masks pictures. It grows as OUTPUT.part,
 * and has its name when it is whole. The truth is the masks. Shows progress. */
int data_plant(const char *path, PlantArgs *args);

#endif
