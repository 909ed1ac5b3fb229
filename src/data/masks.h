/* Pixel truth: the masks of a clip's frames, from pictures, volLabel or a T x H x W npy. */
#ifndef DATA_MASKS_H
#define DATA_MASKS_H

#include "data/dataset.h"

typedef struct Masks Masks;

/* Opens the masks of a test clip, which lie beside the data. *found = 0 where there are none. */
int masks_open(Masks **out, const Dataset *d, int clip, int *found);

/* The mask of frame `index`: height x width of 0/1, borrowed until the next call. */
int masks_read(Masks *m, int64_t index, const uint8_t **mask, int *width, int *height);
int64_t masks_frames(const Masks *m);
void masks_free(Masks **m);

/* ---- finding masks, for labels made from masks. */

/* Folders below a data set's root that hold pixel masks; NULL-ended. */
extern const char *const mask_folders[];

/* The path of a clip's masks in a folder of truth: "01" or "01_gt" (pictures), "01.npy", or
 * "1_label.mat". NULL where there are none or when memory is out. The caller frees it. */
char *masks_find(const char *folder, const Clip *clip);

/* Opens masks at a path from masks_find. */
int masks_open_path(Masks **out, const char *path);

#endif
