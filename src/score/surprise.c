#include "score/surprise.h"

#include <math.h>

const char *const opinion_names[] = {"motion", "error", "stays"};

/* -ln of the chance that the greatest of `count` opinions of a usual frame is as great, which is
 * 1 - (1 - exp(-most))^count. */
static double greatest_of(double most, int count) {
    static const double LARGE = 30; /* beyond, 1 - exp(-most) is 1 but for rounding */
    if (most > LARGE)
        return most - log(count);
    double less = count * log1p(-exp(-most)); /* ln of the chance that all are less */
    return 0 - (less < -M_LN2 ? log1p(-exp(less)) : log(-expm1(less)));
}

double surprise_of(const Opinions *o, Opinion *by) {
    int count = 0, best = 0;
    double most = NAN;
    for (int i = 0; i < OPINIONS; i++) {
        if (isnan(o->opinion[i]))
            continue;
        count++;
        if (!(o->opinion[i] <= most)) {
            most = o->opinion[i];
            best = i;
        }
    }
    if (by)
        *by = (Opinion)best;
    return count ? greatest_of(most, count) : NAN;
}
