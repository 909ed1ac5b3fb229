/* A file that others can use while it grows.
 *
 * It is written in pieces. Each piece is in the file whole or not at all, as far as a process can
 * see to it: where the disk is full, the part that was written is taken back. With the first piece
 * the file takes its name, and replaces an old file of that name. Until then the old file stays. */
#ifndef BASE_LIVE_FILE_H
#define BASE_LIVE_FILE_H

#include <stddef.h>

typedef struct LiveFile LiveFile;

/* Opens a temporary file in path's folder (base/temp.h). ERR_FAIL also where path is a folder, a
 * link, a device or a pipe. On failure *out is untouched. One thread at a time. */
int live_file_create(LiveFile **out, const char *path);

/* Appends a piece. After a failure the file has the pieces before. The pieces are not synced: a
 * power cut takes those that the system still had in memory. */
int live_file_append(LiveFile *f, const void *data, size_t bytes);

/* Syncs the file and frees *f, which it sets NULL in any case. */
int live_file_close(LiveFile **f);

/* Frees *f without syncing. A file without a piece leaves nothing behind. Accepts NULL. */
void live_file_free(LiveFile **f);

#endif
