#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/temp.h"

struct FileOut {
    char *path;
    TempFile temp;
    FILE *stream;
    int error; /* errno of the first failed write */
};

static void free_out(FileOut **f, bool renamed) {
    if ((*f)->stream)
        fclose((*f)->stream);
    if ((*f)->temp.name)
        temp_close(&(*f)->temp, renamed);
    mem_free((*f)->path);
    mem_free(*f);
    *f = NULL;
}

/* A rename replaces anything at the path. Nobody means to replace a device, a pipe or a link. */
static int check_target(const char *path) {
    struct stat st;
    if (lstat(path, &st) || S_ISREG(st.st_mode))
        return 0;
    return err_set(ERR_FAIL, "cannot write %s: it is %s; expected a regular file or nothing", path,
                   S_ISDIR(st.st_mode)   ? "a folder"
                   : S_ISLNK(st.st_mode) ? "a link"
                                         : "no regular file");
}

/* The stream gets its own descriptor, so that closing the stream does not end the lock. */
static int open_out(FileOut *f, const char *path) {
    f->path = mem_printf("%s", path);
    if (!f->path || temp_open(&f->temp, path))
        return ERR_FAIL;
    int fd = fcntl(f->temp.fd, F_DUPFD_CLOEXEC, 0);
    f->stream = fd < 0 ? NULL : fdopen(fd, "wb");
    if (f->stream)
        return 0;
    int code = err_sys(ERR_FAIL, "cannot write %s", path);
    if (fd >= 0)
        close(fd);
    return code;
}

int file_create(FileOut **out, const char *path) {
    if (check_target(path))
        return ERR_FAIL;
    FileOut *f = mem_alloc(1, sizeof *f);
    if (!f)
        return ERR_FAIL;
    int code = open_out(f, path);
    if (code)
        free_out(&f, false);
    else
        *out = f;
    return code;
}

const char *file_temp_name(const FileOut *f) {
    return f->temp.name;
}

void file_write(FileOut *f, const void *data, size_t bytes) {
    if (!f->error && fwrite(data, 1, bytes, f->stream) != bytes)
        f->error = errno ? errno : EIO;
}

void file_printf(FileOut *f, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    if (!f->error && vfprintf(f->stream, fmt, ap) < 0)
        f->error = errno ? errno : EIO;
    va_end(ap);
}

/* A rename is durable only after its folder is synced. The rename has already happened, so a
 * failure here is ignored. */
static void sync_folder_of(const char *path) {
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

static int finish(FileOut **out, bool durable) {
    FileOut *f = *out;
    if (fclose(f->stream) && !f->error)
        f->error = errno;
    f->stream = NULL;
    if (!f->error && ((durable && fsync(f->temp.fd)) || rename(f->temp.name, f->path)))
        f->error = errno;
    errno = f->error;
    int code = f->error ? err_sys(ERR_FAIL, "cannot write %s", f->path) : 0;
    if (!code && durable)
        sync_folder_of(f->path);
    free_out(out, code == 0);
    return code;
}

int file_commit(FileOut **f) {
    return finish(f, true);
}

int file_publish(FileOut **f) {
    return finish(f, false);
}

void file_discard(FileOut **f) {
    if (!f || !*f)
        return;
    free_out(f, false);
}

int file_probe(const char *path) {
    FileOut *f = NULL;
    int code = file_create(&f, path);
    file_discard(&f);
    return code;
}

int file_read(const char *path, size_t limit, char **data, size_t *bytes) {
    FILE *s = fopen(path, "rb");
    struct stat st;
    if (!s || fstat(fileno(s), &st)) {
        if (s)
            fclose(s);
        return err_sys(ERR_FAIL, "cannot read %s", path);
    }
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > limit) {
        fclose(s);
        return !S_ISREG(st.st_mode)
                   ? err_set(ERR_FAIL, "cannot read %s: it is not a regular file", path)
                   : err_set(ERR_FAIL, "cannot read %s: it has %lld bytes, at most %zu expected",
                             path, (long long)st.st_size, limit);
    }
    size_t n = (size_t)st.st_size;
    char *p = mem_alloc(n + 1, 1);
    if (!p) {
        fclose(s);
        return ERR_FAIL;
    }
    size_t got = fread(p, 1, n, s);
    int code = got == n    ? 0
               : ferror(s) ? err_sys(ERR_FAIL, "cannot read %s", path)
                           : err_set(ERR_FAIL, "cannot read %s: it ends after %zu of %zu bytes",
                                     path, got, n);
    fclose(s);
    if (code) {
        mem_free(p);
        return code;
    }
    *data = p;
    *bytes = n;
    return 0;
}

/* Makes "\n" of "\r\n" and of a "\r" alone. Returns the new length. */
static size_t unite_line_ends(char *text, size_t n) {
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        if (text[i] != '\r')
            text[used++] = text[i];
        else if (text[i + 1] != '\n') /* a NUL follows the last byte */
            text[used++] = '\n';
    text[used] = '\0';
    return used;
}

int file_read_text(const char *path, size_t limit, char **text, size_t *bytes) {
    char *p;
    size_t n;
    int code = file_read(path, limit, &p, &n);
    if (code)
        return code;
    if (n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0)) {
        mem_free(p);
        return err_set(ERR_FAIL, "%s: text in UTF-16; save it as UTF-8", path);
    }
    bool mark = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0;
    if (mark)
        memmove(p, p + 3, (n -= 3) + 1);
    *bytes = unite_line_ends(p, n);
    *text = p;
    return 0;
}

static int make_folder(const char *path, bool is_new) {
    char copy[4096];
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return err_set(ERR_FAIL, "cannot create a folder: the path has over %zu characters",
                       sizeof copy - 1);
    for (char *p = copy + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char end = *p;
        *p = '\0';
        if (mkdir(copy, 0777) && (errno != EEXIST || (is_new && end == '\0')))
            return err_sys(ERR_FAIL, "cannot create the folder %s", copy);
        *p = end;
        if (end == '\0')
            break;
    }
    if (!file_is_folder(path))
        return err_set(ERR_FAIL, "cannot create the folder %s: a file of that name is there", path);
    return 0;
}

int file_make_folder(const char *path) {
    return make_folder(path, false);
}

int file_make_new_folder(const char *path) {
    return make_folder(path, true);
}

static int remove_entry(const char *path, const struct stat *s, int flag, struct FTW *walk) {
    (void)s, (void)flag, (void)walk;
    return remove(path);
}

bool file_remove_folder(const char *path) {
    enum { OPEN_FOLDERS = 16 };
    nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    return !file_exists(path);
}

int file_lock_folder(int *lock, const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(ERR_FAIL, "cannot open the folder %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        int code = errno == EWOULDBLOCK
                       ? err_set(ERR_FAIL, "another process is writing to %s", path)
                       : err_sys(ERR_FAIL, "cannot lock the folder %s", path);
        close(fd);
        return code;
    }
    *lock = fd;
    return 0;
}

void file_unlock(int lock) {
    if (lock >= 0)
        close(lock);
}

bool file_is_folder(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool file_is_regular(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

bool file_is_same(const char *a, const char *b) {
    struct stat s, t;
    return stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev && s.st_ino == t.st_ino;
}

const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool file_has_extension(const char *path, const char *ext) {
    const char *dot = strrchr(file_name(path), '.');
    return dot && strcasecmp(dot + 1, ext) == 0;
}
