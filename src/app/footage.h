/* Footage as the commands open it: with a word on what is odd in it. */
#ifndef APP_FOOTAGE_H
#define APP_FOOTAGE_H

#include "data/dataset.h"

/* dataset_open, and warnings on stderr: one line on what was passed over, one on pictures that may
 * be no frames. */
int footage_open(Dataset **out, const char *path);

/* The text of the second warning, which a clip's remark is put into. */
#define FOOTAGE_STRAY                                                                              \
    "%s, by its name: is it a frame of this clip? If not, keep it in another folder"

#endif
