#include "eval/result.h"

#include <string.h>

#include "base/err.h"
#include "eval/bootstrap.h"
#include "eval/metrics.h"

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

bool result_is_baseline(const ResultRow *row) {
    return strcmp(row->model, "persistence") == 0;
}

static bool judged_alike(const ResultRow *a, const ResultRow *b) {
    return strcmp(a->protocol, b->protocol) == 0 && strcmp(a->hash, b->hash) == 0 &&
           (a->smooth > 0) == (b->smooth > 0);
}

static const ResultRow *baseline_of(const ResultRow *rows, int count, const ResultRow *row,
                                    const char *score) {
    for (int i = 0; i < count; i++)
        if (result_is_baseline(&rows[i]) && judged_alike(&rows[i], row) &&
            strcmp(rows[i].score, score) == 0)
            return &rows[i];
    return NULL;
}

const ResultRow *result_baseline(const ResultRow *rows, int count, const ResultRow *row) {
    const ResultRow *same = baseline_of(rows, count, row, row->score);
    return same ? same : baseline_of(rows, count, row, "frame");
}

bool results_compare(const ResultRow *rows, int count) {
    bool baseline = false, other = false;
    for (int i = 0; i < count; i++)
        *(result_is_baseline(&rows[i]) ? &baseline : &other) = true;
    return baseline && other;
}

bool results_tell_score(const ResultRow *rows, int count) {
    for (int i = 0; i < count; i++)
        if (rows[i].smooth > 0 || strcmp(rows[i].score, rows[0].score) != 0)
            return true;
    return count && strcmp(rows[0].score, "frame") != 0 && strcmp(rows[0].score, "given") != 0;
}
