#include "score/annotate.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "score/psnr.h"

/* The curve's range, and the absolute error (of 1) that the map shows at full strength. */
enum { PSNR_LOW = 15, PSNR_HIGH = 45, SURPRISE_HIGH = 14 };
static const float full_error = 0.25f;

static const double rare = 4.6; /* one frame in a hundred */

int annotate_room(const Scorer *s) {
    int side = (int)scorer_info(s)->size / ANNOTATE_CELL, cols;
    int places = scorer_motion(s) ? motion_places(scorer_motion(s), &cols) : 0;
    int cells = scorer_stays(s) ? stays_cells(scorer_stays(s), &cols) : 0;
    int most = places > cells ? places : cells;
    return most > side * side ? most : side * side;
}

static int curve_y(Canvas c, double share) {
    return c.height - 2 - (int)lround(fmin(fmax(share, 0), 1) * (ANNOTATE_STRIP - 6));
}

static double share_of(double value, bool surprise) {
    return surprise ? value / SURPRISE_HIGH : (value - PSNR_LOW) / (PSNR_HIGH - PSNR_LOW);
}

static void draw_curve(Canvas c, const double *history, int count, bool surprise) {
    const Colour line = {90, 220, 250}, level = {80, 80, 90};
    int first = count > c.width ? count - c.width : 0;
    draw_fill(c, 0, c.height - ANNOTATE_STRIP, c.width, ANNOTATE_STRIP, (Colour){30, 26, 24});
    if (surprise)
        draw_fill(c, 0, curve_y(c, rare / SURPRISE_HIGH), c.width, 1, level);
    for (int i = first + 1; i < count; i++) {
        int x = c.width - count + i;
        if (isfinite(history[i - 1]) && isfinite(history[i]))
            draw_line(c, x - 1, curve_y(c, share_of(history[i - 1], surprise)), x,
                      curve_y(c, share_of(history[i], surprise)), line);
    }
}

static void draw_label(Canvas c, FrameScore shown) {
    const Colour text = {220, 220, 220};
    char label[96] = "no score", surprise[48] = "";
    if (!isnan(shown.surprise))
        snprintf(surprise, sizeof surprise, "surprise %.1f (%s)  ", shown.surprise,
                 opinion_names[shown.by]);
    if (!isnan(shown.psnr))
        snprintf(label, sizeof label, "%sPSNR %.1f dB", surprise, psnr_shown(shown.psnr));
    draw_text(c, 4, c.height - ANNOTATE_STRIP + 4, 1, text, label);
}

static void draw_error(Canvas c, const Scorer *s, float *map) {
    int side = (int)scorer_info(s)->size / ANNOTATE_CELL;
    scorer_error_map(s, map, ANNOTATE_CELL);
    for (int i = 0; i < side * side; i++)
        map[i] = fminf(sqrtf(map[i]) / full_error, 1);
    draw_overlay(c, map, side, side);
}

static void draw_motion(Canvas c, const Motion *m, float *map) {
    int cols, places = motion_places(m, &cols);
    motion_heat(m, map);
    draw_overlay(c, map, cols, places / cols);
}

static void draw_stays(Canvas c, const Stays *s, float *map) {
    int cols, cells = stays_cells(s, &cols);
    stays_heat(s, map);
    draw_overlay(c, map, cols, cells / cols);
}

void annotate_map(Canvas picture, const Scorer *s, float *map, FrameScore shown) {
    if (!isnan(shown.surprise) && shown.by == OPINION_MOTION)
        draw_motion(picture, scorer_motion(s), map);
    else if (!isnan(shown.surprise) && shown.by == OPINION_STAYS)
        draw_stays(picture, scorer_stays(s), map);
    else if (isfinite(shown.psnr))
        draw_error(picture, s, map);
}

void annotate_frame(Canvas canvas, const Frame *frame, const Scorer *s, float *map,
                    FrameScore shown, const double *history, int count) {
    Canvas picture = {canvas.bgr, canvas.width, canvas.height - ANNOTATE_STRIP};
    frame_resize(canvas.bgr, frame->width, frame->height, frame);
    annotate_map(picture, s, map, shown);
    draw_curve(canvas, history, count, scorer_has_surprise(s));
    draw_label(canvas, shown);
}
