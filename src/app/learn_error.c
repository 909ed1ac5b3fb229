#include "app/learn_error.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/stop.h"
#include "score/psnr.h"
#include "score/scorer.h"

enum { MOST = 2000 };                 /* pairs: a thousandth is two of them */
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
    int code = pairs_seek(pairs, 0);
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
    int64_t all = pairs_steps_per_epoch(pairs) * batch;
    int count = all < MOST ? (int)all : MOST;
    float *values = mem_alloc((size_t)count, sizeof *values);
    int code = values ? scorer_open(&scorer, model, be) : ERR_FAIL;
    if (!code)
        code = look(values, count, pairs, batch, scorer);
    progress_end();
    if (!code)
        code = calibration_fit(out, values, count, LEAST_TAIL);
    scorer_free(&scorer);
    mem_free(values);
    return code;
}
