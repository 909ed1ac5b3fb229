#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/progress.h"

static void line(const char *word, const char *fmt, va_list ap) {
    char text[2048];
    vsnprintf(text, sizeof text, fmt, ap);
    progress_clear();
    fprintf(stderr, "%s%s\n", word, text); /* one call: lines of two threads do not mix */
}

#define LOG_FUNCTION(name, word)                                                                   \
    void name(const char *fmt, ...) {                                                              \
        va_list ap;                                                                                \
        va_start(ap, fmt);                                                                         \
        line(word, fmt, ap);                                                                       \
        va_end(ap);                                                                                \
    }

LOG_FUNCTION(log_error, "error: ")
LOG_FUNCTION(log_warn, "warning: ")
LOG_FUNCTION(log_info, "")
