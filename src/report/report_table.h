/* The report's tables. A function writes nothing if its rows were not asked for. A line above each
 * table says what its figures mean, in a paper and to a user with a camera. */
#ifndef REPORT_REPORT_TABLE_H
#define REPORT_REPORT_TABLE_H

#include "base/file.h"
#include "report/report.h"

void report_table_results(FileOut *f, const Report *r);
void report_table_alarms(FileOut *f, const Report *r);
void report_table_localisation(FileOut *f, const Report *r);
void report_table_checkpoints(FileOut *f, const Report *r);

#endif
