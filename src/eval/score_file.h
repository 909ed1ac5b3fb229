/* Scores that another program computed, for the same protocols and figures. */
#ifndef EVAL_SCORE_FILE_H
#define EVAL_SCORE_FILE_H

#include <stdbool.h>

#include "eval/evaluate.h"

/* One .npy array of all clips end to end, or a folder with one a clip, in the order of
 * listing_compare. Any real or integer type and shape. */
typedef struct {
    char *path;
    int files;       /* 0: one array, its parts unknown */
    char **name;     /* of each file, without ".npy" */
    int64_t *length; /* scores in each file */
    double *score;
    int64_t count;
} ScoreFile;

/* ERR_FAIL names the file, and the first score that is not finite. */
int score_file_open(ScoreFile **out, const char *path);
void score_file_free(ScoreFile **f); /* accepts NULL */

/* Clips to label where there is no footage: `frames` of each of them, or for NULL as many as each
 * file has scores and `unscored` more. To be freed with dataset_free; its root is NULL. */
int score_file_clips(Dataset **out, const ScoreFile *f, const int64_t *frames, int clips,
                     int64_t unscored);

/* The first and the last frames of each clip have no score. `regularity`: higher scores are more
 * normal, not more abnormal. All but `e` borrowed and kept. ERR_FAIL tells both lengths where they
 * do not fit. */
int score_file_evaluation(Evaluation *out, const ScoreFile *f, const Dataset *data,
                          const Labels *const *labels, int truths, int64_t first, int64_t last,
                          bool regularity);

#endif
