#include "base/temp.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

/* Creates and locks a new file of this name; -1 with errno on failure. On a file system without
 * locks the file has no lock, and is not removed after a kill. */
static int create(const char *name) {
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    struct stat st;
    if (fd < 0)
        return -1;
    while (flock(fd, LOCK_EX) && errno == EINTR)
        ;
    if (fstat(fd, &st) || st.st_nlink > 0)
        return fd;
    close(fd); /* another writer removed it before it was locked */
    errno = EEXIST;
    return -1;
}

/* Whether the name still leads to the open file. */
static bool leads_to(const char *name, int fd) {
    struct stat here, there;
    return fstat(fd, &here) == 0 && lstat(name, &there) == 0 && S_ISREG(here.st_mode) &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Removes the file of a dead writer. False where its writer is alive or the name is no regular
 * file. */
static bool clear(const char *name) {
    int fd = open(name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool cleared = flock(fd, LOCK_EX | LOCK_NB) == 0 && leads_to(name, fd) && unlink(name) == 0;
    close(fd);
    return cleared;
}

static int take(const char *name) {
    int fd = create(name);
    if (fd >= 0 || errno != EEXIST)
        return fd;
    if (clear(name))
        return create(name);
    errno = EEXIST;
    return -1;
}

int temp_open(TempFile *t, const char *path) {
    enum { MOST = 1000 };
    for (int n = 0; n < MOST; n++) {
        char *name = mem_printf("%s.tmp-%d", path, n);
        if (!name)
            return ERR_FAIL;
        int fd = take(name), error = errno;
        if (fd >= 0) {
            *t = (TempFile){name, fd};
            return 0;
        }
        mem_free(name);
        errno = error;
        if (error != EEXIST)
            return err_sys(ERR_FAIL, "cannot write %s", path);
    }
    return err_set(
        ERR_FAIL,
        "cannot write %s: all names for its temporary file, %s.tmp-0 to .tmp-%d, are taken; remove "
        "those files unless a program is writing them",
        path, path, MOST - 1);
}

void temp_close(TempFile *t, bool renamed) {
    if (!renamed)
        unlink(t->name);
    close(t->fd);
    mem_free(t->name);
}
