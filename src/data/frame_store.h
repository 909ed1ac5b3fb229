/* The frames of a split's clips at one size: decoded once and kept as uint8 while they fit a memory
 * budget; beyond it they are decoded anew when needed. One thread at a time reads from it. */
#ifndef DATA_FRAME_STORE_H
#define DATA_FRAME_STORE_H

#include "data/dataset.h"
#include "video/ignore.h"

typedef struct FrameStore FrameStore;

/* Looks at the clips; memory comes with the first frame. Counts frames where a file does not say.
 * Frames are resized to size x size; `budget` is in bytes. With an interval (seconds), frames of
 * clips that have times are taken at the least interval that is not below it and a multiple of the
 * distance between their frames; the largest of the clips' counts for all. `ignore` (borrowed,
 * NULL: nothing) is what they lack. ERR_FAIL where a clip cannot be decoded, naming it. */
int frame_store_open(FrameStore **out, const Split *split, int size, int64_t budget,
                     double interval, const Ignore *ignore);
void frame_store_free(FrameStore **s);

int64_t frame_store_frames(const FrameStore *s, int clip); /* that are taken of the clip */
double frame_store_interval(const FrameStore *s); /* seconds between them; 0: all are taken */
int64_t frame_store_memory(const FrameStore *s);  /* bytes that the kept frames take at most */

/* Frame t of those taken of a clip, size x size x 3 BGR, into `out`. ERR_FAIL where it cannot be
 * decoded, is damaged, or differs in size from the others of its clip. */
int frame_store_get(FrameStore *s, int clip, int64_t t, uint8_t *out);

/* From another thread: what is being read ends with ERR_STOPPED, and all that is asked for then. */
void frame_store_stop(FrameStore *s);

#endif
