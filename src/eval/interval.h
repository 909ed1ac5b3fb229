/* Widens a bootstrap's 95 % interval, which is too narrow with few clips. */
#ifndef EVAL_INTERVAL_H
#define EVAL_INTERVAL_H

/* The 0.975 quantile of Student's t with `df` >= 1 degrees of freedom. */
double student_quantile(int df);

/* Widens *low and *high, the percentiles of a bootstrap over `clips` clips, around `estimate`; all
 * three lie in [0, 1]. On the logit scale, both sides get the length of the wider side, times the
 * quantile of Student's t with clips - 1 degrees of freedom over that of the normal distribution.
 * An end at 0 or 1 stays there, and the other side counts as the wider one. Both ends are NaN if
 * the draws show no spread: fewer than two clips, low == high, an estimate of 0 or 1, or a NaN
 * among the three.
 *
 * Printed intervals can be recomputed from printed numbers: the function needs nothing else. */
void interval_widen(double *low, double *high, double estimate, int clips);

#endif
