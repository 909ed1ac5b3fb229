/* A score that is fair to every place: the error of a window beside what it is there in normal
 * footage. Where people are near and many, errors are large every day; in a distant corner a tenth
 * of them is news. A frame of a live camera can be scored so too: nothing of its clip's future is
 * needed. */
#ifndef SCORE_PLACES_H
#define SCORE_PLACES_H

#include "data/dataset.h"
#include "score/scorer.h"

typedef struct Places Places;

/* From error maps of normal frames, side x side cells (variant_cell), of which there will be
 * `frames` at most. */
int places_open(Places **out, int side, int64_t frames);
void places_free(Places **p); /* accepts NULL */

void places_add(Places *p, const float *map); /* one normal frame's */

/* After the last frame: the level of each window of 4 x 4 cells becomes the error that nine in ten
 * frames stay below, plus 3 % of the largest such level, without which a place where nothing ever
 * happened would outweigh all others. */
void places_finish(Places *p);

/* -10 log10 of the root of the mean square, over all windows, of the error over its level: dB, 0
 * where the frame is what nine in ten are everywhere, higher = more normal. `scratch` has room for
 * side^2 values. */
double places_score(const Places *p, const float *map, float *scratch);

/* Measures normal footage by some models of one input size: places[m] is scorer[m]'s. Of long
 * footage 4096 pairs at most are looked at, spread evenly. `progress` may be NULL. ERR_STOPPED when
 * the user asks to stop; ERR_FAIL names a clip that cannot be decoded. */
int places_measure(Places **places, Scorer *const *scorer, int models, const Split *clips,
                   void (*progress)(int64_t done, int64_t total));

#endif
