/* A folder's entries in natural order: img2 before img10. */
#ifndef VIDEO_LISTING_H
#define VIDEO_LISTING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    char *path;     /* owned */
    int64_t number; /* last run of digits in the name before its extension; -1 without one */
} ListingItem;

typedef struct {
    ListingItem *item;
    int64_t count;
} Listing;

typedef enum { LIST_IMAGES, LIST_VIDEOS, LIST_FOLDERS, LIST_FILES } ListKind;

/* The entries of one kind in `folder`; hidden ones (".DS_Store", "._001.tif") are left out. Images
 * are sorted by number, everything else by name with runs of digits compared by value. An empty
 * list is no error. A folder that cannot be read is an error. *out is untouched on failure. */
int listing_open(Listing *out, const char *folder, ListKind kind);

/* Accepts a zeroed listing. */
void listing_free(Listing *l);

bool listing_is_image(const char *path); /* by extension */
bool listing_is_video(const char *path);

/* strcmp's order, but runs of digits compare by value. */
int listing_compare(const char *a, const char *b);

#endif
