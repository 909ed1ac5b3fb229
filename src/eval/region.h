/* Region-based and track-based detection, RBDC and TBDC (method D.3): areas under the share of
 * found boxes, and of found tracks, over false alarms a frame from 0 to 1. */
#ifndef EVAL_REGION_H
#define EVAL_REGION_H

#include "data/tracks.h"
#include "score/boxes.h"

/* Detections are taken from the highest score down, those of equal scores together: they are one
 * step, a straight line of both curves, as for AUROC. One detection finds every box of its frame
 * that it overlaps by an intersection over union of at least 0.1; where there is none it is a false
 * alarm; where all were found before it is neither. A track is found once at least a tenth of its
 * boxes are. After the last detection the shares stay as they are; a step that passes one false
 * alarm a frame counts up to there.
 *
 * `frames` is the number of all frames of the test clips. *rbdc and *tbdc in [0, 1]; NaN where
 * there is no box to find. Sorts `d`; a score that is NaN is ERR_FAIL. */
int region_score(double *rbdc, double *tbdc, const Tracks *truth, Detection *d, int64_t count,
                 int64_t frames);

#endif
