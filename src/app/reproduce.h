/* A reproduction of the paper: what is trained and measured, and what came out. */
#ifndef APP_REPRODUCE_H
#define APP_REPRODUCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPRODUCE_SETS = 3, REPRODUCE_MOST_SEEDS = 16, REPRODUCE_MOST_ROWS = 16 };

extern const char *const reproduce_sets[]; /* "ped2", "avenue", "shanghaitech", NULL */

/* A row of the paper's tables, or one that belongs beside them. */
typedef struct {
    const char *recipe, *name, *where;
    double paper[REPRODUCE_SETS]; /* AUROC in percent; NaN: not in the paper */
} ReproduceRow;

extern const ReproduceRow reproduce_rows[];
int reproduce_row_count(void);

/* One trained and evaluated model. */
typedef struct {
    bool done;
    double low, high;                     /* of auroc: 95 % interval over clips, percent */
    double auroc;                         /* by the paper's protocol for the data set, percent */
    double per_clip, global, macro, psnr; /* percent, dB */
    int64_t steps_per_epoch;
    double epoch_seconds; /* mean over its epochs, as logged; NaN: unknown */
} ReproduceRun;

/* Time of a step, all rows in turns: everything, and without waiting for data. */
typedef struct {
    double step_seconds, compute_seconds;
} ReproduceTime;

/* What a reproduction has so far; `run` is by row, then by seed. */
typedef struct {
    const char *set, *data, *output, *size, *init, *settings; /* init may be NULL */
    int set_index;
    char labels[128]; /* the ground truth of the figures, as the evaluation names it */
    int rows[REPRODUCE_MOST_ROWS], row_count; /* indices into reproduce_rows */
    int64_t seeds[REPRODUCE_MOST_SEEDS];
    int seed_count;
    ReproduceRun run[REPRODUCE_MOST_ROWS][REPRODUCE_MOST_SEEDS];
    ReproduceTime time[REPRODUCE_MOST_ROWS]; /* zero where not measured */
    double persistence;                      /* AUROC by the same protocol; 0: unknown */
} Reproduction;

/* A folder holds runs of one kind: ERR_USAGE where it was begun with other data, size, start or
 * settings; else they are written down there. */
int reproduce_claim(const Reproduction *r);

/* OUTPUT/ROW-seedN, the folder of a run. */
void reproduce_folder(char *buf, size_t n, const Reproduction *r, int row, int seed);

/* Reads what its folder holds; run->done stays false where the evaluation is not there yet. */
int reproduce_read_run(ReproduceRun *run, Reproduction *r, const char *folder);

/* Steps of a log: medians over all but the first few. ERR_FAIL where there are too few. */
int reproduce_read_time(ReproduceTime *time, const char *log_path);

/* Writes report.html, report.md and results.json into the output folder; with `pictures` also
 * Fig. 2, which takes seconds. */
int reproduce_write(Reproduction *r, bool pictures);

#endif
