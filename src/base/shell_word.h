/* Quotes a text for a shell. */
#ifndef BASE_SHELL_WORD_H
#define BASE_SHELL_WORD_H

/* `text` as one word of a shell's command line; the caller frees it with mem_free. NULL with the
 * message set when memory is out. */
char *shell_word(const char *text);

#endif
