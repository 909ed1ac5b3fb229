/* Figures for a user who is alarmed when a score reaches a threshold: false alarms and delays.
 *
 * A frame is over the threshold if its score is >= the threshold. An alarm is a maximal run of such
 * frames in one clip. An alarm is false if none of its frames is abnormal; it is true even if it
 * begins early or ends late. Rates are per hour of normal frames, at `fps`.
 *
 * An event is a maximal run of abnormal frames in one clip. An event is detected if one of its
 * frames is over the threshold. Its delay is the number of frames from its first frame to the first
 * one over the threshold, so 0 if its first frame is over.
 *
 * Candidate thresholds are the scores that occur; one threshold holds for all clips. A lower
 * threshold can give fewer false alarms, because runs grow together. */
#ifndef EVAL_ALARMS_H
#define EVAL_ALARMS_H

#include <stdint.h>

enum { ALARM_RECALLS = 3 };
extern const double alarm_recalls[ALARM_RECALLS]; /* 0.5, 0.8, 0.95 */

typedef struct {
    /* False alarms an hour at the highest threshold that at least alarm_recalls[i] of the abnormal
     * frames reach. NaN if one class is absent. */
    double per_hour[ALARM_RECALLS];
    /* The lowest threshold such that it and all higher ones give at most `budget` false alarms an
     * hour. +infinity if even the highest score gives more. */
    double threshold;
    int64_t events, detected; /* all events; those detected at `threshold` */
    double delay;             /* mean over detected events, in frames; NaN if none */
} Alarms;

/* Measures all of the above. `score` and `label` hold the clips end to end, without NaN. fps > 0,
 * budget >= 0. ERR_FAIL if memory is out. */
int alarms_measure(Alarms *out, const double *score, const uint8_t *label,
                   const int64_t *clip_length, int clips, double fps, double budget);

/* The rate, per hour, of one false alarm in `normal` > 0 frames. Lower rates are measured as 0. */
double alarms_smallest(int64_t normal, double fps);

#endif
