/* The level above which a camera raises alarms, from a budget of alarms a week and from what its
 * normal footage did (method J.3). */
#ifndef CAMERA_BUDGET_H
#define CAMERA_BUDGET_H

#include <stdbool.h>

#include "camera/peaks.h"
#include "camera/tail.h"

/* What the normal footage says. */
typedef struct {
    double *block;  /* [blocks] greatest value of each, descending; owned */
    int64_t blocks; /* of PEAKS_BLOCK seconds */
    Tail tail;      /* peaks 0: the footage is too short or too quiet for one */
    double hours, greatest;
} BudgetFootage;

typedef struct {
    double level;      /* an alarm is raised above it */
    bool by_ranks;     /* by ranks of blocks, else by the tail */
    double week;       /* expected alarms a week, or blocks with alarms if by ranks; NaN: the
                          footage is too short to tell */
    int64_t low, high; /* 95 % of weeks have so many */
    double rank_hours; /* of footage that would do for ranks */
} Budget;

/* ERR_FAIL if there is no value in the record, or memory is out. */
int budget_footage(BudgetFootage *out, const Peaks *p);
void budget_footage_free(BudgetFootage *f); /* accepts a zeroed one */

/* The level for at most `alarms` > 0 a week in which the camera watches for `hours`. */
Budget budget_level(const BudgetFootage *f, double alarms, double hours);

#endif
