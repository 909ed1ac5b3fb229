#include "data/labels.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/npy.h"
#include "data/labels_mat.h"
#include "data/masks.h"
#include "data/ranges.h"
#include "video/listing.h"

enum { MAX_TEXT = 16 << 20, MAX_FOUND = 64 };

static const char *const frame_mask_folders[] = {"testing/test_frame_mask", "test_frame_mask",
                                                 NULL};

/* ---- building ---- */

static int allocate(Labels *l, const Split *test, const char *path) {
    l->path = mem_printf("%s", path);
    l->frame = mem_alloc((size_t)test->count, sizeof *l->frame);
    l->length = mem_alloc((size_t)test->count, sizeof *l->length);
    l->clips = l->frame && l->length ? test->count : 0;
    if (!l->path || !l->clips)
        return ERR_FAIL;
    for (int i = 0; i < l->clips; i++) {
        int code = clip_count(&test->clips[i], &l->length[i]);
        if (code)
            return code;
        if (!(l->frame[i] = mem_alloc((size_t)l->length[i], 1)))
            return ERR_FAIL;
        l->frames += l->length[i];
    }
    return 0;
}

/* One frame too many is what a file that counts from 1 looks like. */
static int too_long(const Labels *l, const Ranges *r, const Range *at, const char *clip) {
    bool off_by_one =
        file_has_extension(l->path, "txt") && r->from == 0 && at->last == l->length[at->clip];
    return err_set(ERR_FAIL,
                   "%s: a range of clip %s ends at frame %lld (from %d), but the clip has %lld "
                   "frames%s",
                   l->path, clip, (long long)at->last + r->from, r->from,
                   (long long)l->length[at->clip],
                   off_by_one ? "; if these count from 1, begin the file with the line "
                                "\"# first frame: 1\""
                              : "");
}

static int from_ranges(Labels *l, const Ranges *r, const Split *test) {
    l->from = r->from;
    if (r->clips != l->clips)
        return err_set(ERR_FAIL, "%s: labels of %lld clips, but there are %d test clips", l->path,
                       (long long)r->clips, l->clips);
    for (int64_t i = 0; i < r->count; i++) {
        Range at = r->item[i];
        if (at.last >= l->length[at.clip])
            return too_long(l, r, &at, test->clips[at.clip].name);
        memset(l->frame[at.clip] + at.first, 1, (size_t)(at.last - at.first + 1));
    }
    return 0;
}

static void finish(Labels *l) {
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (int i = 0; i < l->clips; i++) {
        for (int k = 0; k < 64; k += 8)
            h = (h ^ ((uint64_t)l->length[i] >> k & 0xff)) * 0x100000001b3u;
        for (int64_t t = 0; t < l->length[i]; t++) {
            h = (h ^ l->frame[i][t]) * 0x100000001b3u;
            l->abnormal += l->frame[i][t];
        }
    }
    snprintf(l->hash, sizeof l->hash, "%016llx", (unsigned long long)h);
}

/* ---- readers, one a form ---- */

/* Takes the label at `i` of an array whose number of any type is v. */
static int take_label(uint8_t *out, double v, int64_t i, const char *path) {
    if (v != 0 && v != 1)
        return err_set(ERR_FAIL, "%s: element %lld (from 0) is %.9g; labels are 0 and 1", path,
                       (long long)i, v);
    *out = v == 1;
    return 0;
}

static int take_labels(uint8_t *out, const Npy *a, int64_t from, int64_t n, const char *path) {
    int code = 0;
    for (int64_t t = 0; t < n && !code; t++)
        code = take_label(&out[t], npy_real(a, from + t), from + t, path);
    return code;
}

static int check_count(const Labels *l, int64_t count) {
    if (count == l->frames)
        return 0;
    return err_set(ERR_FAIL, "%s: %lld labels, but the %d test clips have %lld frames in all",
                   l->path, (long long)count, l->clips, (long long)l->frames);
}

/* Reads one array that holds the labels of all clips, in the order of the clips. */
static int read_npy(Labels *l) {
    Npy a;
    int code = npy_read(&a, l->path);
    if (code)
        return code;
    code = check_count(l, a.count);
    int64_t from = 0;
    for (int i = 0; i < l->clips && !code; from += l->length[i++])
        code = take_labels(l->frame[i], &a, from, l->length[i], l->path);
    npy_free(&a);
    return code;
}

static int take_mat(Labels *l, const double *value, int64_t count) {
    int code = check_count(l, count);
    for (int64_t i = 0, k = 0; i < l->clips && !code; i++)
        for (int64_t t = 0; t < l->length[i] && !code; t++, k++)
            code = take_label(&l->frame[i][t], value[k], k, l->path);
    return code;
}

static int read_mat(Labels *l, const Split *test) {
    Ranges r = {0};
    double *value = NULL;
    int64_t count = 0;
    int code = labels_read_mat(&r, &value, &count, l->path);
    if (!code)
        code = value ? take_mat(l, value, count) : from_ranges(l, &r, test);
    mem_free(value);
    ranges_free(&r);
    return code;
}

static int length_error(const char *path, const Clip *c, int64_t have, int64_t want) {
    return err_set(ERR_FAIL, "%s: %lld labels, but clip %s has %lld frames", path, (long long)have,
                   c->name, (long long)want);
}

static int read_clip_npy(Labels *l, int i, const Clip *c, const Npy *a, const char *path) {
    return a->count == l->length[i] ? take_labels(l->frame[i], a, 0, a->count, path)
                                    : length_error(path, c, a->count, l->length[i]);
}

static int read_clip_masks(Labels *l, int i, const Clip *c, const char *path) {
    Masks *m = NULL;
    int code = masks_open_path(&m, path);
    if (!code && masks_frames(m) != l->length[i])
        code = length_error(path, c, masks_frames(m), l->length[i]);
    for (int64_t t = 0; t < l->length[i] && !code; t++) {
        const uint8_t *mask;
        int w, h;
        code = masks_read(m, t, &mask, &w, &h);
        if (!code)
            l->frame[i][t] = memchr(mask, 1, (size_t)w * (size_t)h) != NULL;
    }
    masks_free(&m);
    return code;
}

/* Reads a folder with one entry per clip: labels or masks. */
static int read_folder(Labels *l, const Split *test) {
    for (int i = 0; i < l->clips; i++) {
        const Clip *c = &test->clips[i];
        char *path = masks_find(l->path, c);
        if (!path)
            return err_set(ERR_FAIL,
                           "%s: nothing in it belongs to clip %s; expected %s, %s_gt, %s.npy or "
                           "N_label.mat",
                           l->path, c->name, c->name, c->name, c->name);
        Npy a = {0};
        bool npy = file_has_extension(path, "npy");
        int code = npy ? npy_read(&a, path) : 0;
        if (!code)
            code = npy && a.rank < 3 ? read_clip_npy(l, i, c, &a, path)
                                     : read_clip_masks(l, i, c, path);
        npy_free(&a);
        mem_free(path);
        if (code)
            return code;
    }
    return 0;
}

static int read_ranges(Labels *l, const Split *test) {
    const char *path = l->path;
    Ranges r = {0};
    char *text = NULL;
    size_t n = 0;
    int code = file_read_text(path, MAX_TEXT, &text, &n);
    if (!code && file_has_extension(path, "m"))
        code = ranges_parse_ucsd(&r, path, text, (int64_t)n);
    else if (!code && file_has_extension(path, "json"))
        code = ranges_parse_json(&r, path, text, (int64_t)n, test);
    else if (!code)
        code = ranges_parse_text(&r, path, text, (int64_t)n, test);
    if (!code)
        code = from_ranges(l, &r, test);
    mem_free(text);
    ranges_free(&r);
    return code;
}

static int read_any(Labels *l, const Dataset *d, const char *path) {
    static const char *const known[] = {"npy", "mat", "m", "json", "txt", NULL};
    bool folder = file_is_folder(path), ok = folder;
    if (!file_exists(path))
        return err_sys(ERR_FAIL, "cannot open the labels %s", path);
    for (int i = 0; known[i]; i++)
        ok |= file_has_extension(path, known[i]);
    if (!ok)
        return err_set(ERR_FAIL, "%s: labels are a .npy, .mat, .m, .json or .txt file, or a folder",
                       path);
    const char *name = file_name(path);
    bool pictures = folder && (strcmp(name, "masks") == 0 || strcmp(name, "Test") == 0);
    l->from = -1;
    l->variant = mem_printf("%s", pictures ? "masks" : name);
    int code = l->variant ? allocate(l, &d->test, path) : ERR_FAIL;
    if (!code)
        code = folder                            ? read_folder(l, &d->test)
               : file_has_extension(path, "npy") ? read_npy(l)
               : file_has_extension(path, "mat") ? read_mat(l, &d->test)
                                                 : read_ranges(l, &d->test);
    if (!code)
        finish(l);
    return code;
}

/* ---- finding ---- */

typedef struct {
    char *path[MAX_FOUND];
    int count;
} Found;

static void add_found(Found *f, const char *path) {
    char *copy = f->count < MAX_FOUND ? mem_printf("%s", path) : NULL;
    if (copy)
        f->path[f->count++] = copy;
}

static bool is_label_json(const char *path) {
    char *text;
    size_t n;
    if (file_read_text(path, MAX_TEXT, &text, &n))
        return false;
    bool is = ranges_is_json(text, (int64_t)n);
    mem_free(text);
    return is;
}

/* Whether a file looks like labels. Other arrays, texts and JSON files may lie beside the data. */
static bool is_labels(const char *path, const char *extension) {
    const char *name = file_name(path);
    if (!file_has_extension(path, extension))
        return false;
    if (strcmp(extension, "npy") == 0)
        return strcasestr(name, "label") != NULL;
    if (strcmp(extension, "txt") == 0)
        return strcmp(name, "labels.txt") == 0;
    return strcmp(extension, "json") != 0 || is_label_json(path);
}

static void find_files(Found *f, const char *root, const char *extension) {
    static const char *const folders[] = {"", "/testing", "/Test", NULL};
    for (int i = 0; folders[i]; i++) {
        char folder[4096];
        Listing files;
        snprintf(folder, sizeof folder, "%s%s", root, folders[i]);
        if (!file_is_folder(folder) || listing_open(&files, folder, LIST_FILES))
            continue;
        for (int64_t k = 0; k < files.count; k++)
            if (is_labels(files.item[k].path, extension))
                add_found(f, files.item[k].path);
        listing_free(&files);
    }
}

static void find_folders(Found *f, const Dataset *d, const char *const *folders) {
    for (; *folders; folders++) {
        char folder[4096];
        snprintf(folder, sizeof folder, "%s/%s", d->root, *folders);
        for (int i = 0; i < d->test.count; i++) {
            char *path = masks_find(folder, &d->test.clips[i]);
            if (path) {
                mem_free(path);
                add_found(f, folder);
                break;
            }
        }
    }
}

static void find_all(Found *f, const Dataset *d) {
    *f = (Found){0};
    find_files(f, d->root, "npy");
    find_files(f, d->root, "mat");
    find_folders(f, d, frame_mask_folders);
    find_files(f, d->root, "m");
    find_files(f, d->root, "txt");
    find_files(f, d->root, "json");
    find_folders(f, d, mask_folders);
}

static void free_found(Found *f) {
    for (int i = 0; i < f->count; i++)
        mem_free(f->path[i]);
}

static int read_path(Labels **out, const Dataset *d, const char *path) {
    Labels *l = mem_alloc(1, sizeof *l);
    if (!l)
        return ERR_FAIL;
    int code = read_any(l, d, path);
    if (code)
        labels_free(&l);
    else
        *out = l;
    return code;
}

int labels_open(Labels **out, const Dataset *d, const char *path) {
    if (d->test.count == 0)
        return err_set(ERR_FAIL, "%s has no test clips to label", d->root);
    if (path)
        return read_path(out, d, path);
    Found found;
    find_all(&found, d);
    int code = found.count ? read_path(out, d, found.path[0])
                           : err_set(ERR_FAIL,
                                     "no ground truth lies beside %s; expected a .npy file with "
                                     "\"label\" in its name, a .mat, .m, .json or labels.txt file, "
                                     "or a folder of masks, or give --labels",
                                     d->root);
    free_found(&found);
    return code;
}

int labels_each(const Dataset *d,
                void (*f)(void *ctx, const char *path, const Labels *l, const char *error),
                void *ctx) {
    Found found;
    find_all(&found, d);
    for (int i = 0; i < found.count; i++) {
        Labels *l = NULL;
        int code = read_path(&l, d, found.path[i]);
        f(ctx, found.path[i], l, code ? err_text() : NULL);
        labels_free(&l);
    }
    free_found(&found);
    return found.count;
}

void labels_free(Labels **out) {
    Labels *l = *out;
    if (!l)
        return;
    for (int i = 0; i < l->clips; i++)
        mem_free(l->frame[i]);
    mem_free(l->frame);
    mem_free(l->length);
    mem_free(l->variant);
    mem_free(l->path);
    mem_free(l);
    *out = NULL;
}
