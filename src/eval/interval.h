/* A 95 % interval that holds with few clips, from one that is too narrow. */
#ifndef EVAL_INTERVAL_H
#define EVAL_INTERVAL_H

/* The 0.975 quantile of Student's t with `df` >= 1 degrees of freedom. */
double student_quantile(int df);

/* Widens *low and *high, the percentiles of a bootstrap over `clips` clips, around `estimate`; all
 * three lie from 0 to 1. On the logit scale the interval becomes symmetric by its wider side, which
 * grows by the quantile of Student's t with clips - 1 degrees of freedom over the normal one. An
 * end at 0 or 1 stays there, and the other side is the wider one. Both are NaN where the draws tell
 * no spread: fewer than two clips, low == high, an estimate of 0 or 1, or a NaN among the three.
 *
 * It needs nothing else, so printed intervals can be computed anew from what was printed. */
void interval_widen(double *low, double *high, double estimate, int clips);

#endif
