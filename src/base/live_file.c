#include "base/live_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/temp.h"

struct LiveFile {
    char *path;
    TempFile temp;
    off_t size; /* of the pieces that are whole */
    bool named; /* the temporary file has its final name */
};

void live_file_free(LiveFile **out) {
    LiveFile *f = out ? *out : NULL;
    if (!f)
        return;
    if (f->temp.name)
        temp_close(&f->temp, f->named);
    mem_free(f->path);
    mem_free(f);
    *out = NULL;
}

int live_file_create(LiveFile **out, const char *path) {
    if (file_probe(path))
        return ERR_FAIL;
    LiveFile *f = mem_alloc(1, sizeof *f);
    if (!f)
        return ERR_FAIL;
    if (!(f->path = mem_printf("%s", path)) || temp_open(&f->temp, path)) {
        live_file_free(&f);
        return ERR_FAIL;
    }
    *out = f;
    return 0;
}

static bool write_all(int fd, const char *data, size_t bytes) {
    while (bytes > 0) {
        ssize_t n = write(fd, data, bytes);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            data += n;
            bytes -= (size_t)n;
        }
    }
    return true;
}

/* Takes back what was written of a piece; the message tells the first failure. */
static int take_back(LiveFile *f) {
    int code = err_sys(ERR_FAIL, "cannot write %s", f->path);
    if (ftruncate(f->temp.fd, f->size) == 0)
        lseek(f->temp.fd, f->size, SEEK_SET);
    return code;
}

int live_file_append(LiveFile *f, const void *data, size_t bytes) {
    if (!write_all(f->temp.fd, data, bytes))
        return take_back(f);
    if (!f->named && (fsync(f->temp.fd) || rename(f->temp.name, f->path)))
        return take_back(f);
    f->named = true;
    f->size += (off_t)bytes;
    return 0;
}

int live_file_close(LiveFile **f) {
    int code = fsync((*f)->temp.fd) ? err_sys(ERR_FAIL, "cannot write %s", (*f)->path) : 0;
    live_file_free(f);
    return code;
}
