#include "score/calibration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

static const double TAIL = 0.1;

enum { MOST = 1 << 20 }; /* of values in a file */

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void fit_tail(Calibration *c, float least) {
    double at = (1 - TAIL) * (c->count - 1), excess = 0;
    int low = (int)at, high = low + 1 < c->count ? low + 1 : low, over = 0;
    c->tail[0] = c->ranks[low] + (float)(at - low) * (c->ranks[high] - c->ranks[low]);
    for (int i = 0; i < c->count; i++)
        if (c->ranks[i] > c->tail[0]) {
            excess += c->ranks[i] - c->tail[0];
            over++;
        }
    c->tail[1] = fmaxf(over ? (float)(excess / over) : 0, least);
}

int calibration_fit(Calibration *c, float *values, int count, float least) {
    float *ranks = mem_alloc((size_t)count, sizeof *ranks);
    if (!ranks)
        return ERR_FAIL;
    *c = (Calibration){.count = count, .ranks = ranks};
    qsort(values, (size_t)count, sizeof *values, ascending);
    memcpy(c->ranks, values, (size_t)count * sizeof *values);
    fit_tail(c, least);
    return 0;
}

void calibration_free(Calibration *c) {
    mem_free(c->ranks);
    *c = (Calibration){0};
}

/* Interpolated between neighbours. Of equal values the first counts: a frame like most others is no
 * surprise. */
static double rank_of(const Calibration *c, double value) {
    int low = -1, high = c->count; /* ranks[low] < value <= ranks[high] */
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (c->ranks[middle] < value)
            low = middle;
        else
            high = middle;
    }
    if (low < 0 || high == c->count)
        return high;
    return low + (value - c->ranks[low]) / (c->ranks[high] - c->ranks[low]);
}

double calibration_surprise(const Calibration *c, double value) {
    if (value > c->tail[0])
        return -log(TAIL) + (value - c->tail[0]) / c->tail[1];
    double at = fmin(rank_of(c, value) + 0.5, c->count - 0.5);
    return fmin(-log(1 - at / c->count), -log(TAIL));
}

void calibration_add(SafeWriter *w, const Calibration *c, const char *ranks, const char *tail) {
    safe_writer_add(w, ranks, 1, (const int64_t[]){c->count}, c->ranks);
    safe_writer_add(w, tail, 1, (const int64_t[]){2}, c->tail);
}

static int check(const Calibration *c, const char *path, const char *name) {
    bool good = c->tail[1] > 0;
    for (int i = 1; i < c->count; i++)
        good = good && c->ranks[i] >= c->ranks[i - 1];
    return good ? 0
                : err_set(ERR_FAIL,
                          "%s: %s do not ascend, or their tail has no length: the file is damaged; "
                          "train again",
                          path, name);
}

static int read_values(const SafeTensor *t, float *out, const char *path) {
    int code = safetensors_to_f32(t, out);
    return code ? err_context(code, "%s", path) : safetensors_check_finite(t, out, path);
}

int calibration_load(Calibration *c, const Safetensors *file, const char *path, const char *ranks,
                     const char *tail) {
    const SafeTensor *r = safetensors_find(file, ranks), *t = safetensors_find(file, tail);
    *c = (Calibration){0};
    if (!r && !t)
        return 0;
    if (!r || !t || r->rank != 1 || r->count < 1 || r->count > MOST || t->count != 2)
        return err_set(ERR_FAIL, "%s: %s and %s do not fit each other; train again", path, ranks,
                       tail);
    c->count = (int)r->count;
    c->ranks = mem_alloc((size_t)c->count, sizeof *c->ranks);
    int code = c->ranks ? read_values(r, c->ranks, path) : ERR_FAIL;
    if (!code)
        code = read_values(t, c->tail, path);
    if (!code)
        code = check(c, path, ranks);
    if (code)
        calibration_free(c);
    return code;
}
