/* The weights of `train --init`. */
#ifndef APP_LOAD_INIT_H
#define APP_LOAD_INIT_H

#include "model/vit.h"

/* Loads them from a file or run at `path` and tells what fitted. Weights that they lack keep their
 * random values. */
int load_init(Vit *v, const char *path);

#endif
