#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/progress.h"
#include "base/secret.h"

/* Long lines are not cut, since a line may hold a command to copy. */
static void line(const char *word, const char *fmt, va_list ap) {
    char text[2048];
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    char *whole = n >= (int)sizeof text ? mem_alloc((size_t)n + 1, 1) : NULL;
    if (whole)
        vsnprintf(whole, (size_t)n + 1, fmt, again);
    va_end(again);
    secret_hide(whole ? whole : text, whole ? (size_t)n + 1 : sizeof text);
    progress_print(word, whole ? whole : text);
    mem_free(whole);
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
