#include "eval/interval.h"

#include <math.h>

static const double normal_quantile = 1.959963984540054; /* 0.975 */

/* The probability that |t| < tan(angle) sqrt(df) for Student's t (Abramowitz and Stegun, 26.7.3 and
 * 26.7.4). */
static double share_within(double angle, int df) {
    int odd = df % 2;
    double c = cos(angle), sum = 0, term = odd ? c : 1;
    for (int k = odd; k <= df - 2; k += 2) {
        sum += term;
        term *= c * c * (k + 1) / (k + 2);
    }
    sum *= sin(angle);
    return odd ? 2 / M_PI * (angle + sum) : sum;
}

double student_quantile(int df) {
    double low = 0, high = M_PI / 2;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        *(share_within(middle, df) < 0.95 ? &low : &high) = middle;
    }
    return tan(low) * sqrt(df);
}

static double logit(double p) {
    return log(p) - log1p(-p);
}

void interval_widen(double *low, double *high, double estimate, int clips) {
    double at = logit(estimate), below = at - logit(*low), above = logit(*high) - at;
    if (clips < 2 || !(*low < *high) || !isfinite(at)) {
        *low = *high = NAN;
        return;
    }
    double wider = fmax(isfinite(below) ? below : 0, isfinite(above) ? above : 0);
    double reach = wider * student_quantile(clips - 1) / normal_quantile;
    if (isfinite(below))
        *low = 1 / (1 + exp(reach - at));
    if (isfinite(above))
        *high = 1 / (1 + exp(-reach - at));
}
