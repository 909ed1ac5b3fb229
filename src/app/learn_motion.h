/* The pass of `train` that learns what motion is normal. */
#ifndef APP_LEARN_MOTION_H
#define APP_LEARN_MOTION_H

#include "data/dataset.h"
#include "score/motion.h"

/* Reads the clips, a frame about every tenth of a second, with a progress bar. The caller frees
 * *out; it is NULL if no frame had one to be compared with. ERR_STOPPED when the user asks to
 * stop. */
int learn_motion(MotionModel **out, const Split *split, Backend *be);

#endif
