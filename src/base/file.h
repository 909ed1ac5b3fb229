/* Files that are either whole or not there: written beside the target, then renamed. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct FileOut FileOut;

/* Opens a temporary file in path's folder (base/temp.h). ERR_FAIL too where path is a folder, a
 * link, a device or a pipe. On failure *out is untouched. */
int file_create(FileOut **out, const char *path);

/* Whether file_create and a rename can do their work, for results that take long. */
int file_probe(const char *path);

/* The name of the temporary file, for another library that writes it; borrowed. */
const char *file_temp_name(const FileOut *f);

/* Appends bytes / formatted text. The first failure is latched and returned at the end. */
void file_write(FileOut *f, const void *data, size_t bytes);
void file_printf(FileOut *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Renames over `path`, of a link that came there since over the link itself; frees *f and sets it
 * NULL in any case. On failure the old file of that name is as it was and the temporary one is
 * gone. file_commit syncs file and folder; file_publish does not, for files in numbers that may be
 * lost or empty after a power cut. */
int file_commit(FileOut **f);
int file_publish(FileOut **f);

/* Drops the temporary file; frees *f. Accepts NULL. */
void file_discard(FileOut **f);

/* Reads a whole file, at most `limit` bytes, into a fresh block with a NUL behind it (not counted);
 * the caller frees with mem_free. */
int file_read(const char *path, size_t limit, char **data, size_t *bytes);

/* Creates a folder and its parents; one that exists is fine, but for `new` not the last. */
int file_make_folder(const char *path);
int file_make_new_folder(const char *path);

/* Removes a folder and all that is in it, of links the link; says whether it is gone. Sets no
 * message: the one to keep is that of what failed before. */
bool file_remove_folder(const char *path);

/* Takes the lock of a folder for this process, so that two do not write into one run; gone with the
 * process at the latest. ERR_FAIL where another one has it. file_unlock accepts NO_LOCK. */
enum { NO_LOCK = -1 };
int file_lock_folder(int *lock, const char *path);
void file_unlock(int lock);

bool file_is_folder(const char *path);
bool file_exists(const char *path);

/* True where both name one file that exists, by whatever path. */
bool file_is_same(const char *a, const char *b);

/* Name without folders; borrowed from path. */
const char *file_name(const char *path);

/* True where the name ends in ".ext" (no dot in ext), case ignored. */
bool file_has_extension(const char *path, const char *ext);

#endif
