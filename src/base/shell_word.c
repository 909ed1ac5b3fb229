#include "base/shell_word.h"

#include <string.h>

#include "base/mem.h"

char *shell_word(const char *text) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=./:,@%",
                      quote[] = "'\\''";
    if (*text && strspn(text, plain) == strlen(text))
        return mem_printf("%s", text);
    char *word = mem_alloc(strlen(quote) * strlen(text) + sizeof "''", 1), *to = word;
    if (!word)
        return NULL;
    *to++ = '\'';
    for (; *text; text++) {
        if (*text == '\'')
            to = mempcpy(to, quote, strlen(quote));
        else
            *to++ = *text;
    }
    *to = '\'';
    return word;
}
