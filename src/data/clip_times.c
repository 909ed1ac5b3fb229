#include "data/clip_times.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "video/source.h"

int clip_times(const Clip *c, double **seconds, int64_t *n) {
    Source *s = NULL;
    int code = source_open(&s, c->url);
    if (!code)
        code = source_times(s, seconds, n);
    source_free(&s);
    if (!code && c->part) {
        if (*seconds)
            memmove(*seconds, *seconds + c->first, (size_t)c->frames * sizeof **seconds);
        *n = c->frames;
    }
    return code;
}

static int by_value(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return p < q ? -1 : p > q;
}

double clip_times_spacing(const double *seconds, int64_t n) {
    double *step = n > 1 ? mem_alloc((size_t)n - 1, sizeof *step) : NULL;
    if (!step)
        return 0;
    for (int64_t i = 1; i < n; i++)
        step[i - 1] = seconds[i] - seconds[i - 1];
    qsort(step, (size_t)n - 1, sizeof *step, by_value);
    double median = step[(n - 1) / 2];
    mem_free(step);
    return median;
}
