#include "video/listing.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

static const char *const image_extensions[] = {"jpg", "jpeg", "png", "bmp", "tif", "tiff", NULL};

static const char *const silent_names[] = {"@eaDir",
                                           "@tmp",
                                           "@Recycle",
                                           "@Recently-Snapshot",
                                           "#recycle",
                                           "#snapshot",
                                           "~snapshot",
                                           "__MACOSX",
                                           "lost+found",
                                           "$RECYCLE.BIN",
                                           "RECYCLER",
                                           "Thumbs.db",
                                           "ehthumbs.db",
                                           "Icon\r",
                                           "RECYCLED",
                                           "desktop.ini",
                                           "_gsdata_",
                                           "IndexerVolumeGuid",
                                           "WPSettings.dat",
                                           "System Volume Information",
                                           "Network Trash Folder",
                                           "Temporary Items",
                                           NULL};

bool listing_is_image(const char *path) {
    for (const char *const *e = image_extensions; *e; e++)
        if (file_has_extension(path, *e))
            return true;
    return false;
}

static bool is_silent(const char *name) {
    if (name[0] == '.')
        return true;
    for (const char *const *s = silent_names; *s; s++)
        if (strcasecmp(name, *s) == 0)
            return true;
    return false;
}

/* ---- the order ---- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The length of a name without its extensions, each a dot, a letter or '~', and more of them or
 * digits: "a.tar.gz" has two, "1709633758.500000" has none. */
static size_t stem_length(const char *name) {
    size_t end = strlen(name);
    for (size_t i = end; i-- > 1;) {
        char c = name[i];
        if (c == '.' && i + 1 < end && !is_digit(name[i + 1]))
            end = i;
        else if (!is_digit(c) && !is_letter(c) && c != '~')
            break;
    }
    return end;
}

/* Where a character stands between numbers: '~', the end, a number, letters, all others. */
static int rank_of(const char *name, size_t at, size_t end) {
    unsigned char c = (unsigned char)name[at];
    return at == end             ? -1
           : c == '~'            ? -2
           : is_digit(name[at])  ? 0
           : is_letter(name[at]) ? c
                                 : c + 256;
}

static size_t digits(const char *p, size_t most) {
    size_t n = 0;
    while (n < most && is_digit(p[n]))
        n++;
    return n;
}

static size_t zeros(const char *p, size_t most) {
    size_t n = 0;
    while (n < most && p[n] == '0')
        n++;
    return n;
}

/* Compares the first m characters of a with the first n of b: text and numbers in turn. */
static int compare_parts(const char *a, size_t m, const char *b, size_t n) {
    size_t i = 0, k = 0;
    while (i < m || k < n) {
        for (; (i < m && !is_digit(a[i])) || (k < n && !is_digit(b[k])); i++, k++) {
            int c = rank_of(a, i, m) - rank_of(b, k, n);
            if (c)
                return c;
        }
        i += zeros(a + i, m - i);
        k += zeros(b + k, n - k);
        size_t p = digits(a + i, m - i), q = digits(b + k, n - k);
        int c = p != q ? (p < q ? -1 : 1) : memcmp(a + i, b + k, p);
        if (c)
            return c;
        i += p;
        k += q;
    }
    return 0;
}

static int compare_stems(const char *a, const char *b) {
    return compare_parts(a, stem_length(a), b, stem_length(b));
}

int listing_compare(const char *a, const char *b) {
    int c = compare_stems(a, b);
    if (!c)
        c = compare_parts(a, strlen(a), b, strlen(b));
    return c ? c : strcmp(a, b);
}

bool listing_same_stem(const char *a, const char *b) {
    return compare_stems(a, b) == 0;
}

static int by_name(const void *a, const void *b) {
    const ListingItem *p = a, *q = b;
    return listing_compare(p->name, q->name);
}

/* ---- reading a folder ---- */

static bool is_kind(const ListingItem *item, ListKind kind) {
    switch (kind) {
    case LIST_IMAGES:
        return listing_is_image(item->name) && !item->folder;
    case LIST_FOLDERS:
        return item->folder;
    case LIST_FILES:
        return !item->folder;
    default:
        return true;
    }
}

static int add(Listing *l, int64_t *capacity, const char *folder, const char *name, ListKind kind) {
    size_t n = strlen(folder);
    char *path = mem_printf("%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
    if (!path)
        return ERR_FAIL;
    ListingItem item = {path, path + strlen(path) - strlen(name), file_is_folder(path)};
    ListingItem *list = l->item;
    bool wanted = is_kind(&item, kind);
    if (wanted && !(list = mem_room(l->item, l->count, capacity, sizeof *list))) {
        mem_free(path);
        return ERR_FAIL;
    }
    l->item = list;
    if (wanted)
        l->item[l->count++] = item;
    else
        mem_free(path);
    return 0;
}

int listing_open(Listing *out, const char *folder, ListKind kind) {
    DIR *dir = opendir(folder);
    if (!dir)
        return err_sys(ERR_FAIL, "cannot read the folder %s", folder);
    Listing l = {0};
    int64_t capacity = 0;
    int code = 0;
    for (struct dirent *e; !code && (e = readdir(dir));)
        if (!is_silent(e->d_name) &&
            (kind != LIST_IMAGES || listing_is_image(e->d_name))) /* saves a stat */
            code = add(&l, &capacity, folder, e->d_name, kind);
    closedir(dir);
    if (code) {
        listing_free(&l);
        return code;
    }
    if (l.count)
        qsort(l.item, (size_t)l.count, sizeof *l.item, by_name);
    *out = l;
    return 0;
}

void listing_free(Listing *l) {
    for (int64_t i = 0; i < l->count; i++)
        mem_free(l->item[i].path);
    mem_free(l->item);
    *l = (Listing){0};
}
