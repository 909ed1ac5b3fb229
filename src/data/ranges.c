#include "data/ranges.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

int ranges_add(Ranges *r, int64_t clip, int64_t first, int64_t last) {
    if (first < 0)
        return err_set(ERR_FAIL, "clip %lld: there is no frame %lld; frames count from %d here",
                       (long long)clip + 1, (long long)first + r->from, r->from);
    if (last < first)
        return err_set(ERR_FAIL, "clip %lld: the range from frame %lld to %lld is empty",
                       (long long)clip + 1, (long long)first + r->from, (long long)last + r->from);
    Range *item = mem_room(r->item, r->count, &r->capacity, sizeof *item);
    if (!item)
        return ERR_FAIL;
    r->item = item;
    r->item[r->count++] = (Range){clip, first, last};
    return 0;
}

void ranges_free(Ranges *r) {
    mem_free(r->item);
    *r = (Ranges){0};
}

/* ---- lines ---- */

typedef struct {
    const char *p, *end; /* the rest of the text, or of the line while one is read */
    int number;
} Lines;

static bool next_line(Lines *text, Lines *line) {
    if (text->p == text->end)
        return false;
    const char *eol = memchr(text->p, '\n', (size_t)(text->end - text->p));
    *line = (Lines){text->p, eol ? eol : text->end, ++text->number};
    text->p = eol ? eol + 1 : text->end;
    return true;
}

static void skip_space(Lines *l) {
    while (l->p < l->end && isspace((unsigned char)*l->p))
        l->p++;
}

static bool take(Lines *l, char c) {
    skip_space(l);
    bool there = l->p < l->end && *l->p == c;
    l->p += there;
    return there;
}

static bool take_number(Lines *l, int64_t *out) {
    skip_space(l);
    const char *start = l->p;
    int64_t v = 0;
    for (; l->p < l->end && isdigit((unsigned char)*l->p); l->p++) {
        v = v * 10 + (*l->p - '0');
        if (v > INT32_MAX) /* no clip is that long */
            return false;
    }
    *out = v;
    return l->p > start;
}

/* ---- UCSD ---- */

/* "[61:180, 200]": ranges and single frames, between commas or spaces. */
static int take_list(Ranges *r, Lines *l) {
    if (!take(l, '['))
        return err_set(ERR_FAIL, "expected [start:end]");
    while (!take(l, ']')) {
        int64_t first, last;
        if (!take_number(l, &first))
            return err_set(ERR_FAIL, "expected a frame number or ]");
        last = first;
        if (take(l, ':') && !take_number(l, &last))
            return err_set(ERR_FAIL, "expected the range's end after :");
        int code = ranges_add(r, r->clips, first - 1, last - 1);
        if (code)
            return code;
        take(l, ',');
    }
    r->clips++;
    return 0;
}

int ranges_parse_ucsd(Ranges *out, const char *name, const char *text, int64_t n) {
    Lines all = {text, text + n, 0}, line;
    out->from = 1;
    while (next_line(&all, &line)) {
        const char *comment = memchr(line.p, '%', (size_t)(line.end - line.p));
        if (comment)
            line.end = comment;
        const char *key = memmem(line.p, (size_t)(line.end - line.p), "gt_frame", 8);
        if (!key)
            continue;
        line.p = key + 8;
        int code = take(&line, '=') ? take_list(out, &line) : err_set(ERR_FAIL, "expected =");
        if (code)
            return err_context(code, "%s: line %d", name, line.number);
    }
    if (out->clips == 0)
        return err_set(ERR_FAIL, "%s: no line assigns gt_frame = [start:end]", name);
    return 0;
}

/* ---- plain text ---- */

static bool is_text(const char *p, size_t n, const char *text) {
    return strlen(text) == n && memcmp(p, text, n) == 0;
}

/* By the clip's name, or by its file's name. */
static int find_clip(const Split *test, const char *name, size_t n) {
    for (int i = 0; i < test->count; i++) {
        const Clip *c = &test->clips[i];
        if (is_text(name, n, c->name) || (c->url && is_text(name, n, file_name(c->url))))
            return i;
    }
    return -1;
}

static void trim(Lines *l) {
    skip_space(l);
    while (l->end > l->p && isspace((unsigned char)l->end[-1]))
        l->end--;
}

/* Takes the last word off the line, a whole number such as 10 or 10.0, and the blanks around. */
static bool take_last(Lines *l, int64_t *out) {
    trim(l);
    Lines word = {l->end, l->end, 0};
    while (word.p > l->p && !isspace((unsigned char)word.p[-1]))
        word.p--;
    l->end = word.p;
    trim(l);
    if (word.p == word.end || !isdigit((unsigned char)*word.p) || !take_number(&word, out))
        return false;
    if (word.p < word.end && *word.p == '.')
        for (word.p++; word.p < word.end && *word.p == '0';)
            word.p++;
    return word.p == word.end;
}

static void drop_quotes(Lines *l) {
    if (l->end - l->p >= 2 && (*l->p == '"' || *l->p == '\'') && l->end[-1] == *l->p) {
        l->p++;
        l->end--;
    }
}

/* A row, or the reason why the line is none. */
static int take_row(Range *row, Lines l, const Split *test) {
    bool numbers = take_last(&l, &row->last) && take_last(&l, &row->first) && l.p < l.end;
    drop_quotes(&l);
    if (!numbers)
        return err_set(ERR_FAIL, "expected: clip start end, such as: %s 10 20",
                       test->count ? test->clips[0].name : "01");
    row->clip = find_clip(test, l.p, (size_t)(l.end - l.p));
    if (row->clip >= 0)
        return 0;
    return err_set(ERR_FAIL, "no test clip is called %.*s; the first of %d is called %s",
                   l.end - l.p > 80 ? 80 : (int)(l.end - l.p), l.p, test->count,
                   test->count ? test->clips[0].name : "");
}

/* Comments may follow a row, and names may hold a '#'. So the longest text that is a row counts.
 * Returns ERR_END for a line without a row. */
static int take_line(Range *row, Lines line, const Split *test) {
    for (;;) {
        trim(&line);
        if (line.p == line.end)
            return ERR_END;
        int code = take_row(row, line, test);
        const char *comment = memrchr(line.p, '#', (size_t)(line.end - line.p));
        if (!code || !comment)
            return code;
        line.end = comment;
    }
}

static bool ends_in(const Lines *l, const char *text) {
    size_t n = strlen(text);
    return (size_t)(l->end - l->p) >= n && strncasecmp(l->end - n, text, n) == 0;
}

/* "# first frame: 1" and "# clip start end, from 1". Returns 0, 1, or -1 where the comment says
 * nothing of the kind. */
static int counted_from(Lines line) {
    static const char *const says[2][2] = {{"first frame: 0", "from 0"},
                                           {"first frame: 1", "from 1"}};
    trim(&line);
    if (line.p == line.end || *line.p != '#')
        return -1;
    for (int from = 0; from < 2; from++)
        if (ends_in(&line, says[from][0]) || ends_in(&line, says[from][1]))
            return from;
    return -1;
}

static int take_count(Ranges *r, Lines line) {
    int from = counted_from(line);
    if (from < 0 || from == r->from)
        return 0;
    if (r->count)
        return err_set(ERR_FAIL, "frames count from %d here, but the ranges above from %d", from,
                       r->from);
    r->from = from;
    return 0;
}

int ranges_parse_text(Ranges *out, const char *name, const char *text, int64_t n,
                      const Split *test) {
    Lines all = {text, text + n, 0}, line;
    out->clips = test->count;
    while (next_line(&all, &line)) {
        Range row;
        int code = take_count(out, line);
        if (!code)
            code = take_line(&row, line, test);
        if (!code)
            code = ranges_add(out, row.clip, row.first - out->from, row.last - out->from);
        if (code && code != ERR_END)
            return err_context(code, "%s: line %d", name, line.number);
    }
    return 0;
}

/* ---- JSON ---- */

typedef struct {
    Ranges *out;
    const Split *test;
    int64_t clip;
} Walk;

/* "running": [[78, 120], ...] */
static int add_event(void *ctx, const char *kind, const Json *list) {
    Walk *w = ctx;
    if (!js_is_array(list))
        return err_set(ERR_FAIL, "%.80s: expected a list of [start, end]", kind);
    for (size_t i = 0; i < js_count(list); i++) {
        const Json *pair = js_at(list, i);
        int64_t first, last;
        if (!js_is_array(pair) || js_count(pair) != 2 || !js_int_of(js_at(pair, 0), &first) ||
            !js_int_of(js_at(pair, 1), &last) || first < 1)
            return err_set(ERR_FAIL, "%.80s: expected [start, end], counted from 1", kind);
        int code = ranges_add(w->out, w->clip, first - 1, last - 1);
        if (code)
            return code;
    }
    return 0;
}

static int add_json_clip(void *ctx, const char *name, const Json *value) {
    Walk *w = ctx;
    int clip = find_clip(w->test, name, strlen(name));
    const Json *events = js_get(value, "anomalies");
    int64_t length;
    if (clip < 0)
        return err_set(ERR_FAIL, "no test clip is called %.80s", name);
    if (!js_is_array(events))
        return err_set(ERR_FAIL, "clip %s: expected \"anomalies\": [...]", name);
    int64_t frames = w->test->clips[clip].frames;
    if (js_int_of(js_get(value, "length"), &length) && frames >= 0 && length != frames)
        return err_set(ERR_FAIL, "clip %s: its length is given as %lld, but it has %lld frames",
                       name, (long long)length, (long long)frames);
    w->clip = clip;
    w->out->clips++;
    for (size_t i = 0; i < js_count(events); i++) {
        const Json *event = js_at(events, i);
        int code = js_is_object(event)
                       ? js_each(event, add_event, w)
                       : err_set(ERR_FAIL, "expected {\"kind\": [[start, end], ...]}");
        if (code)
            return err_context(code, "clip %s", name);
    }
    return 0;
}

int ranges_parse_json(Ranges *out, const char *name, const char *text, int64_t n,
                      const Split *test) {
    if (n > 0 && text[0] == '\x80')
        return err_set(ERR_FAIL,
                       "%s: a Python pickle, not JSON; it is not read, since a pickle may "
                       "run code",
                       name);
    Json *root = js_parse(text, (size_t)n);
    if (!root)
        return err_context(ERR_FAIL, "%s", name);
    Walk walk = {out, test, 0};
    out->from = 1;
    int code = js_is_object(root) ? js_each(root, add_json_clip, &walk)
                                  : err_set(ERR_FAIL, "expected an object with one entry a clip");
    if (!code && out->clips != test->count)
        code = err_set(ERR_FAIL, "%lld of %d test clips are there", (long long)out->clips,
                       test->count);
    js_free(root);
    return code ? err_context(code, "%s", name) : 0;
}

static int has_anomalies(void *ctx, const char *key, const Json *value) {
    (void)ctx, (void)key;
    return js_get(value, "anomalies") ? 0 : 1;
}

int ranges_is_json(const char *text, int64_t n) {
    Json *root = js_parse(text, (size_t)n);
    int is =
        root && js_is_object(root) && js_count(root) > 0 && !js_each(root, has_anomalies, NULL);
    js_free(root);
    return is;
}
