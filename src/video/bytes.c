#include "video/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

static int reserve(Bytes *b, int64_t n) {
    if (n <= b->capacity)
        return 0;
    uint8_t *data = mem_alloc((size_t)n + BYTES_PADDING, 1);
    if (!data)
        return ERR_FAIL;
    mem_free(b->data);
    b->data = data;
    b->capacity = n;
    return 0;
}

static int read_open(Bytes *b, int fd, const char *path, int64_t limit) {
    struct stat st;
    if (fstat(fd, &st))
        return err_sys(ERR_FAIL, "cannot read %s", path);
    if (!S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size > limit)
        return err_set(ERR_FAIL, "%s: expected a file of 1 to %lld bytes, it has %lld", path,
                       (long long)limit, (long long)st.st_size);
    int code = reserve(b, st.st_size);
    if (code)
        return code;
    for (b->count = 0; b->count < st.st_size;) {
        ssize_t got = read(fd, b->data + b->count, (size_t)(st.st_size - b->count));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(ERR_FAIL, "cannot read %s", path);
        if (got == 0)
            return err_set(ERR_FAIL, "%s: it became shorter while it was read", path);
        b->count += got;
    }
    memset(b->data + b->count, 0, BYTES_PADDING);
    return 0;
}

int bytes_read(Bytes *b, const char *path, int64_t limit) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(ERR_FAIL, "cannot read %s", path);
    int code = read_open(b, fd, path, limit);
    close(fd);
    return code;
}

void bytes_free(Bytes *b) {
    mem_free(b->data);
    *b = (Bytes){0};
}
