/* What the report of a reproduction tells of it. */
#ifndef REPRODUCE_SUMMARY_H
#define REPRODUCE_SUMMARY_H

#include "reproduce/state.h"

enum { REPRODUCE_FACTS = 16 };

/* A row's runs that are done, taken together: means, NaN without any, and the spread. */
typedef struct {
    int done;
    ReproduceFigures mean; /* frames: of each, not a mean */
    double least, most;    /* of auroc */
    double epoch_seconds;
    char seeds[256]; /* that are done: "1, 2" */
} ReproduceSummary;

ReproduceSummary reproduce_summary(const Reproduction *r, int row);

/* Frames that the row with the most has scored. A row with fewer needs more input frames, and its
 * figures are of other frames. */
int64_t reproduce_most_frames(const Reproduction *r);

/* Whether any run has the best of the epochs that were kept. */
bool reproduce_has_oracle(const Reproduction *r);

/* "key", value: what all of it was made with. */
typedef struct {
    int count;
    struct {
        const char *key;
        char value[4096];
    } fact[REPRODUCE_FACTS];
} ReproduceFacts;

void reproduce_facts(ReproduceFacts *facts, const Reproduction *r);

/* The processor and the threads of this machine, for these settings; into buf, which it returns. */
char *reproduce_machine(char *buf, size_t n, const Reproduction *r);

/* The programs and processors that made the runs, as in ReproduceRun, each once. */
char *reproduce_made_by(char *buf, size_t n, const Reproduction *r);

/* What a reader must know before the figures are compared with the paper's; "" where nothing. */
char *reproduce_caution(char *buf, size_t n, const Reproduction *r);

extern const char reproduce_note[]; /* what the columns are */

#endif
