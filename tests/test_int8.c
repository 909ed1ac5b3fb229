/* Scoring in int8: close to f32, the same in every backend, batch and number of threads, and
 * refused without ranges that make sense. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/vit.h"
#include "random.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

enum { IMAGES = 3, SIZE = 32, PIXELS = 3 * SIZE * SIZE, DEPTH = 3, SITES = DEPTH * VIT_SITES };

/* The blocks' branches are as large as the stream, so their rounding is seen in the prediction. */
static const VitConfig config = {.image = SIZE,
                                 .patch = 4,
                                 .frames = 1,
                                 .width = 96,
                                 .depth = DEPTH,
                                 .heads = 3,
                                 .layer_scale = 0.5};

static float frames[IMAGES * PIXELS];
static VitRange ranges[SITES];

static void normals(float *out, int64_t n, uint32_t stream, double scale) {
    Rng r = rng_stream(8, RNG_TEST, 9, stream);
    for (int64_t i = 0; i < n; i++)
        out[i] = (float)(scale * rng_normal(&r, (uint64_t)i));
}

static Backend *open_backend(const char *name, int threads, const char *precision) {
    Backend *be = NULL;
    if (backend_open(&be, name, threads, precision))
        fail_msg("%s", err_text());
    return be;
}

/* Drawn weights, but matrices that neither shrink nor grow what goes through. */
static Vit *open_vit(Backend *be) {
    Vit *v = NULL;
    if (vit_open(&v, be, &config, IMAGES, false) || vit_init(v, 5))
        fail_msg("%s", err_text());
    int count;
    const VitParam *p = vit_params(v, &count);
    for (int i = 0; i < count; i++) {
        if (!p[i].matrix && !strstr(p[i].name, "relative"))
            continue;
        float *values = mem_alloc((size_t)p[i].count, sizeof *values);
        double inputs = p[i].matrix ? (double)(p[i].count / p[i].shape[0]) : 1;
        normals(values, p[i].count, (uint32_t)i, 1 / sqrt(inputs));
        assert_int_equal(vit_set(v, i, values), 0);
        mem_free(values);
    }
    return v;
}

typedef struct {
    Backend *be;
    Vit *vit;
} Net;

static Net open_net(const char *name, int threads, const char *precision) {
    Net n = {open_backend(name, threads, precision), NULL};
    n.vit = open_vit(n.be);
    if (n.be->type == U8 && vit_set_ranges(n.vit, (const VitRange *)ranges))
        fail_msg("%s", err_text());
    return n;
}

static void close_net(Net *n) {
    vit_free(&n->vit);
    backend_free(&n->be);
}

static void predict(float *out, const Net *n, const float *x, int64_t images) {
    vit_forward(n->vit, x, images, images, NULL, NULL);
    if (n->be->sync(n->be))
        fail_msg("%s", err_text());
    memcpy(out, vit_prediction(n->vit), (size_t)(images * PIXELS) * sizeof *out);
}

static void predict_with(float *out, const char *name, int threads, const char *precision) {
    Net n = open_net(name, threads, precision);
    predict(out, &n, frames, IMAGES);
    close_net(&n);
}

/* How far `got` is from `want`: at most, over the largest value; and as a ratio in dB. */
typedef struct {
    double worst, db;
} Distance;

static Distance distance(const float *got, const float *want, int64_t n) {
    double worst = 0, top = 0, off = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        double d = (double)got[i] - want[i];
        worst = fmax(worst, fabs(d));
        top = fmax(top, fabs(want[i]));
        off += d * d;
        squares += (double)want[i] * want[i];
    }
    return (Distance){worst / top, 10 * log10(squares / off)};
}

static void expect_close(const char *what, const float *got, const float *want, double worst,
                         double db) {
    Distance d = distance(got, want, IMAGES * PIXELS);
    if (!(d.worst <= worst && d.db >= db))
        fail_msg("%s: off by %.1e of the largest value (allowed %.0e), %.1f dB (at least %.0f)",
                 what, d.worst, worst, d.db, db);
}

/* A byte is the nearest whole number of scales above the zero point, ties to even, 0 and 255 at the
 * ends. By way of double and the C library. */
static void test_bytes(void **state) {
    (void)state;
    static const float ends[] = {-INFINITY, -1e30f, -8388608.5f, 8388607.5f, 1e30f, INFINITY, NAN};
    static const int32_t zeros[] = {0, 1, 13, 128, 254, 255};
    for (int z = 0; z < N(zeros); z++) {
        for (int i = 0; i < N(ends); i++)
            assert_int_equal(u8_round(ends[i], 2, zeros[z]), ends[i] > 0 ? 255 : 0);
        for (int i = -2200; i <= 2200; i++) { /* eighths of a scale: ties too */
            double q = rint(i / 8.0) + zeros[z];
            assert_int_equal(u8_round((float)i / 16, 2, zeros[z]), q < 0 ? 0 : q > 255 ? 255 : q);
        }
    }
}

/* A byte is off by up to 1/510 of its range, in the inputs and the weights of twelve layers: 1.9e-2
 * of the largest value and 35.8 dB found; bf16 has 5e-3 and 46 dB. */
static void test_close_to_f32(void **state) {
    static float want[IMAGES * PIXELS], bf16[IMAGES * PIXELS], got[IMAGES * PIXELS];
    predict_with(want, "cpu", 2, "f32");
    predict_with(bf16, "cpu", 2, "bf16");
    predict_with(got, *state, 2, "int8");
    expect_close("bf16", bf16, want, 2e-2, 40);
    expect_close("int8", got, want, 5e-2, 30);
    assert_memory_not_equal(got, bf16, sizeof got);
}

/* Both multiply the same bytes (check_ops.c), but a value next to a boundary becomes one byte here
 * and the other there, which moves others across theirs in the next layer: after some layers the
 * two are almost as far from each other (37.7 dB found) as each is from f32. */
static void test_backends_agree(void **state) {
    (void)state;
    static float ref[IMAGES * PIXELS], cpu[IMAGES * PIXELS];
    predict_with(ref, "ref", 1, "int8");
    predict_with(cpu, "cpu", 2, "int8");
    expect_close("cpu and ref", cpu, ref, 4e-2, 34);
}

/* An image gets the same bits alone as in a batch, and by any number of threads: live scores are
 * those of a file. */
static void test_bits(void **state) {
    static float all[IMAGES * PIXELS], again[IMAGES * PIXELS];
    Net one = open_net("cpu", 1, *state), three = open_net("cpu", 3, *state);
    predict(all, &one, frames, IMAGES);
    predict(again, &three, frames, IMAGES);
    assert_memory_equal(all, again, sizeof all);
    for (int b = IMAGES - 1; b >= 0; b--) {
        predict(again, b % 2 ? &one : &three, frames + b * PIXELS, 1);
        assert_memory_equal(all + b * PIXELS, again, PIXELS * sizeof *all);
    }
    predict(again, &one, frames + PIXELS, 2); /* behind a larger batch nothing stays */
    assert_memory_equal(all + PIXELS, again, 2 * PIXELS * sizeof *all);
    close_net(&one);
    close_net(&three);
}

/* ---- ranges. */

static void test_observe(void **state) {
    (void)state;
    static float prediction[IMAGES * PIXELS], unseen[IMAGES * PIXELS];
    VitRange single[SITES] = {{0}}, wide[SITES] = {{0}};
    Net bf16 = open_net("cpu", 2, "bf16"), f32 = open_net("cpu", 2, "f32");
    predict(unseen, &bf16, frames, IMAGES);
    vit_observe(bf16.vit, single);
    for (int b = 0; b < IMAGES; b++)
        predict(prediction, &bf16, frames + b * PIXELS, 1);
    assert_memory_equal(prediction, unseen + (IMAGES - 1) * PIXELS, PIXELS * sizeof *prediction);
    assert_memory_equal(single, ranges, sizeof ranges); /* which one batch of all gave */
    vit_observe(bf16.vit, NULL);
    predict(prediction, &bf16, frames, IMAGES);
    assert_memory_equal(single, ranges, sizeof ranges);
    vit_observe(f32.vit, wide);
    predict(prediction, &f32, frames, IMAGES);
    for (int i = 0; i < SITES; i++) {
        double width = (double)ranges[i][1] - ranges[i][0];
        assert_true(ranges[i][0] < 0 && ranges[i][1] > 0);
        assert_float_equal(wide[i][0], ranges[i][0], 0.03 * width);
        assert_float_equal(wide[i][1], ranges[i][1], 0.03 * width);
    }
    for (int i = 3; i < SITES; i += VIT_SITES) /* behind a GELU, whose lowest value is -0.17 */
        assert_true(ranges[i][0] > -0.171f);
    close_net(&bf16);
    close_net(&f32);
}

static void doubling_download(Backend *be, void *host, const void *from, size_t bytes) {
    (void)be;
    const float *values = from;
    for (size_t i = 0; i < bytes / sizeof(float); i++)
        ((float *)host)[i] = 2 * values[i];
}

/* The values come by download alone, since the memory may be the backend's own. */
static void test_observe_downloads(void **state) {
    (void)state;
    static float prediction[IMAGES * PIXELS];
    VitRange once[SITES] = {{0}}, twice[SITES] = {{0}};
    Net n = open_net("cpu", 2, "f32");
    vit_observe(n.vit, once);
    predict(prediction, &n, frames, IMAGES);
    n.be->download = doubling_download;
    vit_observe(n.vit, twice);
    predict(prediction, &n, frames, IMAGES);
    for (int i = 0; i < SITES; i++) {
        assert_true(twice[i][0] == 2 * once[i][0]);
        assert_true(twice[i][1] == 2 * once[i][1]);
    }
    close_net(&n);
}

static void test_bad_ranges(void **state) {
    (void)state;
    static float first[IMAGES * PIXELS], again[IMAGES * PIXELS];
    const float tiny_step = 1e-44f;
    const VitRange bad[] = {{NAN, 1},       {-1, NAN},      {NAN, NAN},     {-INFINITY, 1},
                            {-1, INFINITY}, {1, -1},        {5, 2},         {-2, -5},
                            {0, 0},         {0, tiny_step}, {-3e38f, 3e38f}};
    Net n = open_net("cpu", 2, "int8");
    predict(first, &n, frames, IMAGES);
    for (int i = 0; i < N(bad); i++)
        for (int place = 0; place < SITES; place += SITES - 1) {
            VitRange r[SITES];
            memcpy(r, ranges, sizeof r);
            memcpy(r[place], bad[i], sizeof *r);
            if (vit_set_ranges(n.vit, (const VitRange *)r) != ERR_FAIL)
                fail_msg("row %d: %g to %g is taken", i, (double)bad[i][0], (double)bad[i][1]);
            char what[32];
            snprintf(what, sizeof what, "int8 range %d is ", place);
            assert_non_null(strstr(err_text(), what));
        }
    predict(again, &n, frames, IMAGES); /* with those of before */
    assert_memory_equal(first, again, sizeof first);
    close_net(&n);
}

static void test_no_training(void **state) {
    Backend *be = open_backend(*state, 1, "int8");
    Vit *v = NULL;
    assert_int_equal(vit_open(&v, be, &config, 2, true), ERR_USAGE);
    assert_non_null(strstr(err_text(), "train in bf16 or f32"));
    assert_null(v);
    backend_free(&be);
}

/* ---- memory. */

static int64_t taken;

static void *counting_alloc(Backend *be, size_t bytes) {
    (void)be;
    taken += (int64_t)bytes;
    return mem_alloc_pages(bytes);
}

/* What is said to be needed is what is taken, to a tenth: padded panels, scales, and all that is
 * not a block's matrix, which counts as if it were, make up the rest. The place of the matrices in
 * the slab is never touched, so it takes no memory. */
static void test_memory(void **state) {
    Backend *be = open_backend("cpu", 1, *state);
    const VitConfig wide = {.image = SIZE,
                            .patch = 8,
                            .frames = 1,
                            .width = 192,
                            .depth = 4,
                            .heads = 3,
                            .layer_scale = 0.1};
    Vit *v = NULL;
    taken = 0;
    be->alloc = counting_alloc;
    assert_int_equal(vit_open(&v, be, &wide, IMAGES, false), 0);
    assert_int_equal(vit_init(v, 1), 0);
    int count;
    const VitParam *p = vit_params(v, &count);
    for (int i = 0; i < count; i++)
        taken -= p[i].matrix ? p[i].count * (int64_t)sizeof(float) : 0;
    int64_t said = vit_memory(&wide, IMAGES, false, be);
    if (fabs((double)(said - taken)) > 0.1 * (double)taken)
        fail_msg("%lld bytes are taken, %lld were said", (long long)taken, (long long)said);
    vit_free(&v);
    backend_free(&be);
}

/* Packing may fail at any matrix, and nothing leaks (the sanitizers tell). */
static void test_out_of_memory(void **state) {
    (void)state;
    Backend *be = open_backend("cpu", 1, "int8");
    int failures = 0, code = ERR_FAIL;
    for (int64_t n = 1; code; n++) {
        Vit *v = NULL;
        mem_fail_after(n);
        code = vit_open(&v, be, &config, 1, false);
        if (!code)
            code = vit_init(v, 1);
        mem_fail_after(0);
        assert_true(!code || strstr(err_text(), "out of memory"));
        failures += code != 0;
        vit_free(&v);
    }
    assert_true(failures > 4 * DEPTH + 2);
    backend_free(&be);
}

static int setup(void **state) {
    static float prediction[IMAGES * PIXELS];
    (void)state;
    normals(frames, N(frames), 1000, 0.5);
    Net n = open_net("cpu", 2, "bf16");
    vit_observe(n.vit, ranges);
    predict(prediction, &n, frames, IMAGES);
    close_net(&n);
    return 0;
}

int main(void) {
    static char ref[] = "ref", cpu[] = "cpu", f32[] = "f32", bf16[] = "bf16", int8[] = "int8";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
#define ON(what, test) {#test " (" #what ")", test, NULL, NULL, what}
        ON(ref, test_close_to_f32),
        ON(cpu, test_close_to_f32),
        cmocka_unit_test(test_backends_agree),
        ON(f32, test_bits),
        ON(bf16, test_bits),
        ON(int8, test_bits),
        cmocka_unit_test(test_observe),
        cmocka_unit_test(test_observe_downloads),
        cmocka_unit_test(test_bad_ranges),
        ON(ref, test_no_training),
        ON(cpu, test_no_training),
        ON(f32, test_memory),
        ON(bf16, test_memory),
        ON(int8, test_memory),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
