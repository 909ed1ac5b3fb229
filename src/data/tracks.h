/* Ground truth by object: where each anomaly is, frame by frame.
 *
 * Published tracks (method D.3) are one text file a clip with rows "track,frame,x1,y1,x2,y2":
 * tracks in ascending order, frames from 0, corners in pixels of the frame and both inside the box.
 * Where there are only masks, mask_tracks.h makes tracks from them. */
#ifndef DATA_TRACKS_H
#define DATA_TRACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "data/dataset.h"
#include "video/box.h"

typedef struct {
    int clip;      /* position in the test split */
    int64_t frame; /* of the clip */
    int64_t track; /* over all clips, from 0 */
    Box box;
} TrackBox;

typedef struct {
    TrackBox *item; /* clip by clip; owned */
    int64_t count, capacity;
    int64_t tracks;
    bool made; /* from masks, by us: figures are not comparable with published ones */
} Tracks;

/* A new box; the caller keeps `tracks`. Fails only when memory is out. */
int tracks_add(Tracks *t, TrackBox box);
void tracks_free(Tracks *t); /* accepts a zeroed one */

/* The folder of track files beside the data ("tracks", "testing/tracks"); NULL where there is none,
 * or memory is out; the caller frees it. */
char *tracks_find(const Dataset *d);

/* Reads NAME.txt or NAME_gt.txt of every test clip in `folder`; an empty file is a clip without
 * anomaly, a missing one is ERR_FAIL. *out is zeroed before and freed by the caller in any case. */
int tracks_read(Tracks *out, const Dataset *d, const char *folder);

/* Appends the rows of one clip's text (NUL-ended); `frames` is the clip's length. ERR_FAIL names
 * `name` and the line. */
int tracks_parse(Tracks *out, const char *name, const char *text, int clip, int64_t frames);

#endif
