/* Ranges of abnormal frames, from the text, JSON and MAT files of the literature. */
#ifndef DATA_RANGES_H
#define DATA_RANGES_H

#include <stdint.h>

#include "data/dataset.h"

typedef struct {
    int64_t clip, first, last; /* position in the test split; frames from 0, both inclusive */
} Range;

typedef struct {
    Range *item;
    int64_t count, capacity;
    int64_t clips; /* number of clips that the file describes */
    int from;      /* the number of a clip's first frame in the file, 0 or 1; for messages */
} Ranges;

/* Frames from 0. ERR_FAIL where the range is empty or begins before frame 0; the message counts as
 * the file does and does not name it. */
int ranges_add(Ranges *r, int64_t clip, int64_t first, int64_t last);
void ranges_free(Ranges *r);

/* The parsers below take `n` bytes of text. The caller zeroes *out before and frees it in any case.
 * Messages name `name` and the line. */

/* UCSD's .m: one line "TestVideoFile{end+1}.gt_frame = [61:180, 190:200];" per clip. Frames count
 * from 1. */
int ranges_parse_ucsd(Ranges *out, const char *name, const char *text, int64_t n);

/* Lines "clip start end" and # comments. What stands before the two numbers is the clip's name, or
 * its file's, with or without quotes; it may have blanks. Frames count from 0, or as a comment line
 * before the first range says: "# first frame: 1", or "# clip start end, from 1". Clips without a
 * line have no range. */
int ranges_parse_text(Ranges *out, const char *name, const char *text, int64_t n,
                      const Split *test);

/* {"01": {"length": 1439, "anomalies": [{"running": [[78, 120], ...]}, ...]}, ...} Frames count
 * from 1. Each clip must occur once. The lengths are compared with the clips'. */
int ranges_parse_json(Ranges *out, const char *name, const char *text, int64_t n,
                      const Split *test);

/* Whether the text has this form. Other JSON files may lie beside the data. */
int ranges_is_json(const char *text, int64_t n);

#endif
