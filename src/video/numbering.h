/* What the names of a clip's pictures tell of their order: strangers among them, and gaps. */
#ifndef VIDEO_NUMBERING_H
#define VIDEO_NUMBERING_H

#include <stddef.h>

#include "video/listing.h"

typedef struct {
    int64_t count, first; /* how many; the first one's place in the listing */
} Places;

/* Pictures that may be no frames of the clip, though they are read as such: where most names are
 * the same but for their numbers, those that are not ("cover.jpg" among "0001.jpg", ...), unless
 * they agree up to a number of six digits or more, which is a time and puts them into their place;
 * copies ("0001 (1).jpg"); and a name that comes again with another extension or more zeros. */
Places numbering_strays(const Listing *pictures);

/* "cover.jpg is read as frame 7, after 0007.jpg": the first stray, for people. Returns buf. */
char *numbering_stray_text(char *buf, size_t n, const Listing *pictures, Places strays);

/* Pictures whose number is further from the one before than most are. None where names hold a time
 * or do not count. */
Places numbering_jumps(const Listing *pictures);

/* The last number in a name without its extension; 0 where there is none. */
int64_t numbering_of(const char *name);

#endif
