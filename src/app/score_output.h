/* What `normalcy score` writes: a line for each score, or an array of all of them. */
#ifndef APP_SCORE_OUTPUT_H
#define APP_SCORE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "score/surprise.h"
#include "video/frame.h"

enum { FORMAT_JSONL, FORMAT_CSV, FORMAT_NPY };
extern const char *const score_format_names[];

typedef struct ScoreOutput ScoreOutput;

typedef struct {
    int format;
    const char *path; /* NULL: stdout */
    bool live;        /* lines have the wall clock's time; a file is appended to */
    bool many;        /* lines name their clip */
    bool surprise;    /* lines have the surprise, and which opinion spoke */
} ScoreOutputConfig;

/* Opens the file, or stdout. `c` is copied, its path borrowed. */
int score_output_open(ScoreOutput **out, const ScoreOutputConfig *c);

/* Adds a frame. Without a PSNR it gets no line, but for a damaged frame. Lines for stdout and of a
 * live source are written at once. */
int score_output_add(ScoreOutput *o, const char *clip, const Frame *f, FrameScore score);

/* Finishes the file, whatever ended the input. */
int score_output_save(ScoreOutput *o);

/* Drops a file that is not saved, but not what a live source wrote. Accepts NULL. */
void score_output_free(ScoreOutput **o);

#endif
