#include "app/learn_error.h"

#include <math.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/stop.h"
#include "data/pairs.h"
#include "score/psnr.h"
#include "score/scorer.h"

enum { MOST = 2000 };                       /* pairs: a thousandth is two of them */
static const float LEAST_TAIL = 0.1F;       /* dB */
static const int64_t CACHE_BYTES = 1 << 20; /* pairs come in any order and once */

static int look(float *values, int count, Pairs *pairs, Scorer *scorer) {
    for (int i = 0; i < count; i++) {
        PairBatch batch;
        double psnr;
        int code = stop_requested() ? ERR_STOPPED : pairs_next(pairs, &batch);
        if (!code)
            code = scorer_run(scorer, batch.x, batch.y, &psnr);
        if (code)
            return code;
        values[i] = (float)-psnr_shown(psnr);
        progress_draw("errors", i + 1, count, "%.2f dB", psnr_shown(psnr));
    }
    return 0;
}

int learn_error(Calibration *out, const char *model, const Split *split, Backend *be) {
    Scorer *scorer = NULL;
    Pairs *pairs = NULL;
    float *values = mem_alloc(MOST, sizeof *values);
    int code = values ? scorer_open(&scorer, model, be) : ERR_FAIL, count = 0;
    if (!code) {
        const ScorerInfo *info = scorer_info(scorer);
        PairsConfig c = {.size = (int)info->size,
                         .interval = info->interval,
                         .frames_in = (int)info->frames,
                         .batch = 1,
                         .seed = (uint64_t)info->model.seed,
                         .cache_bytes = CACHE_BYTES};
        code = pairs_open(&pairs, split, &c);
    }
    if (!code) {
        count = pairs_count(pairs) < MOST ? (int)pairs_count(pairs) : MOST;
        code = look(values, count, pairs, scorer);
    }
    progress_end();
    if (!code)
        code = calibration_fit(out, values, count, LEAST_TAIL);
    pairs_free(&pairs);
    scorer_free(&scorer);
    mem_free(values);
    return code;
}
