/* Loads and saves weights as safetensors, by SimMIM's names. */
#ifndef MODEL_WEIGHTS_H
#define MODEL_WEIGHTS_H

#include "model/safetensors.h"
#include "model/vit.h"

/* Checks that the file holds every weight of such a network, by name and shape, before anything is
 * allocated for the network. The message of ERR_FAIL names the first that does not fit. */
int weights_check(const VitConfig *config, const Safetensors *file, const char *path);

/* Reads every parameter of the network, named prefix + SimMIM's name, from `file`. The message of
 * ERR_FAIL names the first tensor that is missing, has another shape (with both shapes) or is not
 * finite. */
int weights_load(Vit *v, const Safetensors *file, const char *path, const char *prefix);

/* Like weights_load, but into a slab (backend memory) laid out like the network's weights. */
int weights_load_slab(Vit *v, float *slab, const Safetensors *file, const char *path,
                      const char *prefix);

/* The name of the tensor (depth, VIT_SITES, 2) that holds the ranges of int8. */
#define INT8_RANGES "int8.ranges"

/* Reads the ranges of int8 into the network. ERR_FAIL if the file has none or they do not fit. */
int weights_load_ranges(Vit *v, const Safetensors *file, const char *path);

/* Declares every parameter to the writer, named prefix + SimMIM's name. `host` is a slab in host
 * memory, borrowed until the writer saves. */
void weights_add(SafeWriter *w, const Vit *v, const float *host, const char *prefix);

#endif
