#include "data/masks.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/npy.h"
#include "data/labels_mat.h"
#include "video/source.h"

/* Masks in one of three forms: pictures, an array of frames x height x width, or bits. */
struct Masks {
    char *path;
    Source *pictures;
    Npy array;
    BitMasks bits;
    int64_t frames;
    Frame frame;
    uint8_t *mask; /* height x width */
    int64_t capacity;
};

const char *const mask_folders[] = {"testing/masks",
                                    "masks",
                                    "Test",
                                    "ground_truth_demo/testing_label_mask",
                                    "testing_label_mask",
                                    "testing/test_pixel_mask",
                                    "test_pixel_mask",
                                    NULL};

static long last_number(const char *name) {
    const char *p = name + strlen(name);
    while (p > name && p[-1] >= '0' && p[-1] <= '9')
        p--;
    return strtol(p, NULL, 10);
}

char *masks_find(const char *folder, const Clip *clip) {
    char name[4][512], *path = NULL;
    snprintf(name[0], sizeof name[0], "%s_gt", clip->name);
    snprintf(name[1], sizeof name[1], "%s.npy", clip->name);
    snprintf(name[2], sizeof name[2], "%ld_label.mat", last_number(clip->name));
    snprintf(name[3], sizeof name[3], "%s", clip->name);
    for (int i = 0; i < 4 && !path; i++) {
        path = mem_printf("%s/%s", folder, name[i]);
        bool wants_folder = i == 0 || i == 3;
        if (path && (!file_exists(path) || file_is_folder(path) != wants_folder ||
                     strcmp(path, clip->url) == 0)) { /* the clip itself is not its mask */
            mem_free(path);
            path = NULL;
        }
    }
    return path;
}

static int open_form(Masks *m) {
    const char *path = m->path;
    if (file_is_folder(path)) {
        int code = source_open(&m->pictures, path);
        m->frames = code ? 0 : source_info(m->pictures)->frames;
        return code;
    }
    if (file_has_extension(path, "mat")) {
        int code = bit_masks_read_mat(&m->bits, path);
        m->frames = m->bits.frames;
        return code;
    }
    int code = npy_read(&m->array, path);
    if (code)
        return code;
    if (m->array.rank != 3)
        return err_set(ERR_FAIL, "%s: an array of rank %d; expected frames x height x width", path,
                       m->array.rank);
    int64_t h = m->array.shape[1], w = m->array.shape[2];
    if (h == 0 || w == 0 || h > 1 << 14 || w > 1 << 14)
        return err_set(ERR_FAIL, "%s: masks of %lld x %lld pixels are out of range", path,
                       (long long)w, (long long)h);
    m->frames = m->array.shape[0];
    return 0;
}

int masks_open_path(Masks **out, const char *path) {
    Masks *m = mem_alloc(1, sizeof *m);
    if (!m)
        return ERR_FAIL;
    m->path = mem_printf("%s", path);
    int code = m->path ? open_form(m) : ERR_FAIL;
    if (code)
        masks_free(&m);
    else
        *out = m;
    return code;
}

int masks_open(Masks **out, const Dataset *d, int clip, int *found) {
    char folder[4096];
    const Clip *c = &d->test.clips[clip];
    *found = 0;
    for (int i = 0; mask_folders[i] && !*found; i++) {
        snprintf(folder, sizeof folder, "%s/%s", d->root, mask_folders[i]);
        char *path = masks_find(folder, c);
        if (!path)
            continue;
        int code = masks_open_path(out, path);
        mem_free(path);
        if (code)
            return code;
        *found = 1;
        if (c->frames >= 0 && (*out)->frames != c->frames) {
            code = err_set(ERR_FAIL, "%s: %lld masks, but clip %s has %lld frames", (*out)->path,
                           (long long)(*out)->frames, c->name, (long long)c->frames);
            masks_free(out);
            return code;
        }
    }
    return 0;
}

int64_t masks_frames(const Masks *m) {
    return m->frames;
}

static int reserve(Masks *m, int64_t pixels) {
    if (pixels <= m->capacity)
        return 0;
    uint8_t *mask = mem_alloc((size_t)pixels, 1);
    if (!mask)
        return ERR_FAIL;
    mem_free(m->mask);
    m->mask = mask;
    m->capacity = pixels;
    return 0;
}

static int read_picture(Masks *m, int64_t index) {
    int code = source_seek(m->pictures, index);
    if (!code)
        code = source_read(m->pictures, &m->frame);
    int64_t pixels = (int64_t)m->frame.width * m->frame.height;
    const uint8_t *p = code ? NULL : frame_bgr(&m->frame);
    if (!code)
        code = p ? reserve(m, pixels) : ERR_FAIL;
    for (int64_t i = 0; i < pixels && !code; i++, p += 3)
        m->mask[i] = (p[0] | p[1] | p[2]) != 0;
    return code;
}

int masks_read(Masks *m, int64_t index, const uint8_t **mask, int *width, int *height) {
    if (index < 0 || index >= m->frames)
        return err_set(ERR_FAIL, "%s: there is no mask %lld; it has %lld", m->path,
                       (long long)index, (long long)m->frames);
    int code, w, h;
    if (m->pictures) {
        code = read_picture(m, index);
        w = m->frame.width, h = m->frame.height;
    } else if (m->bits.bits) {
        w = m->bits.width, h = m->bits.height;
        code = reserve(m, (int64_t)w * h);
        const uint8_t *bits = m->bits.bits + index * m->bits.stride;
        for (int i = 0; i < w * h && !code; i++)
            m->mask[i] = bits[i / 8] >> i % 8 & 1;
    } else {
        h = (int)m->array.shape[1], w = (int)m->array.shape[2];
        code = reserve(m, (int64_t)w * h);
        for (int64_t i = 0, n = (int64_t)w * h; i < n && !code; i++)
            m->mask[i] = npy_real(&m->array, index * n + i) != 0;
    }
    if (code)
        return code;
    *mask = m->mask;
    *width = w;
    *height = h;
    return 0;
}

void masks_free(Masks **out) {
    Masks *m = *out;
    if (!m)
        return;
    source_free(&m->pictures);
    npy_free(&m->array);
    mem_free(m->bits.bits);
    frame_free(&m->frame);
    mem_free(m->mask);
    mem_free(m->path);
    mem_free(m);
    *out = NULL;
}
