/* Weights from elsewhere: a network's start out of SimMIM's, BEiT's or MAE's files, or our own. */
#ifndef MODEL_IMPORT_H
#define MODEL_IMPORT_H

#include <stdbool.h>

#include "model/vit.h"

typedef struct {
    char **item;
    int count;
} ImportList;

/* What of a file found its place. Ours are the names of the network's weights (vit.def). */
typedef struct {
    const char *family;    /* who trained it: "SimMIM", ...; static, NULL where that is not known */
    VitConfig network;     /* of the file */
    ImportList matched;    /* ours, in the file */
    ImportList missing;    /* ours, not in the file */
    ImportList misshaped;  /* ours, in the file with another shape; with both shapes */
    ImportList adapted;    /* those matched that were made to fit, and how */
    ImportList unexpected; /* the file's; ignored */
    bool fc_norm; /* the file's norm is of the mean of all tokens; here it becomes that of each */
    bool heads_guessed; /* nothing in the file tells network.heads, and the network was made so */
} ImportReport;

/* Accepts zeroed ones. */
void import_report_free(ImportReport *r);

/* Paths may be run folders too, which stand for their checkpoints. */

/* The network that the weights in a file belong to. */
int import_network(VitConfig *out, const char *path);

/* Loads into a drawn network what the file has for it; the rest stays drawn. What fits but for one
 * of these is adapted: positions of another input size are interpolated (positions.h); a table of
 * positions that all blocks share is copied to each (method A.10); a network of more frames, or
 * with MNAD's memory, starts as the file's: the new columns are zero. ERR_FAIL where the file is of
 * another kind of network (the message has the options that fit), or a tensor is of another shape
 * or not finite. *report is filled as far as it got in any case; the caller frees it. */
int import_init(Vit *v, const char *path, ImportReport *report);

/* Writes the file's weights by our names as safetensors, in float32, with the settings of their
 * network; what the file lacks is left out. The same report. */
int import_weights(const char *path, const char *to, ImportReport *report);

#endif
