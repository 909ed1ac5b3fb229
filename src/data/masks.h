/* Pixel truth: masks of a clip's frames as pictures, volLabel or T x H x W npy. */
#ifndef DATA_MASKS_H
#define DATA_MASKS_H

#include "data/dataset.h"

typedef struct Masks Masks;

/* Opens the masks of a test clip that lie beside the data. *found = 0 where there are none. */
int masks_open(Masks **out, const Dataset *d, int clip, int *found);

/* The mask of frame `index`: height x width of 0/1, borrowed until the next call. */
int masks_read(Masks *m, int64_t index, const uint8_t **mask, int *width, int *height);
int64_t masks_frames(const Masks *m);
void masks_free(Masks **m);

/* ---- where they lie, for labels made from masks. */

/* Folders below a data set's root that hold pixel masks; NULL-ended. */
extern const char *const mask_folders[];

/* The path of a clip's truth in a folder: "01" or "01_gt" (pictures), "01.npy", or "1_label.mat".
 * NULL where there is none, or memory is out. The caller frees it. */
char *masks_find(const char *folder, const Clip *clip);

/* Opens what masks_find gave. */
int masks_open_path(Masks **out, const char *path);

#endif
