/* A record of how high the surprise rose over normal footage, from which thresholds are taken: the
 * greatest value of every ten seconds. One thread at a time. */
#ifndef CAMERA_PEAKS_H
#define CAMERA_PEAKS_H

#include <stdint.h>

enum { PEAKS_CELL = 10, PEAKS_BLOCK = 600 }; /* seconds */

typedef struct {
    double *cell;   /* [cells] greatest value of each; NaN: not seen; owned */
    int64_t *start; /* [sources] the first cell of each; owned */
    int64_t cells, cell_room, sources, source_room;
} Peaks;

void peaks_free(Peaks *p); /* accepts a zeroed one */

/* A source begins, whose seconds count from 0. ERR_FAIL if memory is out, as in peaks_add. */
int peaks_begin(Peaks *p);

/* A value of the present source at its seconds, which are finite and not below 0. A value of NaN
 * does not count. */
int peaks_add(Peaks *p, double value, double seconds);

/* Hours of the cells that were seen. */
double peaks_hours(const Peaks *p);

/* The greatest value of each block of PEAKS_BLOCK seconds of a source of which at least half was
 * seen. Writes at most as many as there are cells; returns how many. */
int64_t peaks_blocks(const Peaks *p, double *out);

/* The greatest value of each run of neighbouring cells above `level`: what makes one event. As
 * above. */
int64_t peaks_above(const Peaks *p, double level, double *out);

#endif
