/* Words of the command line that hold a password, wherever they were put: messages never show them.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

/* Messages hold `shown` in place of `word`; both stay the caller's, and stay there. The main thread
 * calls it before it starts others. Words beyond the sixteenth are left as they are. */
void secret_add(const char *word, const char *shown);

/* Replaces the words in text, which has room for `size` bytes and may have been cut there. */
void secret_hide(char *text, size_t size);

#endif
