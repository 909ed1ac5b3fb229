/* Ground truth: one 0/1 label a frame. masks.h reads pixel truth.
 *
 * Files known (method D.5): .npy of 0 and 1 of any type, one for all clips ((1, N) or (N,)) or one
 * a clip; MAT-5 `gt` (cell of 2 x k ranges, 1-based inclusive), a vector of 0 and 1, and `volLabel`
 * (masks); UCSD's UCSDped2.m text; labels.txt with plain ranges (ranges.h); the JSON of the
 * re-annotated Avenue; folders of mask images (label = any pixel set). */
#ifndef DATA_LABELS_H
#define DATA_LABELS_H

#include "data/dataset.h"

typedef struct {
    char *variant;            /* its name in tables: "frame_labels_ped2.npy", "masks", ... */
    char *path;               /* file or folder it came from */
    char hash[17];            /* of the labels' content (FNV-1a 64, hex); tells variants apart */
    int clips;                /* = test.count */
    uint8_t **frame;          /* per clip: 0/1 labels, owned */
    int64_t *length;          /* per clip */
    int64_t frames, abnormal; /* totals */
    int from; /* of ranges: the number of a clip's first frame in the file, 0 or 1; else -1 */
} Labels;

/* Reads the ground truth from the file or folder `path`. If `path` is NULL, finds the data set's
 * ground truth, in this order: npy, mat, per-clip npy, m, txt, json, masks. The lengths must equal
 * the clips' frame counts, else ERR_FAIL names the clip, both lengths and the file. ERR_FAIL also
 * where no ground truth is found. */
int labels_open(Labels **out, const Dataset *d, const char *path);
void labels_free(Labels **l);

/* Calls f for each ground truth found beside the data. f gets either the labels (borrowed), or NULL
 * and the error's text. Returns the number of calls. */
int labels_each(const Dataset *d,
                void (*f)(void *ctx, const char *path, const Labels *l, const char *error),
                void *ctx);

#endif
