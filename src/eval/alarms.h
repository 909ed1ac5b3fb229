/* What scores mean to somebody who is called at a threshold: false alarms and delays.
 *
 * A frame is over the threshold where its score is >= it. An alarm is a run of such frames in one
 * clip that cannot be made longer; it is false where none of its frames is abnormal. (An alarm that
 * begins early or ends late is a true one.) Rates are per hour of normal frames, at `fps`. An event
 * is a run of abnormal frames of one clip that cannot be made longer; it is detected where a frame
 * of it is over the threshold, and its delay is the number of frames from its first one to that
 * frame: 0 where the first is over. Thresholds are the scores that occur, one for all clips. A
 * lower one can have fewer false alarms: runs grow together. */
#ifndef EVAL_ALARMS_H
#define EVAL_ALARMS_H

#include <stdint.h>

enum { ALARM_RECALLS = 3 };
extern const double alarm_recalls[ALARM_RECALLS]; /* 0.5, 0.8, 0.95 */

typedef struct {
    /* False alarms an hour at the highest threshold that is met by at least this share of the
     * abnormal frames. NaN where one class is absent. */
    double per_hour[ALARM_RECALLS];
    /* At the lowest threshold of at most `budget` false alarms an hour, where no higher one has
     * more: +infinity where not even the highest score is within it. */
    double threshold;
    int64_t events, detected; /* all; at that threshold */
    double delay;             /* mean over the detected ones, in frames; NaN where there are none */
} Alarms;

/* Clips end to end; score holds no NaN. fps > 0, budget >= 0. ERR_FAIL where memory is out. */
int alarms_measure(Alarms *out, const double *score, const uint8_t *label,
                   const int64_t *clip_length, int clips, double fps, double budget);

/* One false alarm in `normal` > 0 frames, an hour: lower rates than this are seen as 0. */
double alarms_smallest(int64_t normal, double fps);

#endif
