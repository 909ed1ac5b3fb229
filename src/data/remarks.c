#include "data/remarks.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "video/numbering.h"

static bool ends_in(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcasecmp(text + n - m, end) == 0;
}

bool remarks_is_truth(const ListingItem *item) {
    static const char *const folders[] = {
        "masks", "tracks", "test_frame_mask", "test_pixel_mask", "ground_truth_demo", NULL};
    const char *name = item->name;
    for (int i = 0; item->folder && folders[i]; i++)
        if (strcmp(name, folders[i]) == 0)
            return true;
    if (item->folder)
        return ends_in(name, "_gt");
    bool named = strcasestr(name, "label") && (ends_in(name, ".npy") || ends_in(name, ".txt"));
    return named || ends_in(name, ".mat") || ends_in(name, ".m") || ends_in(name, ".json");
}

bool remarks_claims_video(const char *name) {
    static const char *const extensions[] = {"avi", "mp4", "mkv", "mov", "webm", "mpg", "mpeg",
                                             "m4v", "ts",  "mts", "wmv", "flv",  "3gp", NULL};
    for (int i = 0; extensions[i]; i++)
        if (file_has_extension(name, extensions[i]))
            return true;
    return false;
}

static const char *below_root(const char *root, const char *path) {
    size_t n = strlen(root);
    return strncmp(path, root, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

int remarks_pass_over(Remarks *r, const char *root, const ListingItem *item, bool probed) {
    if (remarks_is_truth(item))
        return 0;
    const char *name = below_root(root, item->path);
    bool broken = probed && !item->folder && remarks_claims_video(name);
    if (r->passed_over_count < REMARK_NAMES &&
        !(r->passed_over[r->passed_over_count] = mem_printf("%s", name)))
        return ERR_FAIL;
    if (broken && !r->broken && !(r->broken = mem_printf("%s", name)))
        return ERR_FAIL;
    r->passed_over_count++;
    r->broken_count += broken;
    return 0;
}

void remarks_free(Remarks *r) {
    for (int i = 0; i < REMARK_NAMES; i++)
        mem_free(r->passed_over[i]);
    mem_free(r->broken);
    mem_free(r->stray);
    *r = (Remarks){0};
}

char *remarks_passed_over(char *buf, size_t n, const Remarks *r) {
    size_t used = 0;
    *buf = 0;
    for (int i = 0; i < REMARK_NAMES && r->passed_over[i] && used < n; i++)
        used += (size_t)snprintf(buf + used, n - used, "%s%s", i ? ", " : "", r->passed_over[i]);
    if (r->passed_over_count > REMARK_NAMES && used < n)
        snprintf(buf + used, n - used, " and %lld more",
                 (long long)r->passed_over_count - REMARK_NAMES);
    return buf;
}

int remarks_clip(Remarks *r, const char *clip, const Listing *pictures) {
    char text[1024];
    Places strays = numbering_strays(pictures);
    if (strays.count == 0 || r->stray_clips++ > 0)
        return 0;
    r->stray =
        mem_printf("%s: %s", clip, numbering_stray_text(text, sizeof text, pictures, strays));
    return r->stray ? 0 : ERR_FAIL;
}
