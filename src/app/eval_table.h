/* The tables that eval prints on stdout. */
#ifndef APP_EVAL_TABLE_H
#define APP_EVAL_TABLE_H

#include "eval/eval_results.h"

/* Prints the data, the model and the tables. */
void eval_print(const EvalResults *r);

#endif
