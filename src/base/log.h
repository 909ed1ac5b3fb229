/* Messages for people go to stderr; stdout is for data. Called by app/ and by thread mains only. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/* Prints one line, printf style without newline. Errors and warnings begin with that word. A
 * running progress line is cleared first. Lines of two threads do not mix. Any thread. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
