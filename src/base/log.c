#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/progress.h"

static LogLevel max_level = LOG_INFO;

void log_level_set(LogLevel level) {
    max_level = level;
}

static void line(LogLevel level, const char *word, const char *fmt, va_list ap) {
    if (level > max_level)
        return;
    char text[2048];
    vsnprintf(text, sizeof text, fmt, ap);
    progress_clear();
    fprintf(stderr, "%s%s\n", word, text); /* one call: lines of two threads do not mix */
}

#define LOG_FUNCTION(name, level, word)                                                            \
    void name(const char *fmt, ...) {                                                              \
        va_list ap;                                                                                \
        va_start(ap, fmt);                                                                         \
        line(level, word, fmt, ap);                                                                \
        va_end(ap);                                                                                \
    }

LOG_FUNCTION(log_error, LOG_ERROR, "error: ")
LOG_FUNCTION(log_warn, LOG_WARN, "warning: ")
LOG_FUNCTION(log_info, LOG_INFO, "")
LOG_FUNCTION(log_debug, LOG_DEBUG, "debug: ")
