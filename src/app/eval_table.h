/* What eval prints on stdout. */
#ifndef APP_EVAL_TABLE_H
#define APP_EVAL_TABLE_H

#include "app/eval_files.h"

/* The data, the model and the table; `alarms`: the table of alarms as well. */
void eval_print(const EvalResults *r, bool alarms);

#endif
