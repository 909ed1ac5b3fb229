#include "base/progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static struct {
    bool shown;
    double start, last;
    int64_t first; /* where this run began counting, so that a resumed one has a true ETA */
} bar;

void progress_draw(const char *label, int64_t done, int64_t total, const char *fmt, ...) {
    if (!isatty(STDERR_FILENO))
        return;
    double now = clock_seconds();
    if (bar.start == 0) {
        bar.start = now;
        bar.first = done;
    }
    if (now - bar.last < 0.1 && done != total)
        return;
    bar.last = now;
    char note[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(note, sizeof note, fmt, ap);
    va_end(ap);
    if (total > 0) {
        char cells[25] = "                        ";
        memset(cells, '=', (size_t)(done < total ? 24 * done / total : 24));
        int64_t moved = done - bar.first;
        double eta = moved > 0 ? (now - bar.start) / (double)moved * (double)(total - done) : 0;
        fprintf(stderr, "\r\033[K%s [%s] %lld/%lld  %s  ETA %d:%02d:%02d", label, cells,
                (long long)done, (long long)total, note, (int)eta / 3600, (int)eta / 60 % 60,
                (int)eta % 60);
    } else {
        fprintf(stderr, "\r\033[K%s %lld  %s", label, (long long)done, note);
    }
    fflush(stderr);
    bar.shown = true;
}

void progress_clear(void) {
    if (bar.shown)
        fputs("\r\033[K", stderr);
    bar.shown = false;
}

void progress_end(void) {
    if (bar.shown)
        fputc('\n', stderr);
    memset(&bar, 0, sizeof bar);
}
