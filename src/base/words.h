/* Iterates over the words of a list: options as "a=b c=d", names as "a,b,c", lines. Words point
 * into the list: they are not copied and not cut. */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *text; /* the word; points into the list, so no NUL ends it */
    int length;
    const char *rest;
} Words;

/* Starts before the first word of a list, which must outlive the words. */
Words words_of(const char *list);

/* Goes to the next word; false at the end. words_next: any number of blanks and line breaks
 * separate words. words_next_part: each separator ends a part, so a part may be empty. A separator
 * at the end of the list begins no further part. */
bool words_next(Words *w);
bool words_next_part(Words *w, char separator);

bool words_is(const Words *w, const char *text);

/* The text behind "key=", up to the word's end; NULL where the word does not begin so. */
const char *words_value(const Words *w, const char *key);

/* Copies the word to buf, with a NUL; false where it does not fit into n bytes. */
bool words_copy(const Words *w, char *buf, size_t n);

#endif
