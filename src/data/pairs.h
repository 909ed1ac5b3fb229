/* The training loader: shuffled pairs (X = frames t-F+1..t, Y = frame t+1), decoded ahead by a
 * thread.
 *
 * The order of an epoch is a permutation drawn from (seed, epoch) alone, so the loader's position
 * is just the step: no state to save, and a resumed run sees the same batches.
 *
 * Some pairs can be held out: a few blocks of time, spread over the footage. No batch of an epoch
 * has them; second frames may come from there. */
#ifndef DATA_PAIRS_H
#define DATA_PAIRS_H

#include <stdbool.h>

#include "data/dataset.h"
#include "video/ignore.h"

/* The second frames: what comes with a pair for its pseudo anomaly.
 * PAIRS_NO_SECOND: nothing.
 * PAIRS_SKIPPED: F frames, `jump` apart, the last one right before Y. With F = 1 it is the frame
 *     `jump` before Y. The jump, 2 to 5, is drawn anew each time among those that stay inside the
 *     clip (method C.3).
 * PAIRS_OTHER: one frame of another clip, or of the same where there is only one. */
typedef enum { PAIRS_NO_SECOND, PAIRS_SKIPPED, PAIRS_OTHER } PairsSecond;

typedef struct {
    int size;      /* frames are resized to size x size */
    int frames_in; /* F: frames stacked as input, oldest first; 1 = the paper */
    int batch;     /* pairs a step; an incomplete last batch is dropped (drop_last) */
    uint64_t seed;
    int64_t cache_bytes; /* memory budget for decoded frames */
    double interval;     /* seconds between frames that is wanted (frame_store.h); 0: every frame */
    double hold_out;     /* share of the pairs that is held out, up to 0.5; at most 1000 pairs are,
                            and none where there are so few that they tell nothing */
    const Ignore *ignore; /* what frames lack; borrowed; NULL: nothing */
    PairsSecond second;
    /* Says for which pairs the second frames are decoded; NULL: for all. The decoding thread calls
     * it. It must be a pure function of what `context` (borrowed) points to, the epoch and the
     * number of the pair. */
    bool (*wants_second)(const void *context, int64_t epoch, int64_t pair);
    const void *context;
} PairsConfig;

typedef struct {
    const uint8_t *x;      /* batch x F x size x size x 3, borrowed until the next pairs_next */
    const uint8_t *y;      /* batch x size x size x 3 */
    const uint8_t *second; /* batch x F (PAIRS_OTHER: 1) x size x size x 3, or NULL */
    /* batch: does `second` hold frames for this pair? False where none are wanted or no jump fits.
     * NULL where `second` is. */
    const bool *has_second;
    const int64_t *index; /* batch: number of the pair in the data set, for the mask's RNG */
    double stall;         /* seconds that the caller waited for this batch */
} PairBatch;

/* Pairs in their order, to judge a network by.
 * PAIRS_HELD_OUT: those of the blocks, but for the ends of each, which are like their neighbours.
 * PAIRS_BESIDE: as many as a block has on both sides of each: learned from, and of the same time.
 * PAIRS_LEARNED: at most 2000 that are learned from, spread over the footage. */
typedef enum { PAIRS_HELD_OUT, PAIRS_BESIDE, PAIRS_LEARNED } PairsSample;

typedef struct Pairs Pairs;

/* Looks at the clips of a split; memory and thread come with the first seek or batch. ERR_FAIL
 * where a clip has fewer than F + 1 frames or cannot be decoded, naming it, or where there are
 * fewer pairs than one batch. Clips whose frames differ in size are an error when read. */
int pairs_open(Pairs **out, const Split *split, const PairsConfig *config);
void pairs_free(Pairs **p);

int64_t pairs_count(const Pairs *p);                     /* pairs of an epoch */
int64_t pairs_sample(const Pairs *p, PairsSample which); /* pairs of a sample; may be 0 */
int64_t pairs_steps_per_epoch(const Pairs *p);           /* count / batch, rounded down */
double pairs_interval(const Pairs *p); /* seconds between frames; 0: every frame */
int64_t pairs_memory(const Pairs *p);  /* bytes that the cache and the buffers take at most */

/* The next call of pairs_next gives the batch of this step (from 0, over all epochs). */
int pairs_seek(Pairs *p, int64_t step);

/* The next calls of pairs_next give a sample that is not empty, from its first pair; the last batch
 * repeats the last one. There are no second frames. Until pairs_seek. */
int pairs_seek_sample(Pairs *p, PairsSample which);

/* One batch, in order. Errors of the decoding thread surface here. */
int pairs_next(Pairs *p, PairBatch *out);

#endif
