/* One progress line on stderr, redrawn in place; silent where stderr is no terminal. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdint.h>

/* Draws "label [=====>   ] done/total  note  ETA". Redraws at most ten times a second, and always
 * at done == total. total <= 0: no bar, only the count. Main thread. */
void progress_draw(const char *label, int64_t done, int64_t total, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Erases the line, so that something else can be printed. */
void progress_clear(void);

/* Ends the line: the next draw starts a new one with a new clock. */
void progress_end(void);

#endif
