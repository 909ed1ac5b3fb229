/* Weights from elsewhere: SimMIM's, BEiT's or MAE's files, or our own, as the start of a network.
 */
#ifndef MODEL_IMPORT_H
#define MODEL_IMPORT_H

#include <stdbool.h>

#include "model/vit.h"

typedef struct {
    char **item;
    int count;
} ImportList;

/* Which weights of a file fit the network. "Ours" are the names of the network's weights (vit.def).
 */
typedef struct {
    const char *family;    /* who trained it: "SimMIM", ...; static, NULL where that is not known */
    VitConfig network;     /* of the file */
    ImportList matched;    /* ours, in the file */
    ImportList missing;    /* ours, not in the file */
    ImportList misshaped;  /* ours, in the file with another shape; both shapes are told */
    ImportList adapted;    /* matched weights that were made to fit, and how */
    ImportList unexpected; /* names of the file that are not ours; ignored */
    bool fc_norm; /* the file normalises the mean of all tokens; here the norm is of each token */
    bool heads_guessed; /* the file does not tell network.heads: it is a guess */
} ImportReport;

/* Accepts zeroed ones. */
void import_report_free(ImportReport *r);

/* A path may also be a run folder, which stands for its checkpoint. */

/* The network that the weights in a file belong to. */
int import_network(VitConfig *out, const char *path);

/* Loads the weights of a file into a network whose weights are drawn; weights that the file lacks
 * stay drawn. Three differences are adapted. Positions of another input size are interpolated
 * (positions.h). A table of positions that all blocks share is copied to each (method A.10). A
 * network of more frames, or with MNAD's memory, starts as the file's network: its new columns are
 * zero. ERR_FAIL where the file holds another kind of network (the message names the options that
 * fit), or a tensor has another shape or is not finite. *report is filled as far as the work got,
 * after a failure too; the caller frees it. */
int import_init(Vit *v, const char *path, ImportReport *report);

/* Writes the file's weights as safetensors under our names, in float32, with the settings of their
 * network. Weights that the file lacks are left out. The report is that of import_init. */
int import_weights(const char *path, const char *to, ImportReport *report);

#endif
