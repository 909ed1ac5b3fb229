/* Ranges of abnormal frames, as text, JSON and MAT files of the literature give them. */
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
    int64_t clips; /* that the file speaks of */
} Ranges;

/* ERR_FAIL where the range is empty or begins before frame 0; the message lacks the file's name. */
int ranges_add(Ranges *r, int64_t clip, int64_t first, int64_t last);
void ranges_free(Ranges *r);

/* The parsers below take `n` bytes of text, give a zeroed *out to be freed in any case, and name
 * `name` and the line in messages. */

/* UCSD's .m: one line "TestVideoFile{end+1}.gt_frame = [61:180, 190:200];" a clip, from 1. */
int ranges_parse_ucsd(Ranges *out, const char *name, const char *text, int64_t n);

/* "clip start end" lines from 0, # comments; clips that are not named have no range. */
int ranges_parse_text(Ranges *out, const char *name, const char *text, int64_t n,
                      const Split *test);

/* {"01": {"length": 1439, "anomalies": [{"running": [[78, 120], ...]}, ...]}, ...} from 1, every
 * clip once; the lengths are compared with the clips'. */
int ranges_parse_json(Ranges *out, const char *name, const char *text, int64_t n,
                      const Split *test);

/* True where the text has that form: other JSON files may lie beside the data. */
int ranges_is_json(const char *text, int64_t n);

#endif
