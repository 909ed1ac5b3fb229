/* One progress line on stderr, redrawn in place; silent where stderr is no terminal. Any thread may
 * call any function here. Lines of two threads do not mix. Where two threads report progress, the
 * one drawn last is shown. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdint.h>

/* Draws "label [=====   ] done/total  ETA  note", cut to the terminal's width. Redraws at most five
 * times a second, and always at done == total. total <= 0: no bar, only the count. */
void progress_draw(const char *label, int64_t done, int64_t total, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Erases the progress line and prints a permanent one: `word`, `text` and a newline. */
void progress_print(const char *word, const char *text);

/* Ends the line. The next draw starts a new line and a new clock. */
void progress_end(void);

#endif
