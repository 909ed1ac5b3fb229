#include "report/report_svg.h"

#include <math.h>

/* ---- scores over frames ---- */

/* Place and size of the plot in the figure; COLUMNS is its width. */
enum { LEFT = 30, TOP = 8, COLUMNS = 484, HEIGHT = 96, RIGHT = LEFT + COLUMNS };
enum { FIGURE_WIDTH = RIGHT + 8, FIGURE_HEIGHT = TOP + HEIGHT + 20 };

static double plot_y(double score) {
    return TOP + HEIGHT * (1 - fmin(fmax(score, 0), 1));
}

/* The x of frame i: the middle of the i-th of n equal stretches. */
static double frame_x(int64_t i, int64_t n) {
    return LEFT + COLUMNS * ((double)i + 0.5) / (double)n;
}

static void point(FileOut *f, bool *pen_down, double x, double score) {
    file_printf(f, "%c%.1f %.1f", *pen_down ? 'L' : 'M', x, plot_y(score));
    *pen_down = true;
}

/* Draws a column's lowest and highest score, in the order of their frames. */
static void column_points(FileOut *f, bool *pen_down, const double *score, int64_t from, int64_t to,
                          int64_t n) {
    int64_t low = -1, high = -1;
    for (int64_t i = from; i < to; i++) {
        if (isnan(score[i]))
            continue;
        low = low < 0 || score[i] < score[low] ? i : low;
        high = high < 0 || score[i] > score[high] ? i : high;
    }
    if (low < 0) {
        *pen_down = false; /* a gap */
        return;
    }
    int64_t first = low < high ? low : high, second = low < high ? high : low;
    point(f, pen_down, frame_x(first, n), score[first]);
    if (second != first)
        point(f, pen_down, frame_x(second, n), score[second]);
}

static void curve(FileOut *f, const char *name, const double *score, int64_t n) {
    int64_t columns = n < COLUMNS ? n : COLUMNS;
    bool pen_down = false;
    file_printf(f, "<path class=\"%s\" d=\"", name);
    for (int64_t c = 0; c < columns; c++)
        column_points(f, &pen_down, score, c * n / columns, (c + 1) * n / columns, n);
    file_printf(f, "\"/>");
}

/* Shades the runs of abnormal columns, or of frames if there are fewer frames than columns. */
static void truth(FileOut *f, const uint8_t *label, int64_t n) {
    int64_t columns = n < COLUMNS ? n : COLUMNS, start = -1;
    for (int64_t c = 0; c <= columns; c++) {
        bool abnormal = false;
        for (int64_t i = c * n / columns; c < columns && i < (c + 1) * n / columns; i++)
            abnormal |= label[i] != 0;
        if (abnormal && start < 0)
            start = c;
        if (!abnormal && start >= 0) {
            double unit = (double)COLUMNS / (double)columns;
            file_printf(f,
                        "<rect class=\"truth\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>",
                        LEFT + unit * (double)start, TOP, unit * (double)(c - start), HEIGHT);
            start = -1;
        }
    }
}

/* A step of 1, 2 or 5 times a power of ten such that about `most` steps cover n. */
static int64_t tick_step(int64_t n, int most) {
    for (int64_t step = 1;; step *= 10)
        for (int k = 0; k < 3; k++) {
            int64_t fine = step * (k == 0 ? 1 : k == 1 ? 2 : 5);
            if (n / fine <= most)
                return fine;
        }
}

/* Draws the axes. Frame numbers are the clip's; `first` is the number of the figure's first frame.
 */
static void curve_axes(FileOut *f, int64_t first, int64_t n) {
    for (int k = 0; k <= 2; k++) {
        double y = plot_y(k / 2.0);
        file_printf(f, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, y, RIGHT);
        file_printf(f, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>", LEFT - 6, y + 3.5,
                    k == 0   ? "0"
                    : k == 1 ? "0.5"
                             : "1");
    }
    int64_t step = tick_step(n, 8);
    for (int64_t t = (first + step - 1) / step * step; t < first + n; t += step)
        file_printf(f,
                    "<path class=\"axis\" d=\"M%.1f %dv4\"/>"
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%lld</text>",
                    frame_x(t - first, n), TOP + HEIGHT, frame_x(t - first, n), TOP + HEIGHT + 15,
                    (long long)t);
}

void report_svg_curve(FileOut *f, const ReportClip *clip) {
    int64_t n = clip->frames;
    file_printf(f,
                "<svg class=\"curve\" viewBox=\"0 0 %d %d\" role=\"img\" "
                "aria-label=\"anomaly score of each frame\">",
                FIGURE_WIDTH, FIGURE_HEIGHT);
    if (n > 0) {
        truth(f, clip->label, n);
        curve_axes(f, clip->first, n);
        if (clip->baseline)
            curve(f, "baseline", clip->baseline, n);
        curve(f, "model", clip->anomaly, n);
    }
    file_printf(f, "</svg>\n");
}

/* ---- ROC ---- */

enum { SIDE = 290, ROC_LEFT = 40, ROC_TOP = 10, ROC_BOTTOM = ROC_TOP + SIDE };
enum { ROC_WIDTH = ROC_LEFT + SIDE + 14, ROC_HEIGHT = ROC_BOTTOM + 38 };

/* Leaves out points closer than half a unit to the last one drawn, but never the ends. */
static void roc_path(FileOut *f, const char *name, const RocPoint *p, int64_t count) {
    double last_x = -SIDE, last_y = -SIDE;
    file_printf(f, "<path class=\"%s\" d=\"", name);
    for (int64_t i = 0; i < count; i++) {
        double x = ROC_LEFT + SIDE * p[i].fpr, y = ROC_BOTTOM - SIDE * p[i].tpr;
        if (i && i + 1 < count && fabs(x - last_x) + fabs(y - last_y) < 0.5)
            continue;
        file_printf(f, "%c%.1f %.1f", i ? 'L' : 'M', x, y);
        last_x = x;
        last_y = y;
    }
    file_printf(f, "\"/>");
}

void report_svg_roc(FileOut *f, const RocPoint *model, int64_t count, const RocPoint *baseline,
                    int64_t baseline_count) {
    file_printf(f,
                "<svg class=\"roc\" viewBox=\"0 0 %d %d\" role=\"img\" "
                "aria-label=\"true positive rate over false positive rate\">",
                ROC_WIDTH, ROC_HEIGHT);
    for (int k = 0; k <= 4; k++) {
        double x = ROC_LEFT + SIDE * k / 4.0, y = ROC_BOTTOM - SIDE * k / 4.0;
        file_printf(f, "<path class=\"grid\" d=\"M%.1f %dV%dM%d %.1fH%d\"/>", x, ROC_TOP,
                    ROC_BOTTOM, ROC_LEFT, y, ROC_LEFT + SIDE);
        file_printf(f,
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>"
                    "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d</text>",
                    x, ROC_BOTTOM + 14, 25 * k, ROC_LEFT - 6, y + 3.5, 25 * k);
    }
    file_printf(f, "<path class=\"chance\" d=\"M%d %dL%d %d\"/>", ROC_LEFT, ROC_BOTTOM,
                ROC_LEFT + SIDE, ROC_TOP);
    if (baseline)
        roc_path(f, "baseline", baseline, baseline_count);
    roc_path(f, "model", model, count);
    file_printf(f,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">normal frames flagged, %%</text>"
                "<text transform=\"translate(10 %d) rotate(-90)\" text-anchor=\"middle\">"
                "abnormal frames found, %%</text></svg>\n",
                ROC_LEFT + SIDE / 2, ROC_BOTTOM + 32, ROC_TOP + SIDE / 2);
}
