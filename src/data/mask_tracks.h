/* Makes tracks from masks, for data without published tracks.
 *
 * Each connected part of a frame's mask (8 neighbours) gives one box. A box that overlaps a box of
 * the previous frame continues its track. Pairs with the highest intersection over union are linked
 * first, and each box is linked once. A box without a link begins a new track. So a track ends when
 * its object is hidden, and where objects touch only one track continues. */
#ifndef DATA_MASK_TRACKS_H
#define DATA_MASK_TRACKS_H

#include "data/tracks.h"

/* Reads the masks of all test clips (at least one). If the data has no masks, *found is false and
 * *out is empty. If only some clips have masks, ERR_FAIL. The caller zeroes *out before and frees
 * it in any case. Boxes are in the masks' pixels. */
int mask_tracks_read(Tracks *out, const Dataset *d, bool *found);

/* Appends the boxes of a clip's next frame. `mask` is height x width of 0 and 1; the call clears
 * it. `queue` is scratch of height x width numbers. */
int mask_tracks_add(Tracks *t, int clip, int64_t frame, uint8_t *mask, int width, int height,
                    int32_t *queue);

#endif
