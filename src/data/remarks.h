/* What people should know of a folder of footage before they believe its figures: what was passed
 * over in it, and pictures that may be no frames. */
#ifndef DATA_REMARKS_H
#define DATA_REMARKS_H

#include <stdbool.h>
#include <stddef.h>

#include "video/listing.h"

enum { REMARK_NAMES = 3 };

/* Zeroed: nothing is odd. */
typedef struct {
    char *passed_over[REMARK_NAMES]; /* the first entries that are no footage, below the root */
    int64_t passed_over_count;
    char *broken; /* the first of them with a video's extension; NULL: none */
    int64_t broken_count;
    char *stray; /* "01: cover.jpg is read as frame 7, after 0007.jpg"; NULL: none */
    int64_t stray_clips;
} Remarks;

void remarks_free(Remarks *r); /* zeroes it */

/* Notes an entry that is no footage, unless it is ground truth. `probed`: it was opened, and there
 * is no video in it. */
int remarks_pass_over(Remarks *r, const char *root, const ListingItem *item, bool probed);

/* Notes pictures of a clip that may be no frames of it. */
int remarks_clip(Remarks *r, const char *clip, const Listing *pictures);

/* "notes.txt, 01/x.bin, y and 3 more" into buf; "" where nothing was passed over. Returns buf. */
char *remarks_passed_over(char *buf, size_t n, const Remarks *r);

/* Whether an entry is masks, tracks or labels, by its name. */
bool remarks_is_truth(const ListingItem *item);

/* By extension. That is no proof, but where such a file holds no video people want to know. */
bool remarks_claims_video(const char *name);

#endif
