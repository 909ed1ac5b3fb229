/* A folder's entries in the order of `ls | sort -V`: img2 before img10. */
#ifndef VIDEO_LISTING_H
#define VIDEO_LISTING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    char *path;       /* owned */
    const char *name; /* without folders; points into path */
    bool folder;
} ListingItem;

typedef struct {
    ListingItem *item;
    int64_t count;
} Listing;

typedef enum { LIST_IMAGES, LIST_FOLDERS, LIST_FILES, LIST_ALL } ListKind;

/* The entries of one kind in `folder`. Left out are hidden ones (".DS_Store", "._001.tif") and what
 * file servers, systems and archivers leave behind ("@eaDir", "Thumbs.db", "__MACOSX"). An empty
 * list is no error. A folder that cannot be read is an error. *out is untouched on failure. */
int listing_open(Listing *out, const char *folder, ListKind kind);

/* Accepts a zeroed listing. */
void listing_free(Listing *l);

bool listing_is_image(const char *path); /* by extension */

/* The order of `sort -V` in the C locale, which is that of GNU's filevercmp and then of bytes: runs
 * of digits compare by value, however long, and extensions last. */
int listing_compare(const char *a, const char *b);

/* Whether two names differ at most in extensions and leading zeros: "007.jpg" and "7.png". */
bool listing_same_stem(const char *a, const char *b);

#endif
