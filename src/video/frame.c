#include "video/frame.h"

#include <limits.h>

#include "base/err.h"
#include "base/mem.h"
#include "video/convert_av.h"

/* Converters write whole vectors, so they may write past the last pixel. */
enum { SLACK = 64 };

static int make_room(Frame *f, int width, int height) {
    int64_t bytes = (int64_t)width * height * 3;
    if (width <= 0 || height <= 0 || bytes > INT_MAX - SLACK)
        return err_set(ERR_FAIL, "a picture of %d x %d pixels is out of range", width, height);
    if (bytes > f->capacity) {
        uint8_t *bgr = mem_alloc((size_t)bytes + SLACK, 1);
        if (!bgr)
            return ERR_FAIL;
        mem_free(f->bgr);
        f->bgr = bgr;
        f->capacity = (int)bytes;
    }
    return 0;
}

static void show_own(Frame *f, int width, int height) {
    f->width = width;
    f->height = height;
    f->orientation = 0;
    f->pixels = pixels_of_bgr(f->bgr, width, height);
    picture_release(f->picture);
}

int frame_reserve(Frame *f, int width, int height) {
    int code = make_room(f, width, height);
    if (!code)
        show_own(f, width, height);
    return code;
}

uint8_t *frame_bgr(Frame *f) {
    bool own = f->bgr && f->pixels.part[0].from == f->bgr;
    if (own && !f->orientation)
        return f->bgr;
    uint8_t *old = own ? f->bgr : NULL; /* a picture cannot be turned in its place */
    if (own) {
        f->bgr = NULL;
        f->capacity = 0;
    }
    int code = make_room(f, f->width, f->height);
    if (!code) {
        frame_resize(f->bgr, f->width, f->height, f);
        show_own(f, f->width, f->height);
    }
    mem_free(old);
    return code ? NULL : f->bgr;
}

void frame_move(Frame *to, Frame *from) {
    Frame old = *to;
    *to = *from;
    *from = (Frame){.bgr = old.bgr, .capacity = old.capacity, .picture = old.picture};
    picture_release(from->picture);
}

void frame_free(Frame *f) {
    picture_free(&f->picture);
    mem_free(f->bgr);
    *f = (Frame){0};
}
