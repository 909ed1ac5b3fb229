/* The lines that `score` writes:
 *
 *     {"frame":4,"seconds":0.160,"psnr":28.1}
 *     frame,seconds,psnr
 *     4,0.160,28.1
 *
 * Other keys and columns may stand among them, in any order. With a "file", lines of several clips
 * follow each other; without, the lines are of one clip, which has the name of the score's file. */
#ifndef EVAL_SCORE_LINES_H
#define EVAL_SCORE_LINES_H

#include "eval/score_file.h"

/* Appends the clips. A frame without a line has no score. ERR_FAIL names the line. */
int score_lines_read(ScoreFile *f, const char *path);

#endif
