#include "data/dataset.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "video/listing.h"
#include "video/source.h"
#include "video/url.h"

const char *const layout_names[] = {"frames", "ucsd", "avenue", "shanghaitech", "clips", "single"};

/* The folders below the root that hold a split's clips; NULL where a layout has none. */
static const struct {
    Layout layout;
    const char *train, *test;
} layouts[] = {
    {LAYOUT_FRAMES, "training/frames", "testing/frames"},
    {LAYOUT_SHANGHAITECH, "training/videos", "testing/frames"},
    {LAYOUT_SHANGHAITECH, "training/videos", "testing/videos"},
    {LAYOUT_UCSD, "Train", "Test"},
    {LAYOUT_AVENUE, "training_videos", "testing_videos"},
};

enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static bool has_folder(const char *root, const char *sub) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", root, sub);
    return file_is_folder(path);
}

/* The first row whose folders both exist, else the first with one of them, else -1. */
static int match_layout(const char *root) {
    int best = -1, best_count = 0;
    for (int i = 0; i < LAYOUTS; i++) {
        int count = has_folder(root, layouts[i].train) + has_folder(root, layouts[i].test);
        if (count > best_count) {
            best = i;
            best_count = count;
        }
    }
    return best;
}

static bool ends_in(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcasecmp(text + n - m, end) == 0;
}

/* A file's clip is named without its extension. */
static char *clip_name(const char *url) {
    const char *name = file_name(url), *dot = strrchr(name, '.');
    bool file = dot && dot > name && !file_is_folder(url);
    return file ? mem_printf("%.*s", (int)(dot - name), name) : mem_printf("%s", name);
}

/* Counts a folder's frames by its listing, a file's frames by its container. */
static int count_frames(Clip *c) {
    if (file_is_folder(c->url)) {
        Listing images;
        int code = listing_open(&images, c->url, LIST_IMAGES);
        if (code)
            return code;
        c->frames = images.count;
        listing_free(&images);
        return 0;
    }
    Source *s = NULL;
    int code = source_open(&s, c->url);
    if (!code)
        c->frames = source_info(s)->frames;
    source_free(&s);
    return code;
}

static int fill_clip(Clip *c, const char *url) {
    c->name = clip_name(url);
    c->url = mem_printf("%s", url);
    return c->name && c->url ? count_frames(c) : ERR_FAIL;
}

static int find_double(const Split *s, const char *folder) {
    for (int i = 1; i < s->count; i++)
        if (strcmp(s->clips[i - 1].name, s->clips[i].name) == 0)
            return err_set(ERR_FAIL, "%s: two clips are called %s (%s and %s); rename one", folder,
                           s->clips[i].name, file_name(s->clips[i - 1].url),
                           file_name(s->clips[i].url));
    return 0;
}

/* Reads the clip folders and video files of `folder`. Mask folders are skipped. A folder without
 * pictures is a clip of no frames if `all_are_clips`, else it is skipped. */
static int read_split(Split *out, const char *folder, bool all_are_clips) {
    Listing entries[2] = {0};
    int code = listing_open(&entries[0], folder, LIST_FOLDERS);
    if (!code)
        code = listing_open(&entries[1], folder, LIST_VIDEOS);
    int64_t most = entries[0].count + entries[1].count;
    if (!code && most && !(out->clips = mem_alloc((size_t)most, sizeof *out->clips)))
        code = ERR_FAIL;
    /* Both lists are sorted. In all published layouts one of them is empty. */
    int64_t at[2] = {0, 0};
    while (!code && (at[0] < entries[0].count || at[1] < entries[1].count)) {
        int k = at[0] == entries[0].count ||
                (at[1] < entries[1].count &&
                 listing_compare(entries[1].item[at[1]].path, entries[0].item[at[0]].path) < 0);
        const char *path = entries[k].item[at[k]++].path;
        if (k == 0 && (ends_in(path, "_gt") || strcmp(file_name(path), "masks") == 0))
            continue;
        Clip *c = &out->clips[out->count];
        code = fill_clip(c, path);
        if (k == 0 && c->frames == 0 && !all_are_clips && !code) {
            mem_free(c->name);
            mem_free(c->url);
            *c = (Clip){0};
        } else {
            out->count++;
        }
    }
    listing_free(&entries[0]);
    listing_free(&entries[1]);
    return code ? code : find_double(out, folder);
}

static int read_single(Split *out, const char *url, bool live) {
    out->clips = mem_alloc(1, sizeof *out->clips);
    if (!out->clips)
        return ERR_FAIL;
    out->count = 1;
    if (!live)
        return fill_clip(out->clips, url);
    *out->clips = (Clip){mem_printf("live"), mem_printf("%s", url), -1};
    return out->clips->name && out->clips->url ? 0 : ERR_FAIL;
}

static int copy_split(Split *out, const Split *in) {
    out->clips = mem_alloc((size_t)in->count, sizeof *out->clips);
    if (!out->clips)
        return ERR_FAIL;
    for (; out->count < in->count; out->count++) {
        const Clip *from = &in->clips[out->count];
        Clip *to = &out->clips[out->count];
        *to = (Clip){mem_printf("%s", from->name), mem_printf("%s", from->url), from->frames};
        if (!to->name || !to->url) {
            out->count++;
            return ERR_FAIL;
        }
    }
    return 0;
}

static int no_layout(const char *root) {
    Listing folders;
    int code = listing_open(&folders, root, LIST_FOLDERS);
    if (code)
        return code;
    const char *hint = NULL;
    for (int64_t i = 0; i < folders.count && !hint; i++)
        if (match_layout(folders.item[i].path) >= 0)
            hint = folders.item[i].path;
    if (hint)
        code = err_set(ERR_FAIL, "%s is no data set, but %s looks like one; give that folder", root,
                       hint);
    else
        code = err_set(ERR_FAIL,
                       "%s holds no footage; expected training/frames and testing/frames, "
                       "Train and Test, training_videos and testing_videos, folders of numbered "
                       "pictures, or video files",
                       root);
    listing_free(&folders);
    return code;
}

static int open_layout(Dataset *d, int row) {
    char path[4096];
    d->layout = layouts[row].layout;
    const char *sub[2] = {layouts[row].train, layouts[row].test};
    Split *split[2] = {&d->train, &d->test};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", d->root, sub[i]);
        int code = file_is_folder(path) ? read_split(split[i], path, true) : 0;
        if (code)
            return code;
    }
    if (d->train.count + d->test.count == 0)
        return err_set(ERR_FAIL, "%s: %s and %s hold no clips", d->root, sub[0], sub[1]);
    return 0;
}

static int open_plain(Dataset *d, bool live) {
    Listing images = {0};
    int code = 0;
    d->layout = LAYOUT_SINGLE;
    if (!live && file_is_folder(d->root)) {
        if ((code = listing_open(&images, d->root, LIST_IMAGES)))
            return code;
        if (images.count == 0)
            d->layout = LAYOUT_CLIPS;
        listing_free(&images);
    }
    code = d->layout == LAYOUT_CLIPS ? read_split(&d->train, d->root, false)
                                     : read_single(&d->train, d->root, live);
    if (!code && d->train.count == 0)
        code = no_layout(d->root);
    return code ? code : copy_split(&d->test, &d->train);
}

static int open_any(Dataset *d) {
    UrlKind kind = url_kind(d->root);
    bool live = kind == URL_STREAM || kind == URL_CAMERA;
    if (!live && !file_exists(d->root))
        return err_sys(ERR_FAIL, "cannot open %s", d->root);
    int row = live ? -1 : match_layout(d->root);
    return row >= 0 ? open_layout(d, row) : open_plain(d, live);
}

int dataset_open(Dataset **out, const char *path) {
    Dataset *d = mem_alloc(1, sizeof *d);
    if (!d)
        return ERR_FAIL;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    d->root = mem_printf("%.*s", (int)n, path);
    int code = d->root ? open_any(d) : ERR_FAIL;
    if (code)
        dataset_free(&d);
    else
        *out = d;
    return code;
}

static void free_split(Split *s) {
    for (int i = 0; i < s->count; i++) {
        mem_free(s->clips[i].name);
        mem_free(s->clips[i].url);
    }
    mem_free(s->clips);
}

void dataset_free(Dataset **d) {
    if (!*d)
        return;
    free_split(&(*d)->train);
    free_split(&(*d)->test);
    mem_free((*d)->root);
    mem_free(*d);
    *d = NULL;
}

int clip_count(const Clip *c, int64_t *frames) {
    if (c->frames >= 0) {
        *frames = c->frames;
        return 0;
    }
    Source *s = NULL;
    Frame f = {0};
    int code = source_open(&s, c->url);
    if (!code && source_info(s)->live)
        code = err_set(ERR_FAIL, "clip %s is live; recorded footage is needed here", c->name);
    int64_t n = 0;
    for (; !code; n += !code)
        code = source_read(s, &f);
    source_free(&s);
    frame_free(&f);
    if (code != ERR_END)
        return code;
    *frames = n;
    return 0;
}
