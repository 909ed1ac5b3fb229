/* A temporary file beside the file that it will become.
 *
 * Its name is path.tmp-N with the first N that no live writer uses, so two writers of one path
 * never share it. The file is always a new one: links of that name are not followed. Its writer
 * holds a lock on it. The file of a killed writer has no lock, and the next writer of that path
 * removes it. */
#ifndef BASE_TEMP_H
#define BASE_TEMP_H

#include <stdbool.h>

typedef struct {
    char *name; /* owned */
    int fd;     /* for writing; holds the lock */
} TempFile;

/* Creates an empty temporary file, with the rights that the umask leaves. ERR_FAIL where it cannot
 * be created. On failure *t is untouched. Any thread. */
int temp_open(TempFile *t, const char *path);

/* Removes the file unless the caller has renamed it (`renamed`). Closes it, which ends the lock.
 * Frees the name. */
void temp_close(TempFile *t, bool renamed);

#endif
