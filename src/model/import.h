/* Initialises a network from a weight file: SimMIM's, BEiT's, MAE's or our own. */
#ifndef MODEL_IMPORT_H
#define MODEL_IMPORT_H

#include <stdbool.h>

#include "model/vit.h"

typedef struct {
    char **item;
    int count;
} ImportList;

/* Which weights of a file were used. "Our names" are those of the network's weights (vit.def). */
typedef struct {
    const char *family;   /* who trained it: "SimMIM", ...; static, NULL if unknown */
    VitConfig network;    /* the file's */
    ImportList matched;   /* our names of weights in the file */
    ImportList missing;   /* our names of weights not in the file */
    ImportList misshaped; /* our names of weights with another shape in the file, and both shapes */
    ImportList adapted;   /* matched weights that were made to fit, and how */
    ImportList unexpected; /* the file's names of weights that are ignored */
    bool fc_norm; /* the file's norm is applied to the mean of all tokens, here to each token */
    bool heads_guessed; /* network.heads is a guess: the file does not say it */
} ImportReport;

/* Accepts zeroed ones. */
void import_report_free(ImportReport *r);

/* A path may also be a run folder, which stands for its checkpoint. */

/* Reads which network the weights in a file belong to. */
int import_network(VitConfig *out, const char *path);

/* Loads the file's weights into a network that vit_init has drawn; other weights stay drawn. Three
 * differences are adapted. Positions of another input size are interpolated (positions.h). A table
 * of positions that all blocks share is copied to each (method A.10). If the network has more
 * frames, or MNAD's memory, the new columns are zero, so that it starts as the file's network.
 * ERR_FAIL if the file is of another kind of network (the message has the options that fit), or a
 * tensor has another shape or is not finite. *report is filled as far as the import got, also on
 * failure; the caller frees it. */
int import_init(Vit *v, const char *path, ImportReport *report);

/* Writes the file's weights by our names as safetensors, in float32, with the settings of their
 * network. Weights that the file lacks are left out. The report is as for import_init. */
int import_weights(const char *path, const char *to, ImportReport *report);

#endif
