/* A reproduction of the paper: what is trained and measured, and what came out. */
#ifndef REPRODUCE_STATE_H
#define REPRODUCE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reproduce/rows.h"

enum { REPRODUCE_MOST_SEEDS = 16 };

/* The figures of one model, in percent and dB; NaN: not known. */
typedef struct {
    double auroc, low,
        high; /* by the paper's protocol for the data set; 95 % interval over clips */
    double per_clip, per_clip_macro, global, global_macro; /* by the min-max */
    double psnr;
    double oracle;  /* of auroc: the best of the epochs that were kept, chosen on the test set */
    int64_t frames; /* that were scored; 0: no figures */
} ReproduceFigures;

/* One trained and evaluated model. */
typedef struct {
    bool done;    /* trained and evaluated with the ground truth of the figures */
    bool trained; /* evaluated once, be it with another one */
    ReproduceFigures figures;
    int64_t steps_per_epoch;
    double epoch_seconds; /* mean over its epochs, as logged; NaN: unknown */
    char made_by[128];    /* version, backend, instructions and precision; "": unknown */
    char label[32];       /* column of its scores.csv with the ground truth of the figures */
} ReproduceRun;

/* Time of a step, all rows in turns: everything, and without waiting for data. */
typedef struct {
    double step_seconds, compute_seconds;
} ReproduceTime;

/* What a reproduction has so far; `run` is by row, then by seed. */
typedef struct {
    const char *set, *data, *output, *size, *init, *settings; /* init may be NULL */
    int set_index;
    char labels[256], labels_hash[17]; /* the ground truth of all figures; "" before it is known */
    int rows[REPRODUCE_MOST_ROWS], row_count; /* indices into reproduce_rows */
    int64_t seeds[REPRODUCE_MOST_SEEDS];
    int seed_count;
    ReproduceRun run[REPRODUCE_MOST_ROWS][REPRODUCE_MOST_SEEDS];
    ReproduceTime time[REPRODUCE_MOST_ROWS]; /* zero where not measured */
    ReproduceFigures persistence;            /* beside the row of most frames */
} Reproduction;

/* The row-th row of this reproduction. */
const ReproduceRow *reproduce_row(const Reproduction *r, int row);

/* A folder holds runs of one kind: ERR_USAGE where it was begun with other data, size, start or
 * settings; else they are written down there. */
int reproduce_claim(const Reproduction *r);

/* OUTPUT/ROW-seedN, the folder of a run. */
void reproduce_folder(char *buf, size_t n, const Reproduction *r, int row, int seed);

/* Where the data has several ground truths, the figures are of the paper's; on Avenue failing that
 * of one that is JSON as MLEP's is; else of the first. Called for each in turn. */
void reproduce_offer_truth(Reproduction *r, const char *variant, const char *hash);

/* Reads what its folder holds; run->done stays false where the evaluation is not there yet, or has
 * no figures of the reproduction's ground truth. */
int reproduce_read_run(ReproduceRun *run, Reproduction *r, const char *folder);

/* Steps of a log: medians over all but the first few. ERR_FAIL where it has fewer than `least`, or
 * none that counts. */
int reproduce_read_time(ReproduceTime *time, const char *log_path, int64_t least);

/* The words of --settings that say what computes, as "threads=2 precision=f32"; into buf, which it
 * returns. */
char *reproduce_compute(char *buf, size_t n, const Reproduction *r);

/* Are the figures of the ground truth that the paper's are of? Told by its content, where the
 * paper's is known. */
typedef enum { TRUTH_UNKNOWN, TRUTH_PAPER, TRUTH_OTHER } ReproduceTruth;
ReproduceTruth reproduce_truth(const Reproduction *r);

#endif
