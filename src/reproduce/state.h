/* A reproduction of the paper: which runs it has, and their results so far. */
#ifndef REPRODUCE_STATE_H
#define REPRODUCE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reproduce/rows.h"

enum { REPRODUCE_MOST_SEEDS = 16 };

/* The figures of one model, in percent and dB; NaN: not known. */
typedef struct {
    /* AUROC by the paper's protocol for the data set; low, high: its 95 % interval over clips. */
    double auroc, low, high;
    double per_clip, per_clip_macro, global, global_macro; /* AUROCs by each min-max */
    double psnr;
    double oracle;  /* best AUROC among the kept epochs, chosen on the test set */
    int64_t frames; /* scored frames; 0: no figures */
} ReproduceFigures;

/* One trained and evaluated model. */
typedef struct {
    bool done;    /* trained, and evaluated with the reproduction's ground truth */
    bool trained; /* trained, and evaluated with any ground truth */
    ReproduceFigures figures;
    int64_t steps_per_epoch;
    double epoch_seconds; /* mean over the logged epochs; NaN: unknown */
    char made_by[128];    /* version, backend, instructions and precision; "": unknown */
    char label[32];       /* column of scores.csv with the reproduction's ground truth */
} ReproduceRun;

/* Time of a training step: the whole step, and without waiting for data. Rows are timed in turns.
 */
typedef struct {
    double step_seconds, compute_seconds;
} ReproduceTime;

/* The settings and the results so far. */
typedef struct {
    const char *set, *data, *output, *size, *init, *settings; /* init may be NULL */
    int set_index;
    char labels[256], labels_hash[17]; /* the ground truth of all figures; "" before it is known */
    int rows[REPRODUCE_MOST_ROWS], row_count; /* the rows asked for: indices into reproduce_rows */
    int64_t seeds[REPRODUCE_MOST_SEEDS];
    int seed_count;
    ReproduceRun run[REPRODUCE_MOST_ROWS][REPRODUCE_MOST_SEEDS]; /* [row][seed] */
    ReproduceTime time[REPRODUCE_MOST_ROWS];                     /* zero: not measured */
    ReproduceFigures persistence; /* as evaluated with the row that scores most frames */
} Reproduction;

/* The definition of row `row` (an index into r->rows). */
const ReproduceRow *reproduce_row(const Reproduction *r, int row);

/* Makes sure that the output folder holds runs of one kind. A new folder gets a file with set,
 * data, size, start and settings. ERR_USAGE if the folder was begun with others. */
int reproduce_claim(const Reproduction *r);

/* OUTPUT/ROW-seedN, the folder of a run. */
void reproduce_folder(char *buf, size_t n, const Reproduction *r, int row, int seed);

/* Offers a ground truth of the data; call it for each in turn. All figures use the best one
 * offered: the paper's; else, on Avenue, one in JSON (MLEP's is JSON); else the first. */
void reproduce_offer_truth(Reproduction *r, const char *variant, const char *hash);

/* Reads a run from its folder. run->done stays false if the evaluation is not there yet, or has no
 * figures for the reproduction's ground truth. */
int reproduce_read_run(ReproduceRun *run, Reproduction *r, const char *folder);

/* Reads the time of a step from a log: medians over all steps but the first few. ERR_FAIL if the
 * log has fewer than `least` steps, or only those first few. */
int reproduce_read_time(ReproduceTime *time, const char *log_path, int64_t least);

/* Copies the words of --settings that are compute options, as "threads=2 precision=f32". Returns
 * buf. */
char *reproduce_compute(char *buf, size_t n, const Reproduction *r);

/* Do the figures use the same ground truth as the paper's? The contents are compared by hash.
 * TRUTH_UNKNOWN if the paper's ground truth or ours is not known. */
typedef enum { TRUTH_UNKNOWN, TRUTH_PAPER, TRUTH_OTHER } ReproduceTruth;
ReproduceTruth reproduce_truth(const Reproduction *r);

#endif
