/* Tracks made from masks, for data whose truth has no published tracks.
 *
 * The boxes of a frame are those of the connected parts of its mask (8 neighbours). A box continues
 * the track of a box of the frame before that it overlaps, the pairs of highest intersection over
 * union first and each box once; every other box begins a track. So a track ends where its object
 * is hidden, and of objects that touch one goes on for all. */
#ifndef DATA_MASK_TRACKS_H
#define DATA_MASK_TRACKS_H

#include "data/tracks.h"

/* Reads the masks of all test clips (at least one). *found is false and *out empty where the data
 * has none; masks of some clips only are ERR_FAIL. *out is zeroed before and freed by the caller in
 * any case; boxes are in the masks' pixels. */
int mask_tracks_read(Tracks *out, const Dataset *d, bool *found);

/* Appends the boxes of one more frame of a clip; frames come in order. `mask` is height x width
 * of 0 and 1, and is cleared; `queue` is scratch of as many numbers. */
int mask_tracks_add(Tracks *t, int clip, int64_t frame, uint8_t *mask, int width, int height,
                    int32_t *queue);

#endif
