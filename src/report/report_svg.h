/* The report's figures as inline SVG. Colours come from the page's style: the classes are model,
 * baseline, truth, grid and axis. */
#ifndef REPORT_REPORT_SVG_H
#define REPORT_REPORT_SVG_H

#include "base/file.h"
#include "report/report.h"

/* Scores of one clip over its frames, its abnormal stretches shaded. Long clips keep the lowest and
 * the highest score of every column of the figure. */
void report_svg_curve(FileOut *f, const ReportClip *clip);

/* Both ROC curves; the baseline's may be absent (NULL). */
void report_svg_roc(FileOut *f, const RocPoint *model, int64_t count, const RocPoint *baseline,
                    int64_t baseline_count);

#endif
