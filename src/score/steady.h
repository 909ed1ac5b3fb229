/* The surprise through a causal filter: it forgets single frames, and comes a little late (method
 * I.5). A function of the frames since the source began. */
#ifndef SCORE_STEADY_H
#define SCORE_STEADY_H

typedef struct {
    double level;   /* the mean of ln(1 + surprise); meaningless before the first surprise */
    double seconds; /* of the last frame with a surprise; NaN: there was none */
} Steady;

/* At the start of each source. */
Steady steady_start(void);

/* Adds a frame's surprise, NaN if it has none, and its seconds. Returns the filtered surprise, in
 * the unit of the surprise; NaN before the first one. Frames without times count as 0.1 s apart. */
double steady_add(Steady *s, double surprise, double seconds);

#endif
