/* The time that each operation of a backend takes: wraps the entries of its table. */
#ifndef BENCH_OP_TIMES_H
#define BENCH_OP_TIMES_H

#include "compute/backend.h"

/* Wraps the entries; one backend a process. */
void op_times_install(Backend *be);

/* Prints `, "ops": {"NAME": SECONDS, ...}` and starts anew. */
void op_times_print(void);

#endif
