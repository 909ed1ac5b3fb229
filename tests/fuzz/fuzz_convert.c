/* Layout, size, ranges and turn from the first bytes, pixels from the rest: no read outside the
 * planes, no write outside the result, and a resize equals that of the whole picture. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "video/frame.h"

typedef struct {
    const uint8_t *data;
    size_t size, at;
} Bytes;

static uint8_t next(Bytes *b) {
    return b->size ? b->data[b->at++ % b->size] : 0;
}

/* A plane of exactly the bytes that its samples have, so that one more is seen. */
static Samples make_plane(Bytes *b, uint8_t **own, int step, int width, int height, int bytes) {
    int pad = next(b) % 5, row = (width - 1) * step + bytes, stride = width * step + pad;
    size_t size = (size_t)stride * (size_t)(height - 1) + (size_t)row;
    bool upward = next(b) & 1;
    *own = malloc(size);
    for (size_t i = 0; i < size; i++)
        (*own)[i] = next(b);
    return upward ? (Samples){*own + (ptrdiff_t)stride * (height - 1), step, -stride}
                  : (Samples){*own, step, stride};
}

static void describe(Bytes *b, Pixels *p, uint8_t *own[3]) {
    *p = (Pixels){.kind = next(b) % 3,
                  .width = 1 + next(b) + (next(b) & 3) * 256,
                  .height = 1 + next(b) % 40,
                  .full = next(b) & 1,
                  .jpeg = next(b) & 1};
    bool yuv = p->kind == PIXELS_YUV;
    p->depth = 8 + (next(b) & 1) * (next(b) % (yuv ? 5 : 9));
    p->shift = p->depth > 8 ? next(b) % (17 - p->depth) : 0;
    p->narrow[0] = yuv ? next(b) % 3 : 0;
    p->narrow[1] = yuv ? next(b) % 2 : 0;
    for (int k = 0; k < 4; k++)
        p->matrix[k] = (next(b) + 1) * 550; /* up to 2.15 */
    int bytes = p->depth > 8 ? 2 : 1, step = bytes * (1 + next(b) % 4), other = 1 + next(b) % 4;
    for (int k = 0; k < (p->kind == PIXELS_GREY ? 1 : 3); k++) {
        bool chroma = yuv && k;
        int x = chroma ? p->narrow[0] : 0, y = chroma ? p->narrow[1] : 0;
        p->part[k] =
            make_plane(b, &own[k], chroma ? other * bytes : step, (p->width + (1 << x) - 1) >> x,
                       (p->height + (1 << y) - 1) >> y, bytes);
    }
}

static void compare(Frame *f, int width, int height) {
    size_t bytes = 3 * (size_t)width * (size_t)height;
    uint8_t *sparse = malloc(bytes), *whole = malloc(bytes);
    Frame bgr = {0};
    if (frame_reserve(&bgr, f->width, f->height))
        abort();
    frame_resize(bgr.bgr, f->width, f->height, f);
    frame_resize(sparse, width, height, f);
    frame_resize(whole, width, height, &bgr);
    if (memcmp(sparse, whole, bytes) != 0)
        abort();
    frame_free(&bgr);
    free(sparse);
    free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Bytes b = {data, size, 0};
    uint8_t *own[3] = {NULL};
    Frame f = {0};
    describe(&b, &f.pixels, own);
    f.orientation = next(&b) & 7;
    bool turned = f.orientation & FRAME_TRANSPOSED;
    f.width = turned ? f.pixels.height : f.pixels.width;
    f.height = turned ? f.pixels.width : f.pixels.height;
    int width = 1 + next(&b) + (next(&b) & 1) * 256;
    compare(&f, width, 1 + next(&b) % 64);
    for (int k = 0; k < 3; k++)
        free(own[k]);
    return 0;
}
