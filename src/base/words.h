/* The words of a list, one after the other: options as "a=b c=d", names as "a,b,c", lines. They
 * stay where they are: nothing is copied, nothing cut. */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *text; /* the word: a part of the list, so no NUL ends it */
    int length;
    const char *rest;
} Words;

/* Before the first word of a list, which must outlive the words. */
Words words_of(const char *list);

/* Goes to the next word; false where there is none. words_next: between any number of blanks and
 * line breaks. words_next_part: each separator ends a part, so that a part may be empty; one at the
 * end of the list begins none. */
bool words_next(Words *w);
bool words_next_part(Words *w, char separator);

bool words_is(const Words *w, const char *text);

/* What stands behind "key=", up to the word's end; NULL where it is another word. */
const char *words_value(const Words *w, const char *key);

/* The word as a text of its own; false where it does not fit into n bytes. */
bool words_copy(const Words *w, char *buf, size_t n);

#endif
