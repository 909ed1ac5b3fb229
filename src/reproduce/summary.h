/* The contents of a reproduction's report: summaries of rows, settings and cautions. */
#ifndef REPRODUCE_SUMMARY_H
#define REPRODUCE_SUMMARY_H

#include "reproduce/state.h"

enum { REPRODUCE_FACTS = 16 };

/* Summary of those runs of a row that are done. Means are NaN if none is done. */
typedef struct {
    int done;              /* number of runs */
    ReproduceFigures mean; /* means over the runs; `frames` is the number of one run */
    double least, most;    /* range of the runs' AUROCs */
    double epoch_seconds;
    char seeds[256]; /* the seeds that are done: "1, 2" */
} ReproduceSummary;

ReproduceSummary reproduce_summary(const Reproduction *r, int row);

/* The largest number of frames that a row has scored. A row with fewer needs more input frames, so
 * its figures come from a smaller set of frames. */
int64_t reproduce_most_frames(const Reproduction *r);

/* Whether any run has the AUROC of its best kept epoch. */
bool reproduce_has_oracle(const Reproduction *r);

/* Pairs of key and value: how the runs were made. */
typedef struct {
    int count;
    struct {
        const char *key;
        char value[4096];
    } fact[REPRODUCE_FACTS];
} ReproduceFacts;

void reproduce_facts(ReproduceFacts *facts, const Reproduction *r);

/* Writes this machine's processor and the threads used with these settings. Returns buf. */
char *reproduce_machine(char *buf, size_t n, const Reproduction *r);

/* Lists the runs' `made_by` (ReproduceRun), each once. Returns buf. */
char *reproduce_made_by(char *buf, size_t n, const Reproduction *r);

/* Writes what a reader must know before comparing the figures with the paper's; "" if there is
 * nothing. Returns buf. */
char *reproduce_caution(char *buf, size_t n, const Reproduction *r);

extern const char reproduce_note[]; /* explains the report's columns */

#endif
