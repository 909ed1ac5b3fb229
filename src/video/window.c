#include "video/window.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"

static size_t frame_bytes(const Window *w) {
    return (size_t)w->size * (size_t)w->size * 3;
}

int window_open(Window *w, int size, int frames) {
    *w = (Window){.size = size, .frames = frames};
    w->data = mem_alloc((size_t)frames + 1, frame_bytes(w));
    return w->data ? 0 : ERR_FAIL;
}

void window_free(Window *w) {
    mem_free(w->data);
    *w = (Window){0};
}

bool window_push(Window *w, const Frame *f) {
    size_t bytes = frame_bytes(w);
    if (w->filled == w->frames + 1)
        memmove(w->data, w->data + bytes, (size_t)w->frames * bytes);
    else
        w->filled++;
    frame_resize(w->data + (size_t)(w->filled - 1) * bytes, w->size, w->size, f);
    return w->filled == w->frames + 1;
}

void window_reset(Window *w) {
    w->filled = 0;
}

const uint8_t *window_x(const Window *w) {
    return w->data;
}

const uint8_t *window_y(const Window *w) {
    return w->data + (size_t)w->frames * frame_bytes(w);
}
