#include "base/words.h"

#include <string.h>

static const char blanks[] = " \n";

Words words_of(const char *list) {
    return (Words){list, 0, list};
}

static void take(Words *w, const char *text, size_t length) {
    w->text = text;
    w->length = (int)length;
    w->rest = text + length;
}

bool words_next(Words *w) {
    const char *text = w->rest + strspn(w->rest, blanks);
    take(w, text, strcspn(text, blanks));
    return w->length > 0;
}

bool words_next_part(Words *w, char separator) {
    if (!*w->rest)
        return false;
    take(w, w->rest, strcspn(w->rest, (char[]){separator, '\0'}));
    w->rest += *w->rest == separator;
    return true;
}

bool words_is(const Words *w, const char *text) {
    size_t n = strlen(text);
    return n == (size_t)w->length && memcmp(w->text, text, n) == 0;
}

const char *words_value(const Words *w, const char *key) {
    size_t n = strlen(key);
    return n < (size_t)w->length && memcmp(w->text, key, n) == 0 && w->text[n] == '='
               ? w->text + n + 1
               : NULL;
}

bool words_copy(const Words *w, char *buf, size_t n) {
    if ((size_t)w->length >= n)
        return false;
    memcpy(buf, w->text, (size_t)w->length);
    buf[w->length] = '\0';
    return true;
}
