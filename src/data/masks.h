/* Where a clip's pixel truth lies, and its length; between labels.c and masks.c. */
#ifndef DATA_MASKS_H
#define DATA_MASKS_H

#include "data/labels.h"

/* Folders below a data set's root that hold pixel masks; NULL-ended. */
extern const char *const mask_folders[];

/* What belongs to the clip in a folder of truth: "01" or "01_gt" (pictures), "01.npy", or
 * "1_label.mat". NULL where nothing does, or memory is out; the caller frees it. */
char *masks_find(const char *folder, const Clip *clip);

/* Opens what masks_find gave. */
int masks_open_path(Masks **out, const char *path);

int64_t masks_frames(const Masks *m);

#endif
