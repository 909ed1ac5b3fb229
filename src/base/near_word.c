#include "base/near_word.h"

#include <string.h>

enum { LONGEST = 40, FARTHEST = 3 };

/* Levenshtein distance of two short words. */
static int distance(const char *a, const char *b) {
    int row[LONGEST + 1], n = (int)strlen(b);
    if (n > LONGEST || strlen(a) > LONGEST)
        return LONGEST;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int up = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
            if (up + 1 < best)
                best = up + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = up;
        }
    }
    return row[n];
}

void near_word(NearWord *n, const char *known) {
    int d = distance(n->word, known), half = ((int)strlen(n->word) + 1) / 2;
    if (d > FARTHEST || d > half || (n->nearest && d >= n->distance))
        return;
    n->nearest = known;
    n->distance = d;
}
