#include "video/numbering.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { TIME_DIGITS = 6 }; /* 102233 is a time of day */

static void count_place(Places *p, int64_t place) {
    if (p->count++ == 0)
        p->first = place;
}

/* ---- names but for their numbers ---- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static const char *end_of(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot ? dot : name + strlen(name);
}

/* The length of the number at p: digits, with dots between them, or hexadecimal letters if they are
 * a whole word. 0: none begins there. */
static size_t number_length(const char *p, const char *end, bool word_begins) {
    size_t n = 0, digits = 0;
    while (word_begins && p + n < end && isxdigit((unsigned char)p[n]))
        digits += is_digit(p[n++]);
    if (digits > 0 && !(p + n < end && isalnum((unsigned char)p[n])) && digits < n)
        return n;
    for (n = 0; p + n < end; n++)
        if (!is_digit(p[n]) && !(n > 0 && p[n] == '.' && p + n + 1 < end && is_digit(p[n + 1])))
            break;
    return n;
}

/* A place in a name, of which a number is one step and so is any other character. */
typedef struct {
    const char *at, *end;
    bool word_begins;
    int digits; /* of the numbers passed, without leading zeros */
} Walk;

static Walk walk_begin(const char *name) {
    return (Walk){name, end_of(name), true, 0};
}

/* The character passed; '#' for a number, 0 at the end. */
static char walk_step(Walk *w) {
    if (w->at >= w->end)
        return 0;
    const char *p = w->at;
    size_t n = number_length(p, w->end, w->word_begins);
    w->at += n ? n : 1;
    w->word_begins = !n && !isalnum((unsigned char)*p);
    if (!n)
        return *p;
    size_t zeros = strspn(p, "0");
    w->digits += zeros < n ? (int)(n - zeros) : 0;
    return '#';
}

/* Whether two names are the same but for their numbers, or agree up to a time. */
static bool is_alike(const char *a, const char *b) {
    Walk p = walk_begin(a), q = walk_begin(b);
    for (;;) {
        char c = walk_step(&p), d = walk_step(&q);
        if (c != d)
            return false;
        if (c == 0 || (p.digits >= TIME_DIGITS && q.digits >= TIME_DIGITS))
            return true;
    }
}

static bool has_number(const char *name) {
    Walk w = walk_begin(name);
    char c;
    while ((c = walk_step(&w)))
        if (c == '#')
            return true;
    return false;
}

/* ---- strays ---- */

/* The name that at least half of the numbered ones are like; NULL: there is none. */
static const char *usual_name(const Listing *l) {
    const char *name = NULL;
    int64_t votes = 0, alike = 0;
    for (int64_t i = 0; i < l->count; i++) {
        const char *other = l->item[i].name;
        if (!has_number(other))
            continue;
        if (votes == 0)
            name = other;
        votes += is_alike(name, other) ? 1 : -1;
    }
    for (int64_t i = 0; i < l->count && name; i++)
        alike += is_alike(name, l->item[i].name);
    return alike >= 2 && 2 * alike >= l->count ? name : NULL;
}

/* "0001 (1)" or "0001 copy" of "0001". */
static bool is_copy(const char *name, const char *of) {
    size_t n = (size_t)(end_of(of) - of);
    if (strncmp(name, of, n) != 0 || name[n] != ' ')
        return false;
    const char *mark = name + n + strspn(name + n, " -_");
    return *mark == '(' || strncasecmp(mark, "copy", 4) == 0;
}

Places numbering_strays(const Listing *l) {
    Places strays = {0};
    const char *usual = usual_name(l), *original = NULL;
    for (int64_t i = 0; i < l->count; i++) {
        const char *name = l->item[i].name;
        bool again =
            i > 0 && (listing_same_stem(l->item[i - 1].name, name) || is_copy(name, original));
        if (again || (usual && !is_alike(usual, name)))
            count_place(&strays, i);
        if (!again)
            original = name;
    }
    return strays;
}

char *numbering_stray_text(char *buf, size_t n, const Listing *l, Places strays) {
    int64_t at = strays.first;
    const char *where = at > 0 ? "after" : "before";
    const char *other = l->count < 2 ? "nothing" : l->item[at > 0 ? at - 1 : 1].name;
    char more[48] = "";
    if (strays.count > 1)
        snprintf(more, sizeof more, " (and %lld more such pictures)", (long long)strays.count - 1);
    snprintf(buf, n, "%s is read as frame %lld, %s %s%s", l->item[at].name, (long long)at, where,
             other, more);
    return buf;
}

/* ---- gaps ---- */

/* The last run of digits before the extension. */
static const char *last_number(const char *name) {
    const char *p = end_of(name);
    while (p > name && !is_digit(p[-1]))
        p--;
    while (p > name && is_digit(p[-1]))
        p--;
    return p;
}

int64_t numbering_of(const char *name) {
    return strtoll(last_number(name), NULL, 10);
}

/* How far b's number is from a's; 0 where the text before it differs or they hold a time. */
static int64_t step_between(const char *a, const char *b) {
    size_t n = (size_t)(last_number(a) - a);
    Walk w = walk_begin(b);
    while (walk_step(&w))
        ;
    if (w.digits > TIME_DIGITS || (size_t)(last_number(b) - b) != n || strncmp(a, b, n) != 0)
        return 0;
    int64_t step = numbering_of(b) - numbering_of(a);
    return step > 0 ? step : 0;
}

static int by_value(const void *a, const void *b) {
    int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return p < q ? -1 : p > q;
}

/* The step that at least half of the pictures are apart, or the largest number: they do not count.
 */
static int64_t usual_step(const int64_t *step, int64_t count) {
    int64_t *sorted = mem_alloc((size_t)count, sizeof *sorted), n = 0, same = 0, usual = INT64_MAX;
    for (int64_t i = 0; i < count && sorted; i++)
        if (step[i] > 0)
            sorted[n++] = step[i];
    if (n) {
        qsort(sorted, (size_t)n, sizeof *sorted, by_value);
        for (int64_t i = 0; i < n; i++)
            same += sorted[i] == sorted[(n - 1) / 2];
        usual = 2 * same >= n ? sorted[(n - 1) / 2] : INT64_MAX;
    }
    mem_free(sorted);
    return usual;
}

Places numbering_jumps(const Listing *l) {
    Places jumps = {0};
    int64_t *step = l->count ? mem_alloc((size_t)l->count, sizeof *step) : NULL;
    for (int64_t i = 1; i < l->count && step; i++)
        step[i] = step_between(l->item[i - 1].name, l->item[i].name);
    int64_t usual = step ? usual_step(step, l->count) : 0;
    for (int64_t i = 1; i < l->count && step; i++)
        if (step[i] > usual)
            count_place(&jumps, i);
    mem_free(step);
    return jumps;
}
