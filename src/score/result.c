#include "score/result.h"

#include "base/err.h"
#include "score/bootstrap.h"
#include "score/metrics.h"

int result_measure(ResultRow *row, const Judged *j, double fps, double budget) {
    double micro, macro, low, high, ap, eer;
    int code = auroc(&micro, j->score, j->label, j->frames);
    if (!code)
        code = auroc_macro(&macro, j->score, j->label, j->length, j->clips);
    if (!code)
        code = bootstrap_auroc(&low, &high, j->score, j->label, j->length, j->clips);
    if (!code)
        code = average_precision(&ap, j->score, j->label, j->frames);
    if (!code)
        code = equal_error_rate(&eer, j->score, j->label, j->frames);
    if (!code)
        code = alarms_measure(&row->alarms, j->score, j->label, j->length, j->clips, fps, budget);
    if (code)
        return code;
    row->frames = j->frames;
    row->abnormal = j->abnormal;
    row->auroc_micro = 100 * micro;
    row->auroc_macro = 100 * macro;
    row->low = 100 * low;
    row->high = 100 * high;
    row->ap = 100 * ap;
    row->eer = 100 * eer;
    return 0;
}
