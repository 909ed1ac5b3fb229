/* Gives the weights in other people's files our names (method A.5, A.10, A.11). */
#ifndef MODEL_IMPORT_SOURCE_H
#define MODEL_IMPORT_SOURCE_H

#include <stdbool.h>

#include "model/vit_config.h"
#include "model/weight_file.h"

/* The metadata "format" of the files of 'weights import': weights that we did not train. */
#define IMPORTED_FORMAT "normalcy-weights"
#define IMPORT_SHARED_TABLE "encoder.rel_pos_bias.relative_position_bias_table"

typedef struct {
    WeightFile *file;
    const char *family;  /* who trained it: "SimMIM", ...; static */
    VitConfig network;   /* from its shapes, or its own metadata */
    SafeTensor *tensors; /* by our names; their data lies in the file */
    int count;
    const char **theirs; /* their names in the file */
    bool fc_norm;        /* encoder.norm was applied to the mean of all tokens */
    bool heads_told;     /* network.heads is from the file's metadata or its table's shape */
    bool heads_guessed;  /* network.heads is that of most ViTs: the file does not say it */
    char (*names)[96];   /* storage of our names */
    char (*plain)[80];   /* names of the file's tensors without wrappers' prefixes */
    bool *encoder;       /* was "encoder." one of the prefixes? */
} ImportSource;

/* `from` is a file or a run folder. ERR_FAIL if the file cannot be read, is of an unknown family,
 * or holds a network that our options cannot describe. `out` must be zeroed. Call
 * import_source_free in any case. */
int import_source_open(ImportSource *out, const char *from);
void import_source_free(ImportSource *s);

/* The tensor of one of our names, borrowed, or NULL. */
const SafeTensor *import_source_find(const ImportSource *s, const char *name);

#endif
