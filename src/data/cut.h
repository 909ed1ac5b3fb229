/* Footage in blocks of time: most to learn from, the others to calibrate with. */
#ifndef DATA_CUT_H
#define DATA_CUT_H

#include "data/dataset.h"

typedef struct {
    double block;  /* seconds */
    int every;     /* one in so many blocks is for calibration; at least 2 */
    double margin; /* seconds on both sides of such a block that belong to neither: neighbours are
                      alike */
} Cut;

/* Cuts the clips, one after the other, into parts. The clips' times make one line; frames of
 * folders count as a tenth of a second each. Parts of fewer than `least` frames are dropped. The
 * caller frees both with split_free. ERR_FAIL where a clip cannot be read, naming it. */
int cut_split(Split *learn, Split *calibrate, const Split *all, const Cut *cut, int64_t least);

/* Seconds of all clips together. ERR_FAIL where a clip cannot be read, naming it. */
int cut_seconds(double *seconds, const Split *all);

#endif
