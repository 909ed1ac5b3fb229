/* A temporary file beside the file that it shall become.
 *
 * It is path.tmp-N with the first N that no live writer has, so two writers of one path never share
 * it. The name is made anew (no link at it is followed) and the file is locked while its writer
 * lives. What a killed writer has left has no lock: the next writer of that path removes it. */
#ifndef BASE_TEMP_H
#define BASE_TEMP_H

#include <stdbool.h>

typedef struct {
    char *name;
    int fd; /* for writing; holds the lock */
} TempFile;

/* Creates an empty one, with the rights that the umask leaves. ERR_FAIL where that cannot be. On
 * failure *t is untouched. Any thread. */
int temp_open(TempFile *t, const char *path);

/* Ends the lock. The file is removed unless it was renamed: the caller says so. */
void temp_close(TempFile *t, bool renamed);

#endif
