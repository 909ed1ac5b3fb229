#include "data/tracks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/words.h"

enum { MAX_TEXT = 16 << 20, MAX_PIXEL = 1 << 20, COLUMNS = 6 };

int tracks_add(Tracks *t, TrackBox box) {
    TrackBox *item = mem_room(t->item, t->count, &t->capacity, sizeof *item);
    if (!item)
        return ERR_FAIL;
    t->item = item;
    t->item[t->count++] = box;
    return 0;
}

void tracks_free(Tracks *t) {
    mem_free(t->item);
    *t = (Tracks){0};
}

char *tracks_find(const Dataset *d) {
    static const char *const folders[] = {"tracks", "testing/tracks", NULL};
    for (int i = 0; folders[i]; i++) {
        char *path = mem_printf("%s/%s", d->root, folders[i]);
        if (path && file_is_folder(path))
            return path;
        mem_free(path);
    }
    return NULL;
}

/* Parses a line of exactly COLUMNS whole numbers between commas. */
static bool take_row(const char *p, const char *end, long row[COLUMNS]) {
    for (int i = 0; i < COLUMNS; i++) {
        char *after;
        p += strspn(p, " \t");
        if (p >= end)
            return false;
        row[i] = strtol(p, &after, 10);
        if (after == p || after > end)
            return false;
        p = after + strspn(after, " \t\r");
        if (i + 1 < COLUMNS && *p++ != ',')
            return false;
    }
    return p == end;
}

static int check_row(const long row[COLUMNS], long previous, int64_t frames) {
    if (row[0] < 0 || row[0] < previous)
        return err_set(ERR_FAIL, "track %ld follows track %ld; they ascend from 0", row[0],
                       previous);
    if (row[1] < 0 || row[1] >= frames)
        return err_set(ERR_FAIL, "frame %ld (from 0), but the clip has %lld frames", row[1],
                       (long long)frames);
    for (int i = 2; i < COLUMNS; i++)
        if (row[i] < -MAX_PIXEL || row[i] > MAX_PIXEL)
            return err_set(ERR_FAIL, "corner %ld is out of range", row[i]);
    if (row[4] < row[2] || row[5] < row[3])
        return err_set(ERR_FAIL, "box %ld,%ld,%ld,%ld is empty; expected x1,y1,x2,y2", row[2],
                       row[3], row[4], row[5]);
    return 0;
}

int tracks_parse(Tracks *out, const char *name, const char *text, int clip, int64_t frames) {
    long previous = -1;
    Words w = words_of(text);
    for (int line = 1; words_next_part(&w, '\n'); line++) {
        const char *end = w.text + w.length;
        long row[COLUMNS];
        bool blank = w.text + strspn(w.text, " \t\r") == end;
        int code = blank ? 0
                   : take_row(w.text, end, row)
                       ? check_row(row, previous, frames)
                       : err_set(ERR_FAIL, "expected track,frame,x1,y1,x2,y2 in whole numbers");
        if (code)
            return err_context(code, "%s: line %d", name, line);
        if (!blank) {
            Box box = {(int32_t)row[2], (int32_t)row[3], (int32_t)row[4], (int32_t)row[5]};
            out->tracks += row[0] > previous;
            previous = row[0];
            if (tracks_add(out, (TrackBox){clip, row[1], out->tracks - 1, box}))
                return ERR_FAIL;
        }
    }
    return 0;
}

static char *find_file(const char *folder, const Clip *c) {
    static const char *const endings[] = {".txt", "_gt.txt", NULL};
    for (int i = 0; endings[i]; i++) {
        char *path = mem_printf("%s/%s%s", folder, c->name, endings[i]);
        if (!path || file_exists(path))
            return path;
        mem_free(path);
    }
    err_set(ERR_FAIL,
            "%s: there is no %s.txt in it; every test clip needs one, empty where nothing happens",
            folder, c->name);
    return NULL;
}

static int read_clip(Tracks *out, const char *folder, const Clip *c, int clip) {
    char *path = find_file(folder, c), *text = NULL;
    size_t bytes;
    int64_t frames;
    int code = path ? file_read_text(path, MAX_TEXT, &text, &bytes) : ERR_FAIL;
    if (!code)
        code = clip_count(c, &frames);
    if (!code)
        code = tracks_parse(out, path, text, clip, frames);
    mem_free(text);
    mem_free(path);
    return code;
}

int tracks_read(Tracks *out, const Dataset *d, const char *folder) {
    if (!file_is_folder(folder))
        return err_set(ERR_FAIL,
                       "%s: expected a folder of track files, CLIP.txt for each test clip", folder);
    int code = 0;
    for (int i = 0; i < d->test.count && !code; i++)
        code = read_clip(out, folder, &d->test.clips[i], i);
    return code;
}
