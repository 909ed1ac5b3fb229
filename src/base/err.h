/* Errors: functions return a code and keep the message in the thread.
 *
 * A function that can fail returns 0 or one of the negative codes below. The code that fails sets
 * the message, once. The message names the thing, says what was expected and what was found, and
 * tells what to do. Callers clean up and pass the code on. Only app/ and thread mains print. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum {
    ERR_FAIL = -1,    /* the input, the system or the numbers are wrong; exit code 1 */
    ERR_USAGE = -2,   /* the command line or a settings file is wrong; exit code 2 */
    ERR_STOPPED = -3, /* the user asked to stop (SIGINT, SIGTERM) */
    ERR_END = -4,     /* the stream is over; this is expected, so no message is set */
};

enum { ERR_TEXT = 1024 }; /* the largest message in bytes, with its NUL */

/* Sets this thread's message (printf style, one line, no newline) and returns `code`. Control
 * characters become question marks, here and below. They can only come from names in people's
 * files. */
int err_set(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Like err_set, but appends ": " and the text of errno. */
int err_sys(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before this thread's message. Callers use it to add the file's name. Returns
 * `code`. */
int err_context(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* This thread's last message; borrowed, valid until the next err_* call of this thread. */
const char *err_text(void);

#endif
