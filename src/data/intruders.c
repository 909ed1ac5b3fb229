#include "data/intruders.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, PICTURE = 3 * PLANE, TRAINING = 50000 };
enum { LABELS = 2, RECORD = LABELS + PICTURE, COARSE = 20, FINE = 100 }; /* train.bin */

struct Intruders {
    const uint8_t *map;
    size_t bytes;
    const uint8_t *first; /* the first picture: planes of red, green and blue */
    int64_t count, stride;
};

/* Finds the pixels in the Python version. Before them are BINSTRING 'T' (or BINBYTES 'B') and a
 * length of 32 bits. */
static const uint8_t *find_block(const uint8_t *map, size_t bytes) {
    const uint32_t length = TRAINING * PICTURE;
    for (size_t i = 0; i + 5 + length <= bytes; i++)
        if ((map[i] == 'T' || map[i] == 'B') && memcmp(map + i + 1, &length, 4) == 0)
            return map + i + 5;
    return NULL;
}

static int check_labels(const Intruders *p, const char *path) {
    for (int64_t i = 0; i < TRAINING; i++) {
        const uint8_t *record = p->map + i * RECORD;
        if (record[0] >= COARSE || record[1] >= FINE)
            return err_set(ERR_FAIL,
                           "%s: not CIFAR-100's: its size is that of train.bin, but record %lld "
                           "has the labels %d and %d, expected less than %d and %d",
                           path, (long long)i, record[0], record[1], COARSE, FINE);
    }
    return 0;
}

static int look(Intruders *p, const char *path) {
    p->count = TRAINING;
    if (p->bytes == (size_t)TRAINING * RECORD) {
        p->first = p->map + LABELS;
        p->stride = RECORD;
        return check_labels(p, path);
    }
    p->first = find_block(p->map, p->bytes);
    p->stride = PICTURE;
    return p->first ? 0
                    : err_set(ERR_FAIL,
                              "%s: not CIFAR-100's: expected train.bin (%d records of %d bytes) "
                              "or the file train of the Python version, found %zu bytes",
                              path, TRAINING, RECORD, p->bytes);
}

int intruders_open(Intruders **out, const char *path) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        int code = err_sys(ERR_FAIL, "cannot read %s", path);
        if (fd >= 0)
            close(fd);
        return code;
    }
    Intruders *p = mem_alloc(1, sizeof *p);
    int code = p ? 0 : ERR_FAIL;
    if (!code && !S_ISREG(st.st_mode))
        code = err_set(ERR_FAIL, "%s is no file", path);
    if (!code && st.st_size > 0) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED)
            code = err_sys(ERR_FAIL, "cannot map %s", path);
        else
            p->map = map, p->bytes = (size_t)st.st_size;
    }
    close(fd);
    if (!code)
        code = look(p, path);
    if (code)
        intruders_free(&p);
    else
        *out = p;
    return code;
}

void intruders_free(Intruders **pp) {
    Intruders *p = pp ? *pp : NULL;
    if (!p)
        return;
    if (p->map)
        munmap((void *)(uintptr_t)p->map, p->bytes);
    mem_free(p);
    *pp = NULL;
}

int64_t intruders_count(const Intruders *p) {
    return p->count;
}

void intruders_get(const Intruders *p, int64_t i, uint8_t *bgr, int64_t size) {
    const uint8_t *planes = p->first + i * p->stride;
    double scale = size > 1 ? (double)(SIDE - 1) / (double)(size - 1) : 0;
    for (int64_t y = 0; y < size; y++)
        for (int64_t x = 0; x < size; x++) {
            double sy = (double)y * scale, sx = (double)x * scale;
            int y0 = (int)sy, x0 = (int)sx;
            int y1 = y0 + (y0 < SIDE - 1), x1 = x0 + (x0 < SIDE - 1);
            double fy = sy - y0, fx = sx - x0;
            for (int c = 0; c < 3; c++) { /* RGB to BGR */
                const uint8_t *q = planes + (2 - c) * PLANE;
                double top = q[y0 * SIDE + x0] * (1 - fx) + q[y0 * SIDE + x1] * fx;
                double low = q[y1 * SIDE + x0] * (1 - fx) + q[y1 * SIDE + x1] * fx;
                bgr[3 * (y * size + x) + c] = (uint8_t)(top * (1 - fy) + low * fy + 0.5);
            }
        }
}
