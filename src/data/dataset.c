#include "data/dataset.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "video/listing.h"
#include "video/probe_av.h"
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

/* Small copies that cameras write beside their videos. */
static bool is_preview(const char *name) {
    return file_has_extension(name, "lrv") || file_has_extension(name, "lrf");
}

/* A file's clip is named without its extension. */
static char *clip_name(const char *url) {
    const char *name = file_name(url), *dot = strrchr(name, '.');
    bool file = dot && dot > name && !file_is_folder(url);
    return file ? mem_printf("%.*s", (int)(dot - name), name) : mem_printf("%s", name);
}

static bool is_picture(const ListingItem *item) {
    return !item->folder && listing_is_image(item->name);
}

static int64_t count_pictures(const Listing *l) {
    int64_t n = 0;
    for (int64_t i = 0; i < l->count; i++)
        n += is_picture(&l->item[i]);
    return n;
}

/* Keeps the pictures of a clip's folder, in their order. */
static int keep_pictures(Dataset *d, Listing *l) {
    int64_t kept = 0;
    int code = 0;
    for (int64_t i = 0; i < l->count; i++) {
        if (is_picture(&l->item[i])) {
            l->item[kept++] = l->item[i];
        } else {
            code = code ? code : remarks_pass_over(&d->remarks, d->root, &l->item[i], false);
            mem_free(l->item[i].path);
        }
    }
    l->count = kept;
    return code;
}

/* Whether a folder has at least as many videos as pictures, which then are their covers. */
static bool holds_videos(const Listing *l) {
    int64_t pictures = count_pictures(l), videos = 0;
    for (int64_t i = 0; i < l->count && pictures <= l->count - pictures && videos < pictures; i++)
        videos += !l->item[i].folder && probe_is_video(l->item[i].path);
    return pictures > 0 && videos == pictures;
}

static int read_folder(Dataset *d, Clip *c) {
    Listing l = {0};
    int code = listing_open(&l, c->url, LIST_ALL);
    c->frames = holds_videos(&l) ? 0 : count_pictures(&l);
    if (!code && c->frames) /* else it is passed over as a whole */
        code = keep_pictures(d, &l);
    if (!code && c->frames)
        code = remarks_clip(&d->remarks, c->name, &l);
    listing_free(&l);
    return code;
}

/* Counts a folder's frames by its listing, a file's frames by its container. */
static int read_clip(Dataset *d, Clip *c) {
    if (file_is_folder(c->url))
        return read_folder(d, c);
    Source *s = NULL;
    int code = source_open(&s, c->url);
    if (!code)
        c->frames = source_info(s)->frames;
    source_free(&s);
    return code;
}

static int fill_clip(Dataset *d, Clip *c, const char *url) {
    c->name = clip_name(url);
    c->url = mem_printf("%s", url);
    return c->name && c->url ? read_clip(d, c) : ERR_FAIL;
}

static void free_clip(Clip *c) {
    mem_free(c->name);
    mem_free(c->url);
    *c = (Clip){0};
}

static int name_fully(Clip *c) {
    mem_free(c->name);
    c->name = mem_printf("%s", file_name(c->url));
    return c->name ? 0 : ERR_FAIL;
}

/* Videos of one name get their extensions back. A folder of that name has none to add. */
static int tell_apart(Clip *a, Clip *b, const char *folder) {
    if (file_is_folder(a->url) || file_is_folder(b->url))
        return err_set(ERR_FAIL, "%s: two clips are called %s (%s and %s); rename one", folder,
                       a->name, file_name(a->url), file_name(b->url));
    int code = name_fully(a);
    return code ? code : name_fully(b);
}

static int find_doubles(const Split *s, const char *folder) {
    for (int i = 0; i < s->count; i++)
        for (int k = 0; k < i; k++) {
            int code = strcmp(s->clips[k].name, s->clips[i].name) == 0
                           ? tell_apart(&s->clips[k], &s->clips[i], folder)
                           : 0;
            if (code)
                return code;
        }
    return 0;
}

/* A published data set is whole: what cannot be read of it is an error, not passed over. */
static bool is_clip(const ListingItem *item, bool published) {
    if (item->folder)
        return !remarks_is_truth(item);
    return !is_preview(item->name) &&
           (probe_is_video(item->path) || (published && remarks_claims_video(item->name)));
}

/* Reads the clip folders and videos among `entries`. A folder without pictures is a clip of no
 * frames in a published layout, else it is passed over. */
static int read_split(Dataset *d, Split *out, const Listing *entries, bool published) {
    if (entries->count && !(out->clips = mem_alloc((size_t)entries->count, sizeof *out->clips)))
        return ERR_FAIL;
    int code = 0;
    for (int64_t i = 0; i < entries->count && !code; i++) {
        const ListingItem *item = &entries->item[i];
        Clip *c = &out->clips[out->count];
        bool clip = is_clip(item, published);
        if (clip)
            code = fill_clip(d, c, item->path);
        clip &= code || published || !item->folder || c->frames > 0;
        if (clip)
            out->count++;
        else
            free_clip(c);
        if (!clip && !code)
            code = remarks_pass_over(&d->remarks, d->root, item, !is_preview(item->name));
    }
    return code;
}

static int open_split(Dataset *d, Split *out, const char *folder) {
    Listing entries = {0};
    int code = listing_open(&entries, folder, LIST_ALL);
    if (!code)
        code = read_split(d, out, &entries, true);
    listing_free(&entries);
    return code ? code : find_doubles(out, folder);
}

static int read_single(Dataset *d, Split *out, const char *url, bool live) {
    out->clips = mem_alloc(1, sizeof *out->clips);
    if (!out->clips)
        return ERR_FAIL;
    out->count = 1;
    if (!live)
        return fill_clip(d, out->clips, url);
    *out->clips = (Clip){.name = mem_printf("live"), .url = mem_printf("%s", url), .frames = -1};
    return out->clips->name && out->clips->url ? 0 : ERR_FAIL;
}

static int copy_split(Split *out, const Split *in) {
    out->clips = mem_alloc((size_t)in->count, sizeof *out->clips);
    if (!out->clips)
        return ERR_FAIL;
    for (; out->count < in->count; out->count++) {
        const Clip *from = &in->clips[out->count];
        Clip *to = &out->clips[out->count];
        *to = (Clip){.name = mem_printf("%s", from->name),
                     .url = mem_printf("%s", from->url),
                     .frames = from->frames};
        if (!to->name || !to->url) {
            out->count++;
            return ERR_FAIL;
        }
    }
    return 0;
}

/* A folder below `root` that could be meant: a data set, or one with clips in it. */
static char *find_hint(const char *root) {
    Listing folders = {0}, entries = {0};
    char *hint = NULL;
    if (listing_open(&folders, root, LIST_FOLDERS))
        return NULL;
    for (int64_t i = 0; i < folders.count && !hint; i++) {
        const char *path = folders.item[i].path;
        bool is = match_layout(path) >= 0;
        int code = is ? 0 : listing_open(&entries, path, LIST_FILES);
        for (int64_t k = 0; k < entries.count && !is && !code; k++)
            is = probe_is_video(entries.item[k].path);
        listing_free(&entries);
        hint = is ? mem_printf("%s", path) : NULL;
    }
    listing_free(&folders);
    return hint;
}

static int no_layout(const Dataset *d) {
    char names[1024];
    char *hint = find_hint(d->root);
    int code;
    if (hint)
        code = err_set(ERR_FAIL, "%s is no data set, but %s looks like one; give that folder",
                       d->root, hint);
    else
        code = err_set(ERR_FAIL,
                       "%s holds no footage%s%s; expected training/frames and testing/frames, "
                       "Train and Test, training_videos and testing_videos, folders of pictures, "
                       "or videos",
                       d->root, d->remarks.passed_over_count ? ", but " : "",
                       remarks_passed_over(names, sizeof names, &d->remarks));
    mem_free(hint);
    return code;
}

static int open_layout(Dataset *d, int row) {
    char path[4096];
    d->layout = layouts[row].layout;
    const char *sub[2] = {layouts[row].train, layouts[row].test};
    Split *split[2] = {&d->train, &d->test};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", d->root, sub[i]);
        int code = file_is_folder(path) ? open_split(d, split[i], path) : 0;
        if (code)
            return code;
    }
    if (d->train.count + d->test.count == 0)
        return err_set(ERR_FAIL, "%s: %s and %s hold no clips", d->root, sub[0], sub[1]);
    return 0;
}

void split_free(Split *s) {
    for (int i = 0; i < s->count; i++)
        free_clip(&s->clips[i]);
    mem_free(s->clips);
    *s = (Split){0};
}

/* The clips of a folder without a split; none where it is itself a clip. */
static int open_clips(Dataset *d, int64_t *pictures) {
    Listing entries = {0};
    int code = listing_open(&entries, d->root, LIST_ALL);
    *pictures = count_pictures(&entries);
    if (!code && *pictures <= entries.count - *pictures)
        code = read_split(d, &d->train, &entries, false);
    listing_free(&entries);
    if (!code && *pictures > d->train.count) {
        split_free(&d->train);
        remarks_free(&d->remarks);
    }
    return code ? code : find_doubles(&d->train, d->root);
}

static int open_plain(Dataset *d, const char *url, bool live) {
    bool folder = !live && file_is_folder(d->root);
    int64_t pictures = 0;
    int code = folder ? open_clips(d, &pictures) : 0;
    bool single = !folder || (d->train.count == 0 && pictures > 0);
    d->layout = single ? LAYOUT_SINGLE : LAYOUT_CLIPS;
    if (!code && single)
        code = read_single(d, &d->train, live ? url : d->root, live);
    if (!code && d->train.count == 0)
        code = no_layout(d);
    return code ? code : copy_split(&d->test, &d->train);
}

static int open_any(Dataset *d, const char *url, UrlKind kind) {
    bool live = kind == URL_STREAM || kind == URL_CAMERA;
    if (!live && !file_exists(d->root))
        return err_sys(ERR_FAIL, "cannot open %s", d->root);
    int row = live ? -1 : match_layout(d->root);
    return row >= 0 ? open_layout(d, row) : open_plain(d, url, live);
}

int dataset_open(Dataset **out, const char *path) {
    Dataset *d = mem_alloc(1, sizeof *d);
    if (!d)
        return ERR_FAIL;
    UrlKind kind = url_kind(path);
    d->root = kind == URL_PATH ? url_path(path) : url_shown(path);
    for (size_t n = d->root ? strlen(d->root) : 0; n > 1 && d->root[n - 1] == '/';)
        d->root[--n] = 0;
    int code = d->root ? open_any(d, path, kind) : ERR_FAIL;
    if (code)
        dataset_free(&d);
    else
        *out = d;
    return code;
}

void dataset_free(Dataset **d) {
    if (!*d)
        return;
    split_free(&(*d)->train);
    split_free(&(*d)->test);
    remarks_free(&(*d)->remarks);
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
