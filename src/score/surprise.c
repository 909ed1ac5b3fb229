#include "score/surprise.h"

#include <math.h>

const char *const opinion_names[] = {"motion", "error", "stays"};

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
    return count ? fmax(most - log(count), 0) : NAN;
}
