/* The team of threads: each index once, by a thread of the team, with what was written before;
 * round after round, awake or asleep. ThreadSanitizer sees the same program clean. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "compute/cpu/pool.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

enum { MOST_INDICES = 1000, MOST_THREADS = 16 };

/* Not atomic where a task and the caller hand over: that is the pool's promise. */
typedef struct {
    int64_t count;
    int threads; /* of the pool; the caller's to set */
    int64_t in[MOST_INDICES], out[MOST_INDICES];
    int calls[MOST_INDICES];
    atomic_int busy[MOST_THREADS]; /* tasks at work as this thread */
    atomic_int faults;
} Work;

static void task(void *arg, int64_t i, int thread) {
    Work *w = arg;
    if (i < 0 || i >= w->count || thread < 0 || thread >= w->threads) {
        atomic_fetch_add(&w->faults, 1);
        return;
    }
    if (atomic_fetch_add(&w->busy[thread], 1) != 0) /* its scratch memory has two users */
        atomic_fetch_add(&w->faults, 1);
    w->calls[i]++;
    w->out[i] = 2 * w->in[i];
    atomic_fetch_sub(&w->busy[thread], 1);
}

/* One run with inputs that no run before had; the number of faults. */
static int run(Pool *p, Work *w, int64_t count, int64_t salt) {
    w->count = count;
    memset(w->calls, 0, sizeof w->calls);
    for (int64_t i = 0; i < count; i++)
        w->in[i] = salt + i;
    pool_run(p, count, task, w);
    int faults = atomic_load(&w->faults);
    for (int64_t i = 0; i < MOST_INDICES; i++)
        faults += w->calls[i] != (i < count);
    for (int64_t i = 0; i < count; i++)
        faults += w->out[i] != 2 * (salt + i);
    return faults;
}

static Pool *open_pool(int threads) {
    Pool *p = NULL;
    if (pool_open(&p, threads))
        fail_msg("%s", err_text());
    return p;
}

static const int thread_counts[] = {1, 2, 3, MOST_THREADS};

static void test_each_index_once(void **state) {
    (void)state;
    static const int64_t counts[] = {0, 1, 2, MOST_INDICES, 0, 1, MOST_INDICES};
    static Work w;
    for (int t = 0; t < N(thread_counts); t++) {
        Pool *p = open_pool(w.threads = thread_counts[t]);
        for (int i = 0; i < N(counts); i++) {
            int faults = run(p, &w, counts[i], 1000 * t + 7 * i);
            if (faults)
                fail_msg("%d threads, %d indices: %d faults", thread_counts[t], (int)counts[i],
                         faults);
        }
        pool_free(&p);
        assert_null(p);
    }
}

/* More work is there than one thread does before the others wake: they take part. */
static void slow_task(void *arg, int64_t i, int thread) {
    (void)i;
    atomic_fetch_add((atomic_int *)arg + thread, 1);
    usleep(1000);
}

static void test_all_take_part(void **state) {
    (void)state;
    Pool *p = open_pool(3);
    atomic_int done[3] = {0};
    pool_run(p, 300, slow_task, done);
    for (int i = 0; i < 3; i++)
        assert_true(atomic_load(&done[i]) > 0);
    pool_free(&p);
}

static void add_task(void *arg, int64_t i, int thread) {
    (void)thread;
    ((int64_t *)arg)[i]++;
}

/* A wake-up that is missed hangs here, and an index that a late thread takes twice counts. */
static void test_tiny_rounds(void **state) {
    (void)state;
    enum { ROUNDS = 20000 };
    for (int t = 1; t < 3; t++) {
        Pool *p = open_pool(thread_counts[t]);
        int64_t sums[3] = {0};
        for (int64_t n = 0; n < ROUNDS; n++) {
            pool_run(p, 1 + n % 3, add_task, sums);
            assert_int_equal(sums[0], n + 1);
        }
        assert_int_equal(sums[1], ROUNDS - (ROUNDS + 2) / 3);
        assert_int_equal(sums[2], ROUNDS / 3);
        pool_free(&p);
    }
}

/* After the sleep the workers sleep too: their spinning takes a small part of it. */
static void test_rounds_after_sleep(void **state) {
    (void)state;
    static Work w;
    Pool *p = open_pool(w.threads = 3);
    for (int n = 0; n < 20; n++) {
        usleep(5000);
        assert_int_equal(run(p, &w, 100, n), 0);
    }
    usleep(5000);
    pool_free(&p); /* while they sleep */
}

/* The caller finishes first and sleeps until the slowest is done. */
static void uneven_task(void *arg, int64_t i, int thread) {
    (void)thread;
    if (i == 0)
        usleep(20000);
    ((int64_t *)arg)[i] = i + 1;
}

static void test_waits_for_the_slowest(void **state) {
    (void)state;
    Pool *p = open_pool(3);
    for (int n = 0; n < 10; n++) {
        int64_t out[4] = {0};
        pool_run(p, N(out), uneven_task, out);
        for (int i = 0; i < N(out); i++)
            assert_int_equal(out[i], i + 1);
    }
    pool_free(&p);
}

/* Every allocation of pool_open may fail: no thread and no byte stays (the sanitizers tell). */
static void test_half_built(void **state) {
    (void)state;
    int failures = 0, code = ERR_FAIL;
    for (int64_t n = 1; code; n++) {
        Pool *p = NULL;
        mem_fail_after(n);
        code = pool_open(&p, 4);
        mem_fail_after(0);
        assert_true(!code == !!p);
        assert_true(!code || strstr(err_text(), "out of memory"));
        failures += code != 0;
        pool_free(&p);
    }
    assert_in_range(failures, 4, 10); /* three threads to start, and the pool itself */
    pool_free(NULL);
    pool_free(&(Pool *){NULL});
}

typedef struct {
    int threads, faults;
} Caller;

static void *caller_main(void *arg) {
    Caller *c = arg;
    Work *w = mem_alloc(1, sizeof *w);
    Pool *p = NULL;
    c->faults = !w || pool_open(&p, c->threads);
    if (w)
        w->threads = c->threads;
    for (int n = 0; n < 500 && !c->faults; n++)
        c->faults = run(p, w, n % 50, n);
    pool_free(&p);
    mem_free(w);
    return NULL;
}

static void test_two_pools(void **state) {
    (void)state;
    /* of one thread, in turn */
    static Work w = {.threads = 3};
    Pool *a = open_pool(2), *b = open_pool(3);
    for (int n = 0; n < 200; n++) {
        assert_int_equal(run(a, &w, 10, n), 0);
        assert_int_equal(run(b, &w, 10, n), 0);
    }
    pool_free(&a);
    assert_int_equal(run(b, &w, 10, 9), 0);
    pool_free(&b);
    /* of two threads, at once */
    Caller callers[2] = {{.threads = 3}, {.threads = 2}};
    pthread_t handles[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&handles[i], NULL, caller_main, &callers[i]), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(handles[i], NULL), 0);
    assert_int_equal(callers[0].faults, 0);
    assert_int_equal(callers[1].faults, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_index_once),
        cmocka_unit_test(test_all_take_part),
        cmocka_unit_test(test_tiny_rounds),
        cmocka_unit_test(test_rounds_after_sleep),
        cmocka_unit_test(test_waits_for_the_slowest),
        cmocka_unit_test(test_half_built),
        cmocka_unit_test(test_two_pools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
