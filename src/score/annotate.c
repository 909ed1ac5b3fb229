#include "score/annotate.h"

#include <math.h>
#include <stdio.h>

#include "score/psnr.h"

/* The curve's range in dB, and the absolute error (of 1) that the map shows at full strength. */
enum { PSNR_LOW = 15, PSNR_HIGH = 45 };
static const float full_error = 0.25f;

static int curve_y(Canvas c, double psnr) {
    double share = (psnr - PSNR_LOW) / (PSNR_HIGH - PSNR_LOW);
    share = fmin(fmax(share, 0), 1);
    return c.height - 2 - (int)lround(share * (ANNOTATE_STRIP - 6));
}

static void draw_curve(Canvas c, const double *history, int count) {
    const Colour line = {90, 220, 250}, text = {220, 220, 220};
    int first = count > c.width ? count - c.width : 0;
    draw_fill(c, 0, c.height - ANNOTATE_STRIP, c.width, ANNOTATE_STRIP, (Colour){30, 26, 24});
    for (int i = first + 1; i < count; i++) {
        int x = c.width - count + i;
        if (isfinite(history[i - 1]) && isfinite(history[i]))
            draw_line(c, x - 1, curve_y(c, history[i - 1]), x, curve_y(c, history[i]), line);
    }
    char label[32] = "no score";
    if (count > 0 && !isnan(history[count - 1]))
        snprintf(label, sizeof label, "PSNR %.1f dB", psnr_shown(history[count - 1]));
    draw_text(c, 4, c.height - ANNOTATE_STRIP + 4, 1, text, label);
}

void annotate_frame(Canvas canvas, const Frame *frame, const Scorer *s, float *map,
                    const double *history, int count) {
    int side = (int)scorer_info(s)->size / ANNOTATE_CELL;
    Canvas picture = {canvas.bgr, canvas.width, canvas.height - ANNOTATE_STRIP};
    frame_resize(canvas.bgr, frame->width, frame->height, frame);
    if (count > 0 && isfinite(history[count - 1])) {
        scorer_error_map(s, map, ANNOTATE_CELL);
        for (int i = 0; i < side * side; i++)
            map[i] = fminf(sqrtf(map[i]) / full_error, 1);
        draw_overlay(picture, map, side, side);
    }
    draw_curve(canvas, history, count);
}
