/* The report's tables. Each writes nothing where its rows were not asked for; above it one line
 * says what it means in a paper, and to somebody with a camera. */
#ifndef REPORT_REPORT_TABLE_H
#define REPORT_REPORT_TABLE_H

#include "base/file.h"
#include "report/report.h"

void report_table_results(FileOut *f, const Report *r);
void report_table_alarms(FileOut *f, const Report *r);
void report_table_localisation(FileOut *f, const Report *r);
void report_table_checkpoints(FileOut *f, const Report *r);

#endif
