#include "camera/peaks.h"

#include <math.h>

#include "base/err.h"
#include "base/mem.h"

void peaks_free(Peaks *p) {
    mem_free(p->cell);
    mem_free(p->start);
    *p = (Peaks){0};
}

int peaks_begin(Peaks *p) {
    int64_t *start = mem_room(p->start, p->sources, &p->source_room, sizeof *start);
    if (!start)
        return ERR_FAIL;
    p->start = start;
    p->start[p->sources++] = p->cells;
    return 0;
}

int peaks_add(Peaks *p, double value, double seconds) {
    if (isnan(value))
        return 0;
    int64_t at = p->start[p->sources - 1] + (int64_t)(seconds / PEAKS_CELL);
    while (p->cells <= at) {
        double *cell = mem_room(p->cell, p->cells, &p->cell_room, sizeof *cell);
        if (!cell)
            return ERR_FAIL;
        p->cell = cell;
        p->cell[p->cells++] = NAN;
    }
    p->cell[at] = isnan(p->cell[at]) ? value : fmax(p->cell[at], value);
    return 0;
}

double peaks_hours(const Peaks *p) {
    int64_t seen = 0;
    for (int64_t i = 0; i < p->cells; i++)
        seen += !isnan(p->cell[i]);
    return (double)(seen * PEAKS_CELL) / 3600;
}

static int64_t source_end(const Peaks *p, int64_t source) {
    return source + 1 < p->sources ? p->start[source + 1] : p->cells;
}

int64_t peaks_blocks(const Peaks *p, double *out) {
    enum { CELLS = PEAKS_BLOCK / PEAKS_CELL };
    int64_t count = 0;
    for (int64_t s = 0; s < p->sources; s++)
        for (int64_t b = p->start[s]; b < source_end(p, s); b += CELLS) {
            double most = NAN;
            int seen = 0;
            for (int64_t i = b; i < b + CELLS && i < source_end(p, s); i++) {
                seen += !isnan(p->cell[i]);
                most = fmax(most, p->cell[i]); /* fmax passes over NaN */
            }
            if (seen >= CELLS / 2)
                out[count++] = most;
        }
    return count;
}

int64_t peaks_above(const Peaks *p, double level, double *out) {
    int64_t count = 0;
    for (int64_t s = 0; s < p->sources; s++) {
        double most = NAN; /* of the present run */
        for (int64_t i = p->start[s]; i < source_end(p, s); i++) {
            if (p->cell[i] > level)
                most = fmax(most, p->cell[i]);
            else if (!isnan(most)) {
                out[count++] = most;
                most = NAN;
            }
        }
        if (!isnan(most))
            out[count++] = most;
    }
    return count;
}
