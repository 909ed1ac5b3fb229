#include "compute/cpu/pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

enum { SPINS = 4000 }; /* tens of microseconds: longer than the gaps between operations */

/* After a pause, as between camera frames, the system may put two threads on one core. So a
 * spinning thread yields to the other one every so many spins. */
enum { YIELD = 64 };

struct Pool {
    int threads, started;
    pthread_t *handles;
    /* the current work; written before `round` changes */
    PoolTask *task;
    void *arg;
    int64_t count;
    bool quit;
    _Alignas(64) atomic_uint round; /* a new value means new work */
    _Alignas(64) atomic_llong next;
    _Alignas(64) atomic_uint busy; /* threads that have not finished this round */
    atomic_int workers_asleep, caller_asleep;
};

typedef struct {
    Pool *pool;
    int thread;
} Worker;

static void pause_cpu(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Returns when *value is no longer `old`. A sleeper counts itself before it sleeps, and the waker
 * changes the value before it reads the count, so the waker cannot miss a sleeper. */
static void wait_change(atomic_uint *value, unsigned old, atomic_int *asleep) {
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(value, memory_order_acquire) != old)
            return;
        if (i % YIELD == YIELD - 1)
            sched_yield();
        else
            pause_cpu();
    }
    atomic_fetch_add(asleep, 1);
    while (atomic_load(value) == old)
        syscall(SYS_futex, value, FUTEX_WAIT_PRIVATE, old, NULL, NULL, 0);
    atomic_fetch_sub(asleep, 1);
}

static void wake(atomic_uint *value, atomic_int *asleep) {
    if (atomic_load(asleep))
        syscall(SYS_futex, value, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static void work(Pool *p, int thread) {
    for (;;) {
        int64_t i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (i >= p->count)
            return;
        p->task(p->arg, i, thread);
    }
}

static void *worker_main(void *arg) {
    Worker w = *(Worker *)arg;
    mem_free(arg);
    Pool *p = w.pool;
    for (unsigned round = 0;; round++) {
        wait_change(&p->round, round, &p->workers_asleep);
        if (p->quit)
            return NULL;
        work(p, w.thread);
        if (atomic_fetch_sub(&p->busy, 1) == 1)
            wake(&p->busy, &p->caller_asleep);
    }
}

int pool_open(Pool **out, int threads) {
    Pool *p = mem_alloc(1, sizeof *p);
    if (!p)
        return ERR_FAIL;
    p->threads = threads;
    p->handles = mem_alloc((size_t)threads, sizeof *p->handles);
    int code = p->handles ? 0 : ERR_FAIL;
    for (int i = 1; i < threads && !code; i++) {
        Worker *w = mem_alloc(1, sizeof *w);
        if (!w) {
            code = ERR_FAIL;
            break;
        }
        *w = (Worker){p, i};
        int failed = pthread_create(&p->handles[i], NULL, worker_main, w);
        if (failed) {
            mem_free(w);
            code =
                err_set(ERR_FAIL, "cannot start thread %d of %d (error %d); give fewer --threads",
                        i + 1, threads, failed);
            break;
        }
        p->started++;
    }
    if (code) {
        pool_free(&p);
        return code;
    }
    *out = p;
    return 0;
}

static void begin_round(Pool *p) {
    atomic_store(&p->busy, (unsigned)p->started);
    atomic_fetch_add(&p->round, 1);
    wake(&p->round, &p->workers_asleep);
}

void pool_free(Pool **pp) {
    Pool *p = pp ? *pp : NULL;
    if (!p)
        return;
    p->quit = true;
    begin_round(p);
    for (int i = 1; i <= p->started; i++)
        pthread_join(p->handles[i], NULL);
    mem_free(p->handles);
    mem_free(p);
    *pp = NULL;
}

void pool_run(Pool *p, int64_t count, PoolTask *task, void *arg) {
    if (count <= 0)
        return;
    p->task = task;
    p->arg = arg;
    p->count = count;
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    if (p->started == 0 || count == 1) {
        work(p, 0);
        return;
    }
    begin_round(p);
    work(p, 0);
    for (unsigned left; (left = atomic_load(&p->busy)) != 0;)
        wait_change(&p->busy, left, &p->caller_asleep);
}
