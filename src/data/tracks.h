/* Ground truth by object: the place of each anomaly in every frame.
 *
 * Published tracks (method D.3) are one text file a clip with rows "track,frame,x1,y1,x2,y2":
 * tracks in ascending order, frames from 0, corners in pixels of the frame, both inside the box.
 * mask_tracks.h makes tracks for data that has only masks. */
#ifndef DATA_TRACKS_H
#define DATA_TRACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "data/dataset.h"
#include "video/box.h"

typedef struct {
    int clip;      /* position in the test split */
    int64_t frame; /* of the clip */
    int64_t track; /* unique over all clips, from 0 */
    Box box;
} TrackBox;

typedef struct {
    TrackBox *item; /* clip by clip; owned */
    int64_t count, capacity;
    int64_t tracks;
    bool made; /* made from masks here: results are not comparable with published ones */
} Tracks;

/* Appends a box. The caller updates t->tracks. Fails only when memory is out. */
int tracks_add(Tracks *t, TrackBox box);
void tracks_free(Tracks *t); /* accepts a zeroed one */

/* The folder of track files beside the data ("tracks", "testing/tracks"); NULL where there is none
 * or when memory is out. The caller frees it. */
char *tracks_find(const Dataset *d);

/* Reads NAME.txt or NAME_gt.txt of every test clip in `folder`; an empty file means a clip without
 * anomaly, a missing file is ERR_FAIL. The caller zeroes *out before and frees it in any case. */
int tracks_read(Tracks *out, const Dataset *d, const char *folder);

/* Parses the text of one clip (NUL-ended) and appends its boxes. `frames` is the clip's length.
 * ERR_FAIL names `name` and the line. */
int tracks_parse(Tracks *out, const char *name, const char *text, int clip, int64_t frames);

#endif
