/* Messages for people, on stderr; stdout is data. Called by app/ and by thread mains only. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

typedef enum { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG } LogLevel;

/* Messages above `level` are dropped. Default LOG_INFO. */
void log_level_set(LogLevel level);

/* One line, printf style without newline. Errors and warnings carry their word; a running progress
 * line is cleared first. Any thread. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
