#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"

static _Thread_local char message[ERR_TEXT];

/* Messages hold names from people's files. Control characters in them must not reach a terminal. */
static void keep(const char *text) {
    size_t n = 0;
    for (; text[n] && n < sizeof message - 1; n++) {
        unsigned char c = (unsigned char)text[n], next = (unsigned char)text[n + 1];
        bool second = c == 0xc2 && next >= 0x80 && next < 0xa0; /* U+0080 to U+009F, in UTF-8 */
        message[n] = c < 0x20 || c == 0x7f || second ? '?' : text[n];
        if (second && n + 1 < sizeof message - 1)
            message[++n] = '?';
    }
    message[n] = 0;
}

int err_set(int code, const char *fmt, ...) {
    char text[sizeof message]; /* the arguments may point into the old message */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    secret_hide(text, sizeof text);
    keep(text);
    return code;
}

int err_sys(int code, const char *fmt, ...) {
    int saved = errno;
    char text[sizeof message], whole[sizeof message];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    secret_hide(text, sizeof text);
    snprintf(whole, sizeof whole, "%.*s: %s", (int)sizeof message / 2, text, strerror(saved));
    keep(whole);
    return code;
}

int err_context(int code, const char *fmt, ...) {
    char old[sizeof message], text[sizeof message], whole[sizeof message];
    memcpy(old, message, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    secret_hide(text, sizeof text);
    snprintf(whole, sizeof whole, "%.*s: %.*s", (int)sizeof message / 2 - 2, text,
             (int)sizeof message / 2 - 2, old);
    keep(whole);
    return code;
}

const char *err_text(void) {
    return message;
}
