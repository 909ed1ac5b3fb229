#include "video/listing.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

static const char *const image_extensions[] = {"jpg", "jpeg", "png", "bmp", "tif", "tiff", NULL};
static const char *const video_extensions[] = {"avi",  "mp4", "mkv", "mov", "webm", "mpg",
                                               "mpeg", "m4v", "ts",  "wmv", "flv",  NULL};

static bool has_any(const char *path, const char *const *extensions) {
    for (; *extensions; extensions++)
        if (file_has_extension(path, *extensions))
            return true;
    return false;
}

bool listing_is_image(const char *path) {
    return has_any(path, image_extensions);
}

bool listing_is_video(const char *path) {
    return has_any(path, video_extensions);
}

int listing_compare(const char *a, const char *b) {
    const char *p = a, *q = b;
    while (*p && *q) {
        if (isdigit((unsigned char)*p) && isdigit((unsigned char)*q)) {
            p += strspn(p, "0");
            q += strspn(q, "0");
            size_t m = strspn(p, "0123456789"), n = strspn(q, "0123456789");
            int c = m != n ? (m < n ? -1 : 1) : strncmp(p, q, m);
            if (c)
                return c;
            p += m;
            q += n;
        } else if (*p != *q) {
            break;
        } else {
            p++;
            q++;
        }
    }
    int c = (unsigned char)*p - (unsigned char)*q;
    return c ? c : strcmp(a, b); /* 1 and 01 are equal by value and still need a fixed order */
}

static int64_t number_of(const char *path) {
    const char *name = file_name(path), *dot = strrchr(name, '.');
    const char *end = dot ? dot : name + strlen(name);
    while (end > name && !isdigit((unsigned char)end[-1]))
        end--;
    const char *start = end;
    while (start > name && isdigit((unsigned char)start[-1]))
        start--;
    return start == end ? -1 : strtoll(start, NULL, 10);
}

static int by_name(const void *a, const void *b) {
    const ListingItem *p = a, *q = b;
    return listing_compare(p->path, q->path);
}

static int by_number(const void *a, const void *b) {
    const ListingItem *p = a, *q = b;
    return p->number != q->number ? (p->number < q->number ? -1 : 1) : by_name(a, b);
}

static bool is_kind(const char *path, ListKind kind) {
    bool folder = file_is_folder(path);
    switch (kind) {
    case LIST_IMAGES:
        return listing_is_image(path) && !folder;
    case LIST_VIDEOS:
        return listing_is_video(path) && !folder;
    case LIST_FOLDERS:
        return folder;
    default:
        return !folder;
    }
}

static int add(Listing *l, int64_t *capacity, char *path) {
    ListingItem *item = mem_room(l->item, l->count, capacity, sizeof *item);
    if (!item)
        return ERR_FAIL;
    l->item = item;
    l->item[l->count++] = (ListingItem){path, number_of(path)};
    return 0;
}

int listing_open(Listing *out, const char *folder, ListKind kind) {
    DIR *dir = opendir(folder);
    if (!dir)
        return err_sys(ERR_FAIL, "cannot read the folder %s", folder);
    Listing l = {0};
    int64_t capacity = 0;
    int code = 0;
    size_t n = strlen(folder);
    const char *slash = n && folder[n - 1] == '/' ? "" : "/";
    for (struct dirent *e; !code && (e = readdir(dir));) {
        if (e->d_name[0] == '.' ||
            (kind == LIST_IMAGES && !listing_is_image(e->d_name))) /* saves a stat */
            continue;
        char *path = mem_printf("%s%s%s", folder, slash, e->d_name);
        bool wanted = path && is_kind(path, kind);
        if (!path || (wanted && add(&l, &capacity, path)))
            code = ERR_FAIL;
        if (code || !wanted)
            mem_free(path);
    }
    closedir(dir);
    if (code) {
        listing_free(&l);
        return code;
    }
    if (l.count)
        qsort(l.item, (size_t)l.count, sizeof *l.item, kind == LIST_IMAGES ? by_number : by_name);
    *out = l;
    return 0;
}

void listing_free(Listing *l) {
    for (int64_t i = 0; i < l->count; i++)
        mem_free(l->item[i].path);
    mem_free(l->item);
    *l = (Listing){0};
}
