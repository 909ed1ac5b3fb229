/* The surprise of a frame: how rare the greatest opinion about it is (method I.3). */
#ifndef SCORE_SURPRISE_H
#define SCORE_SURPRISE_H

typedef enum { OPINION_MOTION, OPINION_ERROR, OPINION_STAYS, OPINIONS } Opinion;

extern const char *const opinion_names[]; /* "motion", "error", "stays" */

/* What the opinions say, each calibrated alone; NaN: it has none. */
typedef struct {
    double opinion[OPINIONS];
} Opinions;

/* How rare it is that any opinion is as great as the greatest: each has an equal share of the
 * frames that are rare by chance. NaN if there is none. *by gets which one spoke, and may be NULL.
 */
double surprise_of(const Opinions *o, Opinion *by);

/* What is told of a frame; NaN where there is none. */
typedef struct {
    double psnr, surprise;
    Opinion by; /* of the surprise */
} FrameScore;

#endif
