/* One progress line on stderr, redrawn in place; silent where stderr is no terminal. Any thread may
 * call any function here: lines are whole, and of two progresses the last one drawn is shown. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdint.h>

/* Draws "label [=====   ] done/total  ETA  note", cut to the terminal's width. Redraws at most five
 * times a second, and always at done == total. total <= 0: no bar, only the count. */
void progress_draw(const char *label, int64_t done, int64_t total, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Erases the line and prints one that stays: `word`, `text` and a newline. */
void progress_print(const char *word, const char *text);

/* Ends the line: the next draw starts a new one with a new clock. */
void progress_end(void);

#endif
