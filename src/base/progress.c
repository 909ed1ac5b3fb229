#include "base/progress.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

enum { LEAST_CELLS = 8, MOST_CELLS = 24, USUAL_WIDTH = 80 };

static const double REDRAW = 0.2; /* seconds */

static struct {
    bool shown;
    double start, last;
    int64_t first; /* where this run began counting; makes the ETA of a resumed run true */
} bar;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* protects `bar` and keeps lines whole */

/* Bytes of the first character of text; 1 where it is not valid UTF-8. */
static size_t character(const char *text) {
    unsigned char lead = (unsigned char)*text;
    size_t n = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    for (size_t i = 1; i < n; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 1;
    return n;
}

/* Bytes of the whole characters that fit into `columns`. A character of three bytes or more counts
 * as two columns, since it may be that wide. */
static size_t bytes_in(const char *text, int columns) {
    size_t bytes = 0;
    while (text[bytes]) {
        size_t n = character(text + bytes);
        columns -= n > 2 ? 2 : 1;
        if (columns < 0)
            break;
        bytes += n;
    }
    return bytes;
}

/* One less than the terminal has: some terminals begin a new line at the last column. */
static int columns_of_terminal(void) {
    struct winsize w;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0;
    return (known ? w.ws_col : USUAL_WIDTH) - 1;
}

/* Cells of the bar. It shrinks to leave room for the text behind it. */
static int cells_for(int columns, const char *label, const char *rest) {
    int left = columns - (int)strlen(label) - (int)strlen(rest) - (int)strlen(" []");
    return left < LEAST_CELLS ? LEAST_CELLS : left > MOST_CELLS ? MOST_CELLS : left;
}

static void draw_line(const char *label, int64_t done, int64_t total, double now,
                      const char *note) {
    char rest[400], line[600];
    int columns = columns_of_terminal();
    if (total > 0) {
        int64_t moved = done - bar.first;
        double eta = moved > 0 ? (now - bar.start) / (double)moved * (double)(total - done) : 0;
        snprintf(rest, sizeof rest, " %lld/%lld  ETA %d:%02d:%02d  %s", (long long)done,
                 (long long)total, (int)eta / 3600, (int)eta / 60 % 60, (int)eta % 60, note);
        char filled[MOST_CELLS + 1] = "";
        int cells = cells_for(columns, label, rest);
        memset(filled, '=', (size_t)(done < total ? cells * done / total : cells));
        snprintf(line, sizeof line, "%s [%-*s]%s", label, cells, filled, rest);
    } else {
        snprintf(line, sizeof line, "%s %lld  %s", label, (long long)done, note);
    }
    fprintf(stderr, "\r\033[K%.*s", (int)bytes_in(line, columns), line);
    bar.shown = true;
}

/* Notes hold names from people's files. Control characters must not reach the terminal, and a cut
 * must not split a character. */
static void tame(char *text, bool cut) {
    unsigned char *c = (unsigned char *)text;
    for (; *c; c++) {
        bool second = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0; /* U+0080 to U+009F, in UTF-8 */
        if (*c < 0x20 || *c == 0x7f || second)
            *c = '?';
        if (second)
            *++c = '?';
    }
    while (cut && c > (unsigned char *)text && *--c >= 0x80) {
        bool lead = *c >= 0xc0;
        *c = 0;
        if (lead)
            break;
    }
}

void progress_draw(const char *label, int64_t done, int64_t total, const char *fmt, ...) {
    if (!isatty(STDERR_FILENO))
        return;
    char note[256];
    va_list ap;
    va_start(ap, fmt);
    bool cut = vsnprintf(note, sizeof note, fmt, ap) >= (int)sizeof note;
    va_end(ap);
    tame(note, cut);
    pthread_mutex_lock(&lock);
    double now = clock_seconds();
    if (bar.start == 0) {
        bar.start = now;
        bar.first = done;
    }
    if (now - bar.last >= REDRAW || done == total) {
        bar.last = now;
        draw_line(label, done, total, now, note);
    }
    pthread_mutex_unlock(&lock);
}

void progress_print(const char *word, const char *text) {
    pthread_mutex_lock(&lock);
    fprintf(stderr, "%s%s%s\n", bar.shown ? "\r\033[K" : "", word, text);
    bar.shown = false;
    pthread_mutex_unlock(&lock);
}

void progress_end(void) {
    pthread_mutex_lock(&lock);
    if (bar.shown)
        fputc('\n', stderr);
    memset(&bar, 0, sizeof bar);
    pthread_mutex_unlock(&lock);
}
