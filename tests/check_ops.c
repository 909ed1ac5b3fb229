/* Every operation of the seam (compute/backend.h), each backend against the reference.
 *
 * An operation is one row of `ops` in check_ops_table.c and one function that declares its operands
 * and calls it. The rest follows from how an operand is declared: IN     random, must come back
 * unchanged OUT    must be overwritten: it starts as NaN, and a NaN that is left is a failure SUM
 * accumulates: starts random, and the same run from zero must differ by just that start INOUT
 * random, changed in place All lie between guard values and are aligned to four bytes only, as a
 * weight in its slab is. The error of an operand is max |got - want| / max |want|. Two runs must
 * agree bit for bit; where a row says so, runs with 1, 2 and 3 threads too.
 *
 * check_ops          checks; the exit status says whether all passed
 * check_ops --bench  times the cpu backend at the shapes of the base model and a batch of 4 pairs
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/progress.h"
#include "check_ops.h"
#include "random.h"

enum { GUARD_VALUES = 17, GUARD_BYTE = 0xA5 };

static int failures;

static void fail(const Run *r, const char *op, int shape, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void fail(const Run *r, const char *op, int shape, const char *fmt, ...) {
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    printf("FAIL %s, shape %d, %s with %d threads: %s\n", op, shape, r->be->name, r->be->threads,
           text);
    failures++;
}

static size_t value_bytes(const Operand *o) {
    return (size_t)o->count * o->item;
}

static size_t guard_bytes(const Operand *o) {
    return GUARD_VALUES * o->item;
}

static double value(const Operand *o, const uint8_t *copy, int64_t i) {
    float f;
    double d;
    const uint8_t *at = copy + guard_bytes(o) + (size_t)i * o->item;
    if (o->item == sizeof d) {
        memcpy(&d, at, sizeof d);
        return d;
    }
    memcpy(&f, at, sizeof f);
    return f;
}

static void fill(const Run *r, Operand *o, Fill how) {
    Rng rng = rng_stream(1, RNG_TEST, 0, (uint32_t)r->next);
    float scale = r->shape->scale != 0 ? r->shape->scale : 1;
    uint8_t *at = o->start + guard_bytes(o);
    for (int64_t i = 0; i < o->count; i++, at += o->item) {
        if (how == FLAG) {
            *at = r->shape->mask == MASK_ALL || rng_uniform(&rng, (uint64_t)i) < 0.75;
            continue;
        }
        float x = scale * (float)rng_normal(&rng, (uint64_t)i);
        if (how == POSITIVE)
            x = fabsf(x);
        if (how == PIXEL) /* few levels: differences are exact, and ties happen */
            x = roundf(x * 32) / 32;
        if (o->kind == OUT)
            x = NAN;
        if (o->kind == SUM && r->zero_sums)
            x = 0;
        memcpy(at, &x, sizeof x);
    }
}

static void *host_block(size_t bytes) {
    void *p = mem_alloc(bytes, 1);
    if (!p) {
        fprintf(stderr, "%s\n", err_text());
        _Exit(1);
    }
    return p;
}

/* The next operand; once a run is prepared, the same memory again. */
static void *operand(Run *r, const char *name, Kind kind, Fill how, int64_t count, size_t item) {
    Operand *o = &r->operands[r->next];
    if (!r->prepared) {
        *o = (Operand){.name = name, .kind = kind, .count = count, .item = item};
        size_t bytes = value_bytes(o) + 2 * guard_bytes(o);
        bool host = item == sizeof(double);
        o->start = host_block(bytes);
        o->end = host_block(bytes);
        o->memory = host ? host_block(bytes) : r->be->alloc(r->be, bytes);
        memset(o->start, GUARD_BYTE, bytes);
        if (!host)
            fill(r, o, how);
        if (host)
            memcpy(o->memory, o->start, bytes);
        else
            r->be->upload(r->be, o->memory, o->start, bytes);
        r->count++;
    }
    r->next++;
    return o->memory + guard_bytes(o);
}

float *vector_of(Run *r, const char *name, Kind kind, Fill how, int64_t n) {
    return operand(r, name, kind, how, n, sizeof(float));
}

float *vector(Run *r, const char *name, Kind kind, int64_t n) {
    return vector_of(r, name, kind, NORMAL, n);
}

Tensor matrix(Run *r, const char *name, Kind kind, int64_t rows, int64_t cols) {
    return (Tensor){vector(r, name, kind, rows * cols), rows, cols};
}

double *host_results(Run *r, const char *name, int64_t n) {
    return (double *)(void *)operand(r, name, OUT, NORMAL, n, sizeof(double));
}

uint8_t *mask_of(Run *r, int64_t n) {
    return r->shape->mask == MASK_NONE ? NULL : operand(r, "mask", IN, FLAG, n, 1);
}

/* ---- running and comparing. */

static void run_free(Run *r) {
    for (int i = 0; i < r->count; i++) {
        Operand *o = &r->operands[i];
        mem_free(o->start);
        mem_free(o->end);
        if (o->item == sizeof(double))
            mem_free(o->memory);
        else
            r->be->release(r->be, o->memory);
    }
    *r = (Run){0};
}

static void call(Run *r, const Op *op) {
    r->next = 0;
    r->began = now_seconds();
    op->run(r, r->shape);
    r->prepared = true;
    if (r->be->sync(r->be))
        fail(r, op->name, (int)(r->shape - op->shapes), "%s", err_text());
}

/* What an operand promises by itself: guards, untouched inputs, no NaN left. */
static void check_operand(const Run *r, const Op *op, int shape, const Operand *o) {
    size_t bytes = value_bytes(o), guard = guard_bytes(o);
    if (memcmp(o->start, o->end, guard) != 0 ||
        memcmp(o->start + guard + bytes, o->end + guard + bytes, guard) != 0)
        fail(r, op->name, shape, "%s was written outside its bounds", o->name);
    if (o->kind == IN && memcmp(o->start, o->end, bytes + guard) != 0)
        fail(r, op->name, shape, "%s is an input and was changed", o->name);
    for (int64_t i = 0; o->kind != IN && i < o->count; i++)
        if (!isfinite(value(o, o->end, i))) {
            fail(r, op->name, shape, "%s[%lld] was not written, or is not finite", o->name,
                 (long long)i);
            break;
        }
}

/* One call on fresh operands, with what comes back in `end`. */
static Run run_once(Backend *be, const Op *op, int shape, bool zero_sums) {
    Run r = {.be = be, .shape = &op->shapes[shape], .zero_sums = zero_sums};
    call(&r, op);
    for (int i = 0; i < r.count; i++) {
        Operand *o = &r.operands[i];
        size_t bytes = value_bytes(o) + 2 * guard_bytes(o);
        if (o->item == sizeof(double))
            memcpy(o->end, o->memory, bytes);
        else
            be->download(be, o->end, o->memory, bytes);
        check_operand(&r, op, shape, o);
    }
    return r;
}

static double compare(const Run *want, const Run *got, const Op *op, int shape) {
    double worst = 0;
    for (int i = 0; i < want->count; i++) {
        const Operand *a = &want->operands[i], *b = &got->operands[i];
        double top = 0, off = 0;
        for (int64_t k = 0; a->kind != IN && k < a->count; k++) {
            top = fmax(top, fabs(value(a, a->end, k)));
            off = fmax(off, fabs(value(a, a->end, k) - value(b, b->end, k)));
        }
        double error = top > 0 ? off / top : off;
        if (!(error <= op->bound))
            fail(got, op->name, shape, "%s differs by %.1e of its largest value, allowed %.0e",
                 a->name, error, op->bound);
        worst = fmax(worst, error);
    }
    return worst;
}

static void compare_bits(const Run *a, const Run *b, const Op *op, int shape, const char *what) {
    for (int i = 0; i < a->count; i++)
        if (memcmp(a->operands[i].end, b->operands[i].end,
                   value_bytes(&a->operands[i]) + guard_bytes(&a->operands[i])))
            fail(b, op->name, shape, "%s: %s has other bits", what, a->operands[i].name);
}

/* `r` started its sums from random values: from zero they must be less by just those. */
static void check_sums(const Run *r, const Op *op, int shape) {
    Run zero = run_once(r->be, op, shape, true);
    for (int i = 0; i < r->count; i++) {
        const Operand *a = &r->operands[i], *z = &zero.operands[i];
        double top = 0, off = 0;
        for (int64_t k = 0; a->kind == SUM && k < a->count; k++) {
            double want = value(a, a->start, k) + value(z, z->end, k);
            top = fmax(top, fabs(want));
            off = fmax(off, fabs(value(a, a->end, k) - want));
        }
        if (off > 4e-6 * top) /* float sums from another start */
            fail(r, op->name, shape, "%s does not accumulate", a->name);
    }
    run_free(&zero);
}

enum { THREAD_COUNTS = 3 };

static double check_shape(Backend *ref, Backend *const cpu[THREAD_COUNTS], const Op *op,
                          int shape) {
    Run want = run_once(ref, op, shape, false), first = {0};
    double worst = 0;
    check_sums(&want, op, shape);
    for (int i = 0; i < THREAD_COUNTS; i++) {
        Run got = run_once(cpu[i], op, shape, false), again = run_once(cpu[i], op, shape, false);
        worst = fmax(worst, compare(&want, &got, op, shape));
        compare_bits(&got, &again, op, shape, "a second run");
        if (op->any_threads && i > 0)
            compare_bits(&first, &got, op, shape, "another number of threads");
        check_sums(&got, op, shape);
        run_free(&again);
        if (i == 0)
            first = got;
        else
            run_free(&got);
    }
    run_free(&first);
    run_free(&want);
    return worst;
}

static void expect(bool ok, const Backend *be, const char *what) {
    if (ok)
        return;
    printf("FAIL %s: %s\n", be->name, what);
    failures++;
}

static void check_memory(Backend *be) {
    uint8_t host[100], back[100] = {0}, zeros[100] = {0};
    memset(host, 7, sizeof host);
    void *p = be->alloc(be, sizeof host);
    be->download(be, back, p, sizeof back);
    expect(memcmp(back, zeros, sizeof back) == 0, be, "alloc does not zero");
    be->upload(be, p, host, sizeof host);
    be->zero(be, p, 1);
    be->download(be, back, p, sizeof back);
    expect(back[0] == 0 && memcmp(back + 1, host + 1, 99) == 0, be, "upload, zero, download");
    be->release(be, p);
    be->release(be, NULL);
    mem_fail_after(1);
    expect(!be->alloc(be, 1) && strstr(err_text(), "out of memory"), be, "alloc out of memory");
    mem_fail_after(0);
    expect(be->sync(be) == 0, be, "sync of a backend without failure");
}

/* The first failure stays, and comes out at every sync. */
static void check_latch(const char *name) {
    Backend *be = NULL;
    if (backend_open(&be, name, 1)) {
        printf("FAIL %s: %s\n", name, err_text());
        failures++;
        return;
    }
    backend_fail(be, "first %d", 1);
    backend_fail(be, "second");
    for (int i = 0; i < 2; i++)
        expect(be->sync(be) == ERR_FAIL && strcmp(err_text(), "first 1") == 0, be, "latch");
    backend_free(&be);
}

static int check(void) {
    Backend *ref = NULL, *cpu[THREAD_COUNTS] = {NULL}, *none = NULL;
    if (backend_open(&ref, "ref", 1))
        return 1;
    for (int i = 0; i < THREAD_COUNTS; i++)
        if (backend_open(&cpu[i], "cpu", i + 1))
            return 1;
    expect(backend_open(&none, "gpu", 1) == ERR_USAGE && !none && strstr(err_text(), "ref or cpu"),
           ref, "an unknown backend");
    check_memory(ref);
    check_memory(cpu[1]);
    check_latch("ref");
    check_latch("cpu");
    for (int i = 0; i < op_count; i++) {
        double worst = 0;
        for (int k = 0; k < ops[i].shape_count; k++)
            worst = fmax(worst, check_shape(ref, cpu, &ops[i], k));
        printf("%-25s %d shapes, error %.1e, allowed %.0e (%s)%s\n", ops[i].name,
               ops[i].shape_count, worst, ops[i].bound, ops[i].why,
               ops[i].any_threads ? "; any threads" : "");
    }
    backend_free(&ref);
    for (int i = 0; i < THREAD_COUNTS; i++)
        backend_free(&cpu[i]);
    if (failures)
        printf("%d failures\n", failures);
    return failures != 0;
}

/* ---- timing: the best of the calls of half a second. */

static void bench_op(Backend *be, const Op *op) {
    Op row = *op;
    row.shapes = op->bench;
    Run r = {.be = be, .shape = row.shapes};
    call(&r, &row); /* prepares and warms up */
    double best = INFINITY, bytes = 0, start = now_seconds();
    while (now_seconds() - start < 0.5) {
        call(&r, &row);
        best = fmin(best, now_seconds() - r.began);
    }
    for (int i = 0; i < r.count; i++)
        bytes += (double)value_bytes(&r.operands[i]);
    printf("%-25s %9.3f ms  %8.2f %s\n", op->name, best * 1e3,
           (r.flops > 0 ? r.flops : bytes) / best / 1e9, r.flops > 0 ? "GFLOP/s" : "GB/s");
    run_free(&r);
}

static int bench(void) {
    Backend *be = NULL;
    if (backend_open(&be, "cpu", 0)) {
        fprintf(stderr, "%s\n", err_text());
        return 1;
    }
    printf("%s; base, 8 images\n", be->description);
    for (int i = 0; i < op_count; i++)
        bench_op(be, &ops[i]);
    backend_free(&be);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--bench") == 0)
        return bench();
    if (argc > 1) {
        fprintf(stderr, "usage: check_ops [--bench]\n");
        return 2;
    }
    return check();
}
