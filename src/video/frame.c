#include "video/frame.h"

#include <limits.h>

#include "base/err.h"
#include "base/mem.h"

/* Converters write whole vectors, so they may write past the last pixel. */
enum { SLACK = 64 };

int frame_reserve(Frame *f, int width, int height) {
    int64_t bytes = (int64_t)width * height * 3;
    if (width <= 0 || height <= 0 || bytes > INT_MAX - SLACK)
        return err_set(ERR_FAIL, "a picture of %d x %d pixels is out of range", width, height);
    if (bytes > f->capacity) {
        uint8_t *data = mem_alloc((size_t)bytes + SLACK, 1);
        if (!data)
            return ERR_FAIL;
        mem_free(f->data);
        f->data = data;
        f->capacity = (int)bytes;
    }
    f->width = width;
    f->height = height;
    return 0;
}

void frame_free(Frame *f) {
    mem_free(f->data);
    *f = (Frame){0};
}
