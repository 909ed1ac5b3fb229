/* The report's figures as inline SVG. Colours come from the page's style: the classes are model,
 * baseline, truth, grid and axis. */
#ifndef REPORT_REPORT_SVG_H
#define REPORT_REPORT_SVG_H

#include "base/file.h"
#include "report/report.h"

/* The scores of one clip over its frames; abnormal stretches are shaded. A long clip is reduced to
 * the lowest and the highest score in each pixel column of the figure. */
void report_svg_curve(FileOut *f, const ReportClip *clip);

/* The ROC curves of model and baseline; `baseline` may be NULL. */
void report_svg_roc(FileOut *f, const RocPoint *model, int64_t count, const RocPoint *baseline,
                    int64_t baseline_count);

#endif
