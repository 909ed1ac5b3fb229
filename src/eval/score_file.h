/* Scores that another program computed, judged by the same protocols and figures. */
#ifndef EVAL_SCORE_FILE_H
#define EVAL_SCORE_FILE_H

#include <stdbool.h>

#include "eval/evaluate.h"

/* One .npy array of all clips end to end, or a folder with one .npy file for each clip, in the
 * order of listing_compare. Arrays may have any real or integer type and any shape. */
typedef struct {
    char *path;
    int files;       /* 0: one array whose clips are unknown */
    char **name;     /* of each file, without ".npy" */
    int64_t *length; /* scores in each file */
    double *score;
    int64_t count;
} ScoreFile;

/* ERR_FAIL names the file, and the first score that is not finite. */
int score_file_open(ScoreFile **out, const char *path);
void score_file_free(ScoreFile **f); /* accepts NULL */

/* Makes the clips of a data set without footage. Clip i has frames[i] frames; if `frames` is NULL,
 * as many as its file has scores, plus `unscored`. The caller frees *out with dataset_free; its
 * root is NULL. */
int score_file_clips(Dataset **out, const ScoreFile *f, const int64_t *frames, int clips,
                     int64_t unscored);

/* Makes an evaluation of the scores. The first `first` and the last `last` frames of each clip have
 * no score. `regularity`: higher scores are more normal, not more abnormal. `f`, `data` and
 * `labels` are borrowed and must outlive *out. ERR_FAIL tells both lengths if they do not fit. */
int score_file_evaluation(Evaluation *out, const ScoreFile *f, const Dataset *data,
                          const Labels *const *labels, int truths, int64_t first, int64_t last,
                          bool regularity);

#endif
