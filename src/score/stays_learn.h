/* Learns how places look where something stands still, from training frames (method I.4). */
#ifndef SCORE_STAYS_LEARN_H
#define SCORE_STAYS_LEARN_H

#include "score/stays.h"

typedef struct StaysLearner StaysLearner;

/* `bytes`: room for frames (kept_frames.h). */
int stays_learner_open(StaysLearner **out, MovementSize picture, int64_t bytes);
void stays_learner_free(StaysLearner **l); /* accepts NULL */

/* Forgets the frames before: between clips. */
void stays_learner_reset(StaysLearner *l);

/* Sees the next frame, whose picture `m` keeps already. */
void stays_learner_add(StaysLearner *l, const Movement *m, const Frame *f);

/* Learns. *out is NULL if there was no frame. */
int stays_learner_finish(const StaysLearner *l, StaysModel **out);

#endif
