#include "app/learn_error.h"

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

static int look(float *values, int count, Pairs *pairs, int batch, Scorer *scorer) {
    PairBatch b;
    int code = pairs_seek_held_out(pairs);
    for (int i = 0; i < count && !code; i++) {
        code = stop_requested() ? ERR_STOPPED : i % batch == 0 ? pairs_next(pairs, &b) : 0;
        if (!code)
            code = look_at(&values[i], &b, i % batch, scorer);
        if (!code)
            progress_draw("errors", i + 1, count, "%.2f dB", -values[i]);
    }
    return code;
}

int learn_error(Calibration *out, const char *model, Pairs *pairs, int batch, Backend *be) {
    Scorer *scorer = NULL;
    int count = (int)pairs_held_out(pairs);
    float *values = mem_alloc((size_t)count, sizeof *values);
    int code = values ? scorer_open(&scorer, model, be) : ERR_FAIL;
    if (!code)
        code = look(values, count, pairs, batch, scorer);
    progress_end();
    if (!code)
        code = calibration_fit(out, values, count, LEAST_TAIL);
    if (!code)
        log_info("errors    learned from %d frames that were held out", count);
    scorer_free(&scorer);
    mem_free(values);
    return code;
}
