/* The rows that a reproduction may have: those of the paper's tables, and further ones. */
#ifndef REPRODUCE_ROWS_H
#define REPRODUCE_ROWS_H

enum { REPRODUCE_SETS = 3, REPRODUCE_MOST_ROWS = 16 };

extern const char *const reproduce_sets[]; /* "ped2", "avenue", "shanghaitech", NULL */

typedef struct {
    const char *name;             /* used in --rows, tables and folder names */
    const char *recipe;           /* of 'normalcy train' */
    const char *options;          /* "name=value ...": the row's settings, added to its recipe's */
    const char *about, *where;    /* description; place in the paper */
    double paper[REPRODUCE_SETS]; /* AUROC in percent; NaN: not in the paper */
} ReproduceRow;

extern const ReproduceRow reproduce_rows[]; /* the last has no name */

int reproduce_row_find(const char *name); /* index of the row; -1: unknown */

#endif
