#include "app/learn_error.h"

#include <math.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/stop.h"
#include "score/psnr.h"
#include "score/scorer.h"

static const float LEAST_TAIL = 0.1F; /* dB */

static int look_at(float *value, const PairBatch *b, int64_t i, Scorer *scorer) {
    const ScorerInfo *info = scorer_info(scorer);
    int64_t frame = VIT_COLOURS * info->size * info->size;
    double psnr;
    int code = scorer_run(scorer, b->x + i * info->frames * frame, b->y + i * frame, &psnr);
    *value = (float)-psnr_shown(psnr);
    return code;
}

typedef struct {
    Pairs *pairs;
    Scorer *scorer;
    int batch;
    int64_t seen, total; /* pairs, for the progress bar */
} Look;

static int look(Look *l, float *values, PairsSample which) {
    PairBatch b;
    int64_t count = pairs_sample(l->pairs, which);
    int code = pairs_seek_sample(l->pairs, which);
    for (int64_t i = 0; i < count && !code; i++) {
        code = stop_requested() ? ERR_STOPPED : 0;
        if (!code && i % l->batch == 0)
            code = pairs_next(l->pairs, &b);
        if (!code)
            code = look_at(&values[i], &b, i % l->batch, l->scorer);
        if (!code)
            progress_draw("errors", ++l->seen, l->total, "%.2f dB", -values[i]);
    }
    return code;
}

static double mean(const float *values, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += values[i];
    return sum / (double)count;
}

/* How much larger errors of frames are that the network never saw than errors of those beside
 * them. `values` is scratch. */
static int find_gap(Look *l, float *values, double *gap) {
    static const PairsSample which[] = {PAIRS_BESIDE, PAIRS_HELD_OUT};
    double errors[2];
    for (int i = 0; i < 2; i++) {
        int code = look(l, values, which[i]);
        if (code)
            return code;
        errors[i] = mean(values, pairs_sample(l->pairs, which[i]));
    }
    *gap = fmax(errors[1] - errors[0], 0);
    return 0;
}

static int learn(Calibration *out, Look *l, float *values) {
    double gap;
    int64_t count = pairs_sample(l->pairs, PAIRS_LEARNED);
    int code = find_gap(l, values, &gap);
    if (!code)
        code = look(l, values, PAIRS_LEARNED);
    progress_end();
    for (int64_t i = 0; i < count && !code; i++)
        values[i] += (float)gap;
    if (!code)
        code = calibration_fit(out, values, (int)count, LEAST_TAIL);
    if (!code)
        log_info("errors    learned from %lld frames; others are predicted %.2f dB worse",
                 (long long)count, gap);
    return code;
}

int learn_error(Calibration *out, const char *model, Pairs *pairs, int batch, Backend *be) {
    Look l = {.pairs = pairs, .batch = batch};
    int64_t most = 0;
    for (int which = PAIRS_HELD_OUT; which <= PAIRS_LEARNED; which++) {
        int64_t count = pairs_sample(pairs, (PairsSample)which);
        l.total += count;
        most = count > most ? count : most;
    }
    float *values = mem_alloc((size_t)most, sizeof *values);
    int code = values ? scorer_open(&l.scorer, model, be) : ERR_FAIL;
    if (!code)
        code = learn(out, &l, values);
    scorer_free(&l.scorer);
    mem_free(values);
    return code;
}
