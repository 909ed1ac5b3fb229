#include "train/schedule.h"

#include <math.h>

double schedule_lr(const TrainSettings *s, int64_t steps_per_epoch, int64_t t) {
    double warm = s->warmup_epochs * (double)steps_per_epoch;
    if ((double)t < warm)
        return s->warmup_lr + (double)t * (s->lr - s->warmup_lr) / warm;
    if (s->schedule == SCHEDULE_CONSTANT)
        return s->lr;
    double total = (double)(s->epochs * steps_per_epoch);
    return s->lr_min + 0.5 * (s->lr - s->lr_min) * (1 + cos(M_PI * (double)t / total));
}

double schedule_step_lr(const TrainSettings *s, int64_t steps_per_epoch, int64_t n) {
    return schedule_lr(s, steps_per_epoch, n > 0 ? n - 1 : 0);
}
