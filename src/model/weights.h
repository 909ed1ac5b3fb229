/* Weights in and out of safetensors, by SimMIM's names. */
#ifndef MODEL_WEIGHTS_H
#define MODEL_WEIGHTS_H

#include "model/safetensors.h"
#include "model/vit.h"

/* Checks that the file holds every weight of such a network, by name and shape; allocates nothing.
 * ERR_FAIL names the first that does not fit. */
int weights_check(const VitConfig *config, const Safetensors *file, const char *path);

/* Reads every parameter of the network, named prefix + SimMIM's name, from `file`. ERR_FAIL names
 * the first tensor that is missing, of another shape (both shapes told) or not finite. */
int weights_load(Vit *v, const Safetensors *file, const char *path, const char *prefix);

/* The same into a slab (backend memory) laid out like the network's weights. */
int weights_load_slab(Vit *v, float *slab, const Safetensors *file, const char *path,
                      const char *prefix);

/* The name of the tensor (depth, VIT_SITES, 2) that holds the ranges of int8. */
#define INT8_RANGES "int8.ranges"

/* Reads the ranges into the network. ERR_FAIL where the file has none, or none that fit. */
int weights_load_ranges(Vit *v, const Safetensors *file, const char *path);

/* Declares every parameter of a host copy of a slab, named prefix + SimMIM's name, to the writer.
 */
void weights_add(SafeWriter *w, const Vit *v, const float *host, const char *prefix);

#endif
