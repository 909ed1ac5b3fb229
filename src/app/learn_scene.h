/* The pass of `train` that learns what is normal without a network. */
#ifndef APP_LEARN_SCENE_H
#define APP_LEARN_SCENE_H

#include "data/dataset.h"
#include "score/judgement.h"

/* Reads the clips, a frame about every tenth of a second, with a progress bar. Sets the motion and
 * what stays of *out, which must be NULL; both stay NULL if no frame had one to be compared with.
 * ERR_STOPPED when the user asks to stop. */
int learn_scene(Judgement *out, const Split *split, Backend *be);

#endif
