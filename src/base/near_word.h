/* Finds the known word nearest to an unknown one, for "did you mean". */
#ifndef BASE_NEAR_WORD_H
#define BASE_NEAR_WORD_H

typedef struct {
    const char *word;    /* the unknown word */
    const char *nearest; /* borrowed; NULL while no known word is near */
    int distance;        /* letters to insert, remove or replace to get from one to the other */
} NearWord;

/* Compares with one more known word; start with {.word = the unknown word}. A known word is near if
 * its distance is at most three and at most half the unknown word's length, rounded up. Of equally
 * near words the first wins. */
void near_word(NearWord *n, const char *known);

#endif
