/* Weights of other people's files under our names (method A.5, A.10, A.11). */
#ifndef MODEL_IMPORT_SOURCE_H
#define MODEL_IMPORT_SOURCE_H

#include <stdbool.h>

#include "model/vit_config.h"
#include "model/weight_file.h"

/* The metadata "format" of what 'weights import' writes: weights that we did not train. */
#define IMPORTED_FORMAT "normalcy-weights"
#define IMPORT_SHARED_TABLE "encoder.rel_pos_bias.relative_position_bias_table"

typedef struct {
    WeightFile *file;
    const char *family;  /* who trained it: "SimMIM", ...; static */
    VitConfig network;   /* what its shapes say, or its own metadata */
    SafeTensor *tensors; /* by our names; they look into the file */
    int count;
    const char **theirs; /* the names of the same in the file */
    bool fc_norm;        /* encoder.norm was the norm of the mean of all tokens */
    bool heads_told;     /* network.heads is what the file says, or its table's shape */
    bool heads_guessed;  /* network.heads is that of most ViTs; nothing here tells it */
    char (*names)[96];   /* ours */
    char (*plain)[80];   /* of the file's tensors: without what programs wrap around them */
    bool *encoder;       /* ... was there an "encoder." among that? */
} ImportSource;

/* `from` may be a run folder too. ERR_FAIL where the file cannot be read, is of no family that is
 * known here, or holds a network that this program cannot be set to. `out` must be zeroed;
 * import_source_free in any case. */
int import_source_open(ImportSource *out, const char *from);
void import_source_free(ImportSource *s);

/* Borrowed, or NULL. */
const SafeTensor *import_source_find(const ImportSource *s, const char *name);

#endif
