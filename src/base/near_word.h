/* The nearest of known words to one that is not known, for "did you mean". */
#ifndef BASE_NEAR_WORD_H
#define BASE_NEAR_WORD_H

typedef struct {
    const char *word;    /* what was given */
    const char *nearest; /* borrowed; NULL while no known word is near */
    int distance;        /* of the two: letters to insert, leave out or exchange */
} NearWord;

/* Compares with one more known word; begin with {.word = what was given}. Near is at most three
 * letters off, and at most half of what was given. Of equal ones the first wins. */
void near_word(NearWord *n, const char *known);

#endif
