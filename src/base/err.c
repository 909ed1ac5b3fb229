#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[1024];

int err_set(int code, const char *fmt, ...) {
    char text[sizeof message]; /* the arguments may point into the old message */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    memcpy(message, text, sizeof message);
    return code;
}

int err_sys(int code, const char *fmt, ...) {
    int saved = errno;
    char text[sizeof message];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    snprintf(message, sizeof message, "%.*s: %s", (int)sizeof message / 2, text, strerror(saved));
    return code;
}

int err_context(int code, const char *fmt, ...) {
    char old[sizeof message], text[sizeof message];
    memcpy(old, message, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    snprintf(message, sizeof message, "%.*s: %.*s", (int)sizeof message / 2 - 2, text,
             (int)sizeof message / 2 - 2, old);
    return code;
}

const char *err_text(void) {
    return message;
}
