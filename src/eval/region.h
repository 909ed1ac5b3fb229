/* Region-based and track-based detection, RBDC and TBDC (method D.3). RBDC is the area under the
 * curve of the share of found boxes over false alarms a frame, from 0 to 1; TBDC the same for found
 * tracks. */
#ifndef EVAL_REGION_H
#define EVAL_REGION_H

#include "data/tracks.h"
#include "score/boxes.h"

/* Takes detections from the highest score down. Detections of equal score are one step, a straight
 * line in both curves, as for AUROC. A detection finds every box of its frame with which its
 * intersection over union is at least 0.1. If there is no such box, it is a false alarm. If all
 * such boxes were found before, it counts as nothing. A track is found once at least a tenth of its
 * boxes are found. After the last detection the curves stay level. A step that passes one false
 * alarm a frame counts only up to that point.
 *
 * `frames` is the number of all frames of the test clips. *rbdc and *tbdc in [0, 1]; NaN if there
 * is no box to find. Sorts `d`. ERR_FAIL if a score is NaN. */
int region_score(double *rbdc, double *tbdc, const Tracks *truth, Detection *d, int64_t count,
                 int64_t frames);

#endif
