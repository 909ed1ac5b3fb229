/* Files that are either whole or absent: each is written beside its target, then renamed. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct FileOut FileOut;

/* Opens a temporary file in path's folder (base/temp.h). ERR_FAIL also where path is a folder, a
 * link, a device or a pipe. On failure *out is untouched. */
int file_create(FileOut **out, const char *path);

/* Checks that file_create and the rename will work. Call it before a long computation. */
int file_probe(const char *path);

/* The name of the temporary file, for a library that writes the file itself; borrowed. */
const char *file_temp_name(const FileOut *f);

/* Appends bytes / formatted text. The first failure is latched; file_commit and file_publish return
 * it. */
void file_write(FileOut *f, const void *data, size_t bytes);
void file_printf(FileOut *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Renames the temporary file to `path`. A link that appeared there since is itself replaced, not
 * its target. Frees *f and sets it NULL in any case. On failure the old file is unchanged and the
 * temporary one is removed. file_commit syncs the file and its folder. file_publish does not: it is
 * for many files that may be lost or empty after a power cut. */
int file_commit(FileOut **f);
int file_publish(FileOut **f);

/* Drops the temporary file; frees *f. Accepts NULL. */
void file_discard(FileOut **f);

/* Reads a whole file, at most `limit` bytes, into a new block and appends a NUL, which `bytes` does
 * not count. The caller frees the block with mem_free. */
int file_read(const char *path, size_t limit, char **data, size_t *bytes);

/* The same for text that people wrote with any program: a byte order mark is dropped, and lines end
 * in "\n" whatever ended them. ERR_FAIL for UTF-16. */
int file_read_text(const char *path, size_t limit, char **text, size_t *bytes);

/* Creates a folder and its parents. Parents may exist. The folder itself may exist for
 * file_make_folder, but not for file_make_new_folder. */
int file_make_folder(const char *path);
int file_make_new_folder(const char *path);

/* Removes a folder and its content. Links are removed, their targets stay. Returns whether the
 * folder is gone. Sets no message, so that the message of an earlier failure stays. */
bool file_remove_folder(const char *path);

/* Locks a folder for this process, so that two processes do not write into one run. The lock ends
 * with the process at the latest. ERR_FAIL where another process has the lock. file_unlock accepts
 * NO_LOCK. */
enum { NO_LOCK = -1 };
int file_lock_folder(int *lock, const char *path);
void file_unlock(int lock);

bool file_is_folder(const char *path);
bool file_exists(const char *path);
bool file_is_regular(const char *path); /* no folder, pipe or device */

/* True where both paths lead to the same existing file. */
bool file_is_same(const char *a, const char *b);

/* The file's name without its folders; borrowed from path. */
const char *file_name(const char *path);

/* True where the name ends in ".ext" (no dot in ext), case ignored. */
bool file_has_extension(const char *path, const char *ext);

#endif
