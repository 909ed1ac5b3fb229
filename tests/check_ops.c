/* Every operation of the seam (compute/backend.h), each backend against the reference.
 *
 * An operation is one row of `ops` in check_ops_table.c and one function that declares its operands
 * and calls it. The rest follows from how an operand is declared:
 *
 *   IN     random, must come back unchanged
 *   OUT    must be overwritten: it starts as NaN, and a NaN that is left is a failure (bytes start
 *          as that of the guards, which the comparison finds)
 *   SUM    accumulates: starts random, and the same run from zero must differ by just that start
 *   INOUT  random, changed in place
 *
 * All lie between guard values and are aligned to one value only, as a weight in its slab is.
 *
 * The error of an operand is max |got - want| / max |want|. Of a result in bf16 or bytes, the step
 * at the value is taken off first: both sides round once, from values that may lie on two sides of
 * a boundary. That is rare, so no more than a fiftieth of the values may differ (and none of
 * copies), unless the operation rounds inside too. The reference reads the same rounded inputs.
 * Runs with 1, 2 and 3 threads, and one on a new backend with packed weights, must agree bit for
 * bit.
 *
 * check_ops [--backend NAME] [--small] [--isa NAME]
 *                         checks, with instructions up to that level (NORMALCY_ISA); the exit
 *                         status says whether all passed. Small: on one thread, and only at shapes
 *                         that do not take valgrind minutes
 * check_ops --has NAME    77 unless it is the best level of this processor up to NORMALCY_ISA, for
 *                         tests to be skipped
 * check_ops [--backend NAME] --bench
 *                         times the backend at the shapes of the base model and a batch of 4 pairs,
 *                         layers also on one image
 *
 * The backend is that of compute/backends.c which is compared with ref: cpu where none is named.
 * Its memory may be its own: the harness reads and writes operands by upload and download alone.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "check_ops.h"
#include "compute/ref/ref_element.h"
#include "random.h"

enum { GUARD_VALUES = 17, GUARD_BYTE = 0xFF };

static const char *const type_names[] = {"f32", "bf16", "int8"};

static const char *backend = "cpu"; /* compared with ref */

static int failures;

static void fail(const Run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail(const Run *r, const char *fmt, ...) {
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    printf("FAIL %s, shape %d in %s%s, %s with %d threads: %s\n", r->op->name,
           (int)(r->shape - r->op->shapes), type_names[r->type], r->pack ? " packed" : "",
           r->be->name, r->be->threads, text);
    failures++;
}

static size_t value_bytes(const Operand *o) {
    return (size_t)o->count * o->item;
}

static size_t guard_bytes(const Operand *o) {
    return GUARD_VALUES * o->item;
}

static bool on_host(const Operand *o) {
    return o->item == sizeof(double);
}

/* The values of a copy as a tensor of one row. */
static Tensor values(const Operand *o, uint8_t *copy) {
    Tensor t = o->form;
    t.data = copy + guard_bytes(o);
    return t;
}

static double value(const Operand *o, uint8_t *copy, int64_t i) {
    double d;
    if (!on_host(o))
        return ref_get(values(o, copy), 0, i);
    memcpy(&d, copy + guard_bytes(o) + (size_t)i * sizeof d, sizeof d);
    return d;
}

/* The distance of the numbers of an operand's type around this one; 0 for f32, whose rounding the
 * bounds contain. */
static double step_at(const Operand *o, double x) {
    if (on_host(o) || o->form.type == F32)
        return 0;
    return o->form.type == U8 ? o->form.scale : x != 0 ? ldexp(1, ilogb(x) - 7) : 0;
}

static void fill(const Run *r, Operand *o, Fill how) {
    Rng rng = rng_stream(1, RNG_TEST, 0, (uint32_t)r->next);
    float scale = r->shape->scale != 0 ? r->shape->scale : 1;
    Tensor t = values(o, o->start);
    for (int64_t i = 0; i < o->count; i++) {
        if (how == FLAG) {
            *(uint8_t *)tensor_at(t, 0, i) =
                r->shape->mask == MASK_ALL || rng_uniform(&rng, (uint64_t)i) < 0.75;
            continue;
        }
        double x = scale * rng_normal(&rng, (uint64_t)i);
        if (how == WEIGHT)
            x /= sqrt((double)r->shape->width);
        if (how == POSITIVE)
            x = fabs(x);
        if (how == PIXEL) /* few levels: differences are exact, and ties happen */
            x = round(x * 32) / 32;
        if (o->kind == OUT)
            x = NAN;
        if (o->kind == SUM && r->zero_sums)
            x = 0;
        if (o->kind != OUT || t.type != U8)
            ref_put(t, 0, i, x);
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
static void *operand(Run *r, const char *name, Kind kind, Fill how, Tensor form, size_t item) {
    Operand *o = &r->operands[r->next];
    if (!r->prepared) {
        *o = (Operand){name, kind, tensor_count(form), item, form, NULL, NULL, NULL};
        size_t bytes = value_bytes(o) + 2 * guard_bytes(o);
        o->start = host_block(bytes);
        o->end = host_block(bytes);
        o->memory = on_host(o) ? host_block(bytes) : r->be->alloc(r->be, bytes);
        memset(o->start, GUARD_BYTE, bytes);
        if (!on_host(o))
            fill(r, o, how);
        if (on_host(o))
            memcpy(o->memory, o->start, bytes);
        else
            r->be->upload(r->be, o->memory, o->start, bytes);
        r->count++;
    }
    r->next++;
    return o->memory + guard_bytes(o);
}

float *vector_of(Run *r, const char *name, Kind kind, Fill how, int64_t n) {
    return operand(r, name, kind, how, (Tensor){.rows = 1, .cols = n}, sizeof(float));
}

float *vector(Run *r, const char *name, Kind kind, int64_t n) {
    return vector_of(r, name, kind, NORMAL, n);
}

/* Bytes reach from -4.8 to 11.1: normal values go beyond one end, and zero is not in the middle. */
Tensor matrix(Run *r, const char *name, Kind kind, DType type, int64_t rows, int64_t cols) {
    Tensor t = {NULL, rows, cols, type, 1.f / 16, 77};
    t.data = operand(r, name, kind, NORMAL, t, dtype_bytes(type));
    return t;
}

double *host_results(Run *r, const char *name, int64_t n) {
    Tensor form = {.rows = 1, .cols = n};
    return (double *)(void *)operand(r, name, OUT, NORMAL, form, sizeof(double));
}

uint8_t *mask_of(Run *r, int64_t n) {
    Tensor form = {.rows = 1, .cols = n, .type = U8};
    return r->shape->mask == MASK_NONE ? NULL : operand(r, "mask", IN, FLAG, form, 1);
}

static int pack_from(Run *r, const float *host) {
    const float *place = r->weight.data;
    r->weight.data = host;
    int code = r->be->weight_pack(r->be, &r->weight, r->type);
    r->weight.data = place;
    return code;
}

/* Packs zeros first: a second packing is of the new values, which the caller may free after it. */
static void pack(Run *r, const Operand *o) {
    float *host = host_block(value_bytes(o));
    int code = pack_from(r, host);
    memcpy(host, o->start + guard_bytes(o), value_bytes(o));
    if (code || pack_from(r, host))
        fail(r, "%s", err_text());
    mem_free(host);
    if (r->weight.packed)
        r->weight.data = NULL; /* it must do without */
}

const Weight *weight(Run *r, int64_t out, int64_t in) {
    const Operand *o = &r->operands[r->next];
    const float *w = vector_of(r, "w", IN, WEIGHT, out * in);
    if (r->prepared)
        return &r->weight;
    r->weight = (Weight){w, out, in, NULL};
    if (r->pack)
        pack(r, o);
    return &r->weight;
}

/* ---- running and comparing. */

static Backend *open_or_fail(const char *name, int threads) {
    Backend *be = NULL;
    if (backend_open(&be, name, threads, "f32") == 0)
        return be;
    fprintf(stderr, "%s\n", err_text());
    _Exit(1);
}

static void run_free(Run *r) {
    for (int i = 0; i < r->count; i++) {
        Operand *o = &r->operands[i];
        mem_free(o->start);
        mem_free(o->end);
        if (on_host(o))
            mem_free(o->memory);
        else
            r->be->release(r->be, o->memory);
    }
    r->be->weight_release(r->be, &r->weight);
    *r = (Run){0};
}

static int call(Run *r) {
    r->next = 0;
    r->began = clock_seconds();
    r->op->run(r, r->shape);
    r->prepared = true;
    return r->be->sync(r->be);
}

/* What an operand promises by itself: guards, untouched inputs, no NaN left. */
static void check_operand(const Run *r, const Operand *o) {
    size_t bytes = value_bytes(o), guard = guard_bytes(o);
    if (memcmp(o->start, o->end, guard) != 0 ||
        memcmp(o->start + guard + bytes, o->end + guard + bytes, guard) != 0)
        fail(r, "%s was written outside its bounds", o->name);
    if (o->kind == IN && memcmp(o->start, o->end, bytes + guard) != 0)
        fail(r, "%s is an input and was changed", o->name);
    for (int64_t i = 0; o->kind != IN && i < o->count; i++)
        if (!isfinite(value(o, o->end, i))) {
            fail(r, "%s[%lld] was not written, or is not finite", o->name, (long long)i);
            break;
        }
}

/* One call on fresh operands, with what comes back in `end`. */
static Run run_once(Run what) {
    Run r = what;
    if (call(&r))
        fail(&r, "%s", err_text());
    for (int i = 0; i < r.count; i++) {
        Operand *o = &r.operands[i];
        size_t bytes = value_bytes(o) + 2 * guard_bytes(o);
        if (on_host(o))
            memcpy(o->end, o->memory, bytes);
        else
            r.be->download(r.be, o->end, o->memory, bytes);
        check_operand(&r, o);
    }
    return r;
}

static double compare(const Run *want, const Run *got) {
    const Op *op = want->op;
    bool rounds_inside = want->type != F32 && op->bound16 > 0;
    double worst = 0, bound = rounds_inside ? op->bound16 : op->bound;
    for (int i = 0; i < want->count; i++) {
        const Operand *a = &want->operands[i], *b = &got->operands[i];
        double top = 0, off = 0;
        int64_t steps = 0;
        for (int64_t k = 0; a->kind != IN && k < a->count; k++) {
            double x = value(a, a->end, k), y = value(b, b->end, k);
            double step = step_at(a, fmax(fabs(x), fabs(y)));
            top = fmax(top, fabs(x));
            off = fmax(off, fabs(x - y) - step);
            steps += step > 0 && x != y;
        }
        double error = top > 0 ? off / top : off;
        if (!(error <= bound))
            fail(got, "%s differs by %.1e of its largest value, allowed %.0e", a->name, error,
                 bound);
        if (!rounds_inside && steps > (bound > 0 ? 1 + a->count / 50 : 0))
            fail(got, "%lld of %lld values of %s are rounded otherwise", (long long)steps,
                 (long long)a->count, a->name);
        worst = fmax(worst, error);
    }
    return worst;
}

static void compare_bits(const Run *a, const Run *b, const char *what) {
    for (int i = 0; i < a->count; i++)
        if (memcmp(a->operands[i].end, b->operands[i].end,
                   value_bytes(&a->operands[i]) + guard_bytes(&a->operands[i])))
            fail(b, "%s: %s has other bits", what, a->operands[i].name);
}

/* `r` started its sums from random values: from zero they must be less by just those. */
static void check_sums(const Run *r, Run what) {
    what.zero_sums = true;
    Run zero = run_once(what);
    for (int i = 0; i < r->count; i++) {
        const Operand *a = &r->operands[i], *z = &zero.operands[i];
        double top = 0, off = 0;
        for (int64_t k = 0; a->kind == SUM && k < a->count; k++) {
            double want = value(a, a->start, k) + value(z, z->end, k);
            top = fmax(top, fabs(want));
            off = fmax(off, fabs(value(a, a->end, k) - want));
        }
        if (off > 4e-6 * top) /* float sums from another start */
            fail(r, "%s does not accumulate", a->name);
    }
    run_free(&zero);
}

/* Backends with 1, 2 .. threads. */
enum { THREAD_COUNTS = 3 };
static bool small;

static int thread_counts(void) {
    return small ? 1 : THREAD_COUNTS;
}

/* Few values, products and pixels. */
static bool takes_part(const Shape *s) {
    int64_t values = s->images * s->tokens * s->width;
    return !small || (values < 5000 && values * s->out < 65000 && s->size < 100 &&
                      s->images * s->channels * s->size * s->size < 7000);
}

static double check_shape(Backend *ref, Backend *const tested[THREAD_COUNTS], Run what) {
    what.be = ref;
    Run want = run_once(what), first = {0};
    double worst = 0;
    check_sums(&want, what);
    for (int i = 0; i < thread_counts(); i++) {
        what.be = tested[i];
        what.pack = what.op->packs && what.type == U8;
        Run got = run_once(what);
        worst = fmax(worst, compare(&want, &got));
        check_sums(&got, what);
        what.be = open_or_fail(backend, i + 1);
        what.pack = what.op->packs;
        Run again = run_once(what);
        compare_bits(&got, &again, "a new backend");
        run_free(&again);
        backend_free(&what.be);
        if (i == 0) {
            first = got;
            continue;
        }
        compare_bits(&first, &got, "another number of threads");
        run_free(&got);
    }
    run_free(&first);
    run_free(&want);
    return worst;
}

static void check_op(Backend *ref, Backend *const tested[THREAD_COUNTS], const Op *op) {
    double worst[3] = {0};
    int shapes = 0;
    for (int k = 0; k < op->shape_count; k++) {
        if (!takes_part(&op->shapes[k]))
            continue;
        shapes++;
        for (int type = F32; type < op->types; type++) {
            Run what = {.op = op, .shape = &op->shapes[k], .type = (DType)type};
            worst[type] = fmax(worst[type], check_shape(ref, tested, what));
        }
    }
    printf("%-25s %2d shapes, error", op->name, shapes);
    for (int type = F32; type < op->types; type++)
        printf(" %s %.1e,", type_names[type], worst[type]);
    printf(" allowed %.0e", op->bound);
    if (op->bound16 > 0)
        printf(", bf16 inside %.0e", op->bound16);
    printf(" (%s)\n", op->why);
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
    memset(host, 8, sizeof host); /* upload has copied */
    be->download(be, back, p, sizeof back);
    expect(back[1] == 7, be, "upload reads its source after it has returned");
    be->release(be, p);
    be->release(be, NULL);
    if (be->host_memory) {
        mem_fail_after(1);
        expect(!be->alloc(be, 1) && strstr(err_text(), "out of memory"), be, "alloc out of memory");
        mem_fail_after(0);
    }
    expect(be->sync(be) == 0, be, "sync of a backend without failure");
}

/* The first failure stays, and comes out at every sync. */
static void check_latch(const char *name) {
    Backend *be = open_or_fail(name, 1);
    backend_fail(be, "first %d", 1);
    backend_fail(be, "second");
    for (int i = 0; i < 2; i++)
        expect(be->sync(be) == ERR_FAIL && strcmp(err_text(), "first 1") == 0, be, "latch");
    backend_free(&be);
}

static void check_open(const Backend *ref) {
    Backend *be = NULL;
    expect(backend_open(&be, "no-such-backend", 1, "f32") == ERR_USAGE && !be, ref,
           "an unknown backend");
    for (int i = 0; backend_names[i]; i++)
        expect(strstr(err_text(), backend_names[i]), ref, "the known backends are not named");
    expect(backend_open(&be, "ref", 1, "f16") == ERR_USAGE && !be, ref, "an unknown precision");
    expect(ref->type == F32, ref, "precision f32");
    expect(backend_open(&be, "ref", 1, "bf16") == 0 && be->type == BF16, ref, "precision bf16");
    backend_free(&be);
}

static void check_packing_out_of_memory(Backend *be, Weight w) {
    float *host = host_block((size_t)(w.out * w.in) * sizeof *host);
    w.data = host;
    mem_fail_after(1);
    expect(be->weight_pack(be, &w, BF16) == ERR_FAIL && !w.packed, be, "packing out of memory");
    mem_fail_after(0);
    mem_free(host);
}

/* For bytes, a backend that packs wants a packed weight. */
static void check_packing(const Op *op) {
    Backend *be = open_or_fail(backend, 1);
    Run plain = {.be = be, .op = op, .shape = op->shapes, .type = U8}, packed = plain;
    packed.pack = true;
    call(&packed);
    int code = call(&plain);
    if (packed.weight.packed)
        expect(code == ERR_FAIL, be, "bytes need a packed weight");
    if (packed.weight.packed && be->host_memory)
        check_packing_out_of_memory(be, plain.weight);
    run_free(&packed);
    run_free(&plain);
    backend_free(&be);
}

/* A processor without a level takes the next lower one. */
static bool has_isa(const char *name) {
    Backend *be = open_or_fail(backend, 1);
    bool has = strcmp(be->description, name) == 0;
    if (!has)
        printf("skipped: this processor has no %s, the best below it is %s\n", name,
               be->description);
    backend_free(&be);
    return has;
}

static int check(void) {
    Backend *ref = open_or_fail("ref", 1), *tested[THREAD_COUNTS];
    for (int i = 0; i < thread_counts(); i++)
        tested[i] = open_or_fail(backend, i + 1);
    printf("%s\n", tested[0]->description);
    check_open(ref);
    check_memory(ref);
    check_memory(tested[thread_counts() - 1]);
    check_latch("ref");
    check_latch(backend);
    for (int i = 0; i < op_count; i++) {
        if (ops[i].packs)
            check_packing(&ops[i]);
        check_op(ref, tested, &ops[i]);
    }
    backend_free(&ref);
    for (int i = 0; i < thread_counts(); i++)
        backend_free(&tested[i]);
    if (failures)
        printf("%d failures\n", failures);
    return failures != 0;
}

/* ---- timing: the best of the calls of a third of a second. */

static void bench_shape(Run what) {
    Run r = what;
    call(&r); /* prepares and warms up */
    double best = INFINITY, bytes = 0, start = clock_seconds();
    while (clock_seconds() - start < 0.33) {
        call(&r);
        best = fmin(best, clock_seconds() - r.began);
    }
    for (int i = 0; i < r.count; i++)
        bytes += (double)value_bytes(&r.operands[i]);
    printf("  %s %9.3f ms %7.1f %s", type_names[r.type], best * 1e3,
           (r.flops > 0 ? r.flops : bytes) / best / 1e9, r.flops > 0 ? "GFLOP/s" : "GB/s   ");
    run_free(&r);
}

static void bench_op(Backend *be, const Op *op, const Shape *shape) {
    printf("%-25s %lld", op->name, (long long)shape->images);
    for (int type = F32; type < op->types; type++) {
        Run what = {.be = be, .op = op, .shape = shape, .type = (DType)type, .pack = op->packs};
        bench_shape(what);
    }
    printf("\n");
}

static int bench(void) {
    Backend *be = open_or_fail(backend, 0);
    printf("%s; base, so many images:\n", be->description);
    for (int i = 0; i < op_count; i++) {
        Shape one = *ops[i].bench;
        bench_op(be, &ops[i], ops[i].bench);
        one.images = one.inputs = 1;
        if (ops[i].packs)
            bench_op(be, &ops[i], &one);
    }
    int code = be->sync(be);
    if (code)
        fprintf(stderr, "%s\n", err_text());
    backend_free(&be);
    return code != 0;
}

static int usage(void) {
    fprintf(stderr, "usage: check_ops [--backend NAME] "
                    "[--bench | --has LEVEL | [--small] [--isa LEVEL]]\n");
    return 2;
}

int main(int argc, char **argv) {
    int i = 1;
    for (; i < argc; i++) {
        bool value = i + 1 < argc;
        if (strcmp(argv[i], "--bench") == 0 && !value)
            return bench();
        if (strcmp(argv[i], "--small") == 0)
            small = true;
        else if (strcmp(argv[i], "--backend") == 0 && value)
            backend = argv[++i];
        else if (strcmp(argv[i], "--has") == 0 && value)
            return has_isa(argv[i + 1]) ? 0 : 77;
        else if (strcmp(argv[i], "--isa") == 0 && value)
            setenv("NORMALCY_ISA", argv[++i], 1);
        else
            return usage();
    }
    const char *level = getenv("NORMALCY_ISA");
    return level && !has_isa(level) ? 77 : check();
}
