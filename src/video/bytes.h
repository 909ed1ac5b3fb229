/* A file's content, in a buffer that is reused for all files of a clip. */
#ifndef VIDEO_BYTES_H
#define VIDEO_BYTES_H

#include <stdint.h>

enum { BYTES_PADDING = 64 }; /* zeros behind the content; decoders read ahead */

typedef struct {
    uint8_t *data; /* owned */
    int64_t count, capacity;
} Bytes;

/* Reads a regular file of 1 to `limit` bytes. ERR_FAIL names it. */
int bytes_read(Bytes *b, const char *path, int64_t limit);

/* Accepts a zeroed buffer. */
void bytes_free(Bytes *b);

#endif
