/* How well an error map tells abnormal pixels: two figures that papers call pixel-level AUROC.
 *
 * "All pixels": one ROC over every pixel of every frame. Errors are counted in bins whose width is
 * 1/4096 of their value; the largest effect of the binning on the area is computed too.
 *
 * "Frames, 40 %" (UCSD's rule, method D.4): an abnormal frame is found if at least 40 % of its
 * abnormal pixels reach the threshold. A normal frame is a false alarm if any pixel reaches it. A
 * frame's score is the highest threshold at which its rule holds, so the ROC over frames is exact.
 *
 * Both count pixels of the mask. A pixel has the error of the map's cell in which it lies. */
#ifndef EVAL_PIXEL_H
#define EVAL_PIXEL_H

#include <stdint.h>

typedef struct {
    double *normal, *abnormal; /* number of pixels in each bin, exact below 2^53 */
    double *score;             /* of each frame */
    uint8_t *label;
    int64_t frames, capacity;
    void *sorted; /* scratch of one frame */
    int cells;
} PixelTally;

/* All from 0 to 1; NaN if one class is absent. */
typedef struct {
    double auroc, auroc_error;     /* all pixels; the exact area is within auroc +- auroc_error */
    double frame_auroc, frame_eer; /* frames, 40 % */
} PixelFigures;

/* Opens a tally for maps of `cells` cells. The caller frees *t also after a failure. */
int pixel_tally_open(PixelTally *t, int cells);
void pixel_tally_free(PixelTally *t); /* accepts a zeroed one */

/* Adds a frame: its map of errors (>= 0, finite), and for each cell the number of mask pixels in it
 * and of abnormal ones. Fails only when memory is out. */
int pixel_tally_add(PixelTally *t, const float *map, const int32_t *pixels,
                    const int32_t *abnormal);

int pixel_tally_figures(const PixelTally *t, PixelFigures *out);

#endif
