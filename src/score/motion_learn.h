/* Learns what motion is normal from the cells of training frames (method I.2). */
#ifndef SCORE_MOTION_LEARN_H
#define SCORE_MOTION_LEARN_H

#include "score/motion.h"

typedef struct MotionLearner MotionLearner;

/* `bytes`: room for frames. When it is full, every second frame is forgotten and from then on half
 * as many are kept, so that they are spread over all the footage. */
int motion_learner_open(MotionLearner **out, MovementSize picture, int64_t bytes);
void motion_learner_free(MotionLearner **l); /* accepts NULL */

/* Adds what moved in a frame. */
void motion_learner_add(MotionLearner *l, const Movement *m);

/* The same from its planes of cells (movement.h). */
void motion_learner_add_cells(MotionLearner *l, const float *speed, const float *right,
                              const float *down);

/* Learns. *out is NULL if there was no frame. */
int motion_learner_finish(const MotionLearner *l, MotionModel **out);

#endif
