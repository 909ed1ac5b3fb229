/* Scores that another program computed, or `score` itself, judged by the same protocols and
 * figures. */
#ifndef EVAL_SCORE_FILE_H
#define EVAL_SCORE_FILE_H

#include <stdbool.h>

#include "eval/evaluate.h"

/* One of:
 * - a .npy array of all clips end to end, of any real or integer type and any shape;
 * - the lines of `score`, JSON or CSV (score_lines.h), of one clip or several;
 * - a folder with a file of either kind for each clip, in the order of listing_compare.
 * NaN stands for a frame without a score. */
typedef struct {
    char *path;
    int files;       /* clips that the files tell apart; 0: one array whose clips are unknown */
    char **name;     /* of each clip, without the file's extension */
    int64_t *length; /* scores in each clip */
    int64_t names;   /* room for names and lengths */
    double *score;
    int64_t count, room;
    bool lines; /* of `score`: PSNRs, so higher = more normal; clips may be longer */
} ScoreFile;

/* ERR_FAIL names the file. */
int score_file_open(ScoreFile **out, const char *path);
void score_file_free(ScoreFile **f); /* accepts NULL */

/* Adds a clip that has no score yet, and the name of this file without its extension. */
int score_file_add_clip(ScoreFile *f, const char *file);

/* Makes the clips of a data set without footage. Clip i has frames[i] frames; if `frames` is NULL,
 * as many as its file has scores, plus `unscored`. One clip of an array has the file's name,
 * several have numbers. The caller frees *out with dataset_free; its root is NULL. */
int score_file_clips(Dataset **out, const ScoreFile *f, const int64_t *frames, int clips,
                     int64_t unscored);

/* Makes an evaluation of the scores. The first `first` and the last `last` frames of each clip have
 * no score: an array leaves them out, or holds NaN there. `regularity`: higher scores are more
 * normal, not more abnormal; an infinite one, and 100 where none is higher, is a frame that equals
 * its prediction (score/psnr.h). Other infinite scores are refused. `f`, `data` and `labels` are
 * borrowed and must outlive *out. ERR_FAIL tells both lengths if they do not fit, and the clip
 * without any score. */
int score_file_evaluation(Evaluation *out, const ScoreFile *f, const Dataset *data,
                          const Labels *const *labels, int truths, int64_t first, int64_t last,
                          bool regularity);

#endif
