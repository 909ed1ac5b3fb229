/* Messages for people go to stderr; stdout is for data. Called by app/ and by thread mains only. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/* Prints one line; `fmt` has no newline. log_error begins it with "error: ", log_warn with
 * "warning: ". A progress line is erased first. Lines of two threads do not mix. Any thread. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
