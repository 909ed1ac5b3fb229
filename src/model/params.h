/* The layout of the weights: vit.def unrolled for one configuration. */
#ifndef MODEL_PARAMS_H
#define MODEL_PARAMS_H

#include "model/vit.h"

enum {
    INIT_TRUNCATED,
    INIT_ZERO,
    INIT_ONE,
    INIT_GAMMA,
    INIT_UNIFORM,
    INIT_UNIT,
    INIT_PROJ,
    INIT_DECODER
};

/* The rows of a configuration, owned by the caller (mem_free). *floats is the slab's size. NULL,
 * with the message set, when memory is out. */
VitParam *params_layout(const VitConfig *config, int *count, int64_t *floats);

/* Points `w` into a slab. w->block is owned by the caller (mem_free). */
int params_bind(VitWeights *w, const VitConfig *config, float *slab);

/* Draws one weight (method A.6) into host memory. */
void params_draw(float *out, const VitParam *p, const VitConfig *config, uint64_t seed);

#endif
