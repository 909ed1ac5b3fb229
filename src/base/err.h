/* Errors: a code is returned, the message stays in the thread.
 *
 * A function that can fail returns 0 or one of the negative codes below. The message is set once,
 * where the failure happened: it names the thing, says what was expected and what was found, and
 * what to do. Callers clean up and pass the code on; only app/ and thread mains print. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum {
    ERR_FAIL = -1,    /* the input, the system or the numbers are wrong; exit code 1 */
    ERR_USAGE = -2,   /* the command line or a settings file is wrong; exit code 2 */
    ERR_STOPPED = -3, /* the user asked to stop (SIGINT, SIGTERM) */
    ERR_END = -4,     /* the stream is over; expected, so it carries no message */
};

enum { ERR_TEXT = 1024 }; /* bytes of a message at most, its NUL included */

/* Sets this thread's message (printf style, one line, no newline) and returns `code`. Control
 * characters, which only other people's names can have, become question marks, here and below. */
int err_set(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Like err_set, with ": " and the text of errno at the end. */
int err_sys(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before this thread's message; for a caller that knows which file it was.
 * Returns `code`. */
int err_context(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* This thread's last message; borrowed, valid until the next err_* call of this thread. */
const char *err_text(void);

#endif
