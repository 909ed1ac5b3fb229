#include "data/mask_tracks.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/masks.h"

/* Clears the connected part that holds pixel `at` and returns its bounds. */
static Box take_part(uint8_t *mask, int width, int height, int32_t at, int32_t *queue) {
    Box b = {at % width, at / width, at % width, at / width};
    int64_t waiting = 0;
    queue[waiting++] = at;
    mask[at] = 0;
    while (waiting) {
        int32_t p = queue[--waiting];
        int x = p % width, y = p / width;
        b.x0 = x < b.x0 ? x : b.x0;
        b.x1 = x > b.x1 ? x : b.x1;
        b.y0 = y < b.y0 ? y : b.y0;
        b.y1 = y > b.y1 ? y : b.y1;
        for (int v = y > 0 ? y - 1 : 0; v <= y + 1 && v < height; v++)
            for (int u = x > 0 ? x - 1 : 0; u <= x + 1 && u < width; u++)
                if (mask[v * width + u]) {
                    mask[v * width + u] = 0;
                    queue[waiting++] = v * width + u;
                }
    }
    return b;
}

static bool continued(const Tracks *t, int64_t now, int64_t track) {
    for (int64_t j = now; j < t->count; j++)
        if (t->item[j].track == track)
            return true;
    return false;
}

/* Boxes [before, now) are those of the previous frame. Boxes from `now` on are this frame's, which
 * have no track at first. Links the pair that overlaps most; false where no pair is left. */
static bool link_best(Tracks *t, int64_t before, int64_t now) {
    double best = 0;
    int64_t from = 0, to = 0;
    for (int64_t i = before; i < now; i++)
        for (int64_t j = now; j < t->count; j++) {
            double iou = t->item[j].track < 0 ? box_iou(t->item[i].box, t->item[j].box) : 0;
            if (iou > best && !continued(t, now, t->item[i].track))
                best = iou, from = i, to = j;
        }
    if (best > 0)
        t->item[to].track = t->item[from].track;
    return best > 0;
}

int mask_tracks_add(Tracks *t, int clip, int64_t frame, uint8_t *mask, int width, int height,
                    int32_t *queue) {
    int64_t now = t->count, before = now;
    while (before > 0 && t->item[before - 1].clip == clip && t->item[before - 1].frame == frame - 1)
        before--;
    const uint8_t *end = mask + (int64_t)width * height;
    for (uint8_t *p = mask; (p = memchr(p, 1, (size_t)(end - p)));) {
        TrackBox b = {clip, frame, -1, take_part(mask, width, height, (int32_t)(p - mask), queue)};
        if (tracks_add(t, b))
            return ERR_FAIL;
    }
    while (link_best(t, before, now))
        continue;
    for (int64_t j = now; j < t->count; j++)
        if (t->item[j].track < 0)
            t->item[j].track = t->tracks++;
    return 0;
}

static int read_clip(Tracks *out, Masks *m, int clip) {
    uint8_t *copy = NULL;
    int32_t *queue = NULL;
    int64_t capacity = 0;
    int code = 0;
    for (int64_t i = 0; i < masks_frames(m) && !code; i++) {
        const uint8_t *mask;
        int w, h;
        code = masks_read(m, i, &mask, &w, &h);
        int64_t pixels = code ? 0 : (int64_t)w * h;
        if (pixels > capacity) {
            mem_free(copy);
            mem_free(queue);
            copy = mem_alloc((size_t)pixels, 1);
            queue = mem_alloc((size_t)pixels, sizeof *queue);
            capacity = pixels;
            code = copy && queue ? 0 : ERR_FAIL;
        }
        if (!code) {
            memcpy(copy, mask, (size_t)pixels);
            code = mask_tracks_add(out, clip, i, copy, w, h, queue);
        }
    }
    mem_free(copy);
    mem_free(queue);
    return code;
}

int mask_tracks_read(Tracks *out, const Dataset *d, bool *found) {
    out->made = true;
    *found = false;
    for (int clip = 0; clip < d->test.count; clip++) {
        Masks *m = NULL;
        int there;
        int code = masks_open(&m, d, clip, &there);
        if (!code && clip > 0 && there != *found)
            code =
                err_set(ERR_FAIL, "%s: clip %s has masks, but clip %s has none", d->root,
                        d->test.clips[there ? clip : 0].name, d->test.clips[there ? 0 : clip].name);
        if (!code) {
            *found = there;
            code = there ? read_clip(out, m, clip) : 0;
        }
        masks_free(&m);
        if (code)
            return code;
    }
    return 0;
}
