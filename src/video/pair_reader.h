/* The pairs of an input, in order: each frame that is taken, with the frames before it. Scoring a
 * file and watching a camera take this same path. */
#ifndef VIDEO_PAIR_READER_H
#define VIDEO_PAIR_READER_H

#include "video/source.h"

typedef struct PairReader PairReader;

typedef struct {
    int size, frames;     /* the network's side in pixels and its input frames, F */
    double interval;      /* seconds between the frames of a pair; 0: every frame is taken */
    const Ignore *ignore; /* parts that the frames lack; borrowed; NULL: none */
} PairReaderConfig;

typedef enum {
    PAIR_WHOLE,   /* x and y are a pair to score */
    PAIR_SHORT,   /* frames before this one are missing: the start, a gap, a damaged frame */
    PAIR_BETWEEN, /* the interval leaves this frame out, or it is from before the connection */
    PAIR_LATE,    /* whole, but newer frames of a camera wait: to score it would delay them */
} PairState;

/* Opens `url` with these options (NULL: the defaults) and starts to read ahead. */
int pair_reader_open(PairReader **out, const char *url, const SourceOptions *options,
                     const PairReaderConfig *config);
void pair_reader_free(PairReader **r); /* accepts NULL */

/* Reads the next frame. *frame is borrowed until the next call. Returns what source_read does. */
int pair_reader_next(PairReader *r, const Frame **frame, PairState *state);

/* Of the last frame's pair: F x size x size x 3 and size x size x 3; borrowed until the next call.
 */
const uint8_t *pair_reader_x(const PairReader *r);
const uint8_t *pair_reader_y(const PairReader *r);

const SourceInfo *pair_reader_info(const PairReader *r); /* borrowed */

/* Seconds between the source's frames, a mean over the last ones; 0 while it is not known. */
double pair_reader_spacing(const PairReader *r);

#endif
