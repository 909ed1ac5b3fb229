/* The rows that a reproduction may have: those of the paper's tables and those beside them. */
#ifndef REPRODUCE_ROWS_H
#define REPRODUCE_ROWS_H

enum { REPRODUCE_SETS = 3, REPRODUCE_MOST_ROWS = 16 };

extern const char *const reproduce_sets[]; /* "ped2", "avenue", "shanghaitech", NULL */

typedef struct {
    const char *name;          /* in --rows, tables and folders */
    const char *recipe;        /* of 'normalcy train' */
    const char *options;       /* "name=value ..." that define the row with those of its recipe */
    const char *about, *where; /* what it is; where the paper has it */
    double paper[REPRODUCE_SETS]; /* AUROC in percent; NaN: not in the paper */
} ReproduceRow;

extern const ReproduceRow reproduce_rows[]; /* the last has no name */

int reproduce_row_find(const char *name); /* its index; -1 where unknown */

#endif
