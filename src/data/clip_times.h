/* When the frames of a clip are shown, and which of them a network takes. */
#ifndef DATA_CLIP_TIMES_H
#define DATA_CLIP_TIMES_H

#include "data/dataset.h"

/* The seconds of all frames of a clip, *n of them; the caller frees them with mem_free. *seconds is
 * NULL where the clip has no times: pictures, raw video. Reads a file's packets, or decodes it
 * where they do not tell. ERR_FAIL for a live source. */
int clip_times(const Clip *c, double **seconds, int64_t *n);

/* The usual distance between two frames: the median; 0 for fewer than two. */
double clip_times_spacing(const double *seconds, int64_t n);

#endif
