#include "base/secret.h"

#include <stdbool.h>
#include <string.h>

enum { MOST = 16 };

static const char *words[MOST], *shown[MOST];
static int count;

void secret_add(const char *word, const char *instead) {
    if (count == MOST)
        return;
    words[count] = word;
    shown[count++] = instead;
}

/* Bytes of the word at `text`; 0 if it is not there. The last word of a text that was cut may be
 * cut too. */
static size_t found(const char *text, size_t left, bool cut, const char *word) {
    size_t n = strlen(word);
    if (n > left)
        return cut && strncmp(text, word, left) == 0 ? left : 0;
    return strncmp(text, word, n) == 0 ? n : 0;
}

static void replace(char *text, size_t size, const char *word, const char *instead) {
    size_t n = strlen(text), new = strlen(instead), bytes;
    bool cut = n + 1 == size;
    for (size_t i = 0; i < n; i++) {
        if (!(bytes = found(text + i, n - i, cut, word)))
            continue;
        size_t fits = new < size - 1 - i ? new : size - 1 - i;
        size_t rest = n - i - bytes, kept = rest < size - 1 - i - fits ? rest : size - 1 - i - fits;
        memmove(text + i + fits, text + i + bytes, kept);
        memcpy(text + i, instead, fits);
        n = i + fits + kept;
        text[n] = 0;
        i += fits ? fits - 1 : 0;
    }
}

void secret_hide(char *text, size_t size) {
    for (int k = 0; k < count; k++)
        replace(text, size, words[k], shown[k]);
}
