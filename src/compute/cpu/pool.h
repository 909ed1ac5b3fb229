/* A team of threads. A waiting thread spins for some microseconds, then sleeps, so that two
 * programs on one machine do not starve each other. */
#ifndef COMPUTE_CPU_POOL_H
#define COMPUTE_CPU_POOL_H

#include <stdint.h>

typedef struct Pool Pool;

/* Called once for each i of [0, count). `thread` is in [0, threads) and selects scratch memory. */
typedef void PoolTask(void *arg, int64_t i, int thread);

/* Starts threads - 1 threads; the caller of pool_run is thread 0. *out is untouched on failure. */
int pool_open(Pool **out, int threads);
void pool_free(Pool **pool);

/* Runs task(arg, i, thread) once for each i, in any order, and returns when all are done. The tasks
 * see what the caller wrote before, and the caller then sees what the tasks wrote. Call it from one
 * thread at a time, not from within a task. */
void pool_run(Pool *pool, int64_t count, PoolTask *task, void *arg);

#endif
