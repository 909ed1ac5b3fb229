/* The network's layout, initialisation and promises: census and names of SimMIM's ViT-B, pixel
 * shuffle, and what must not change a bit of a prediction. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/params.h"
#include "model/vit.h"
#include "networks.h"
#include "random.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

static void normals(float *out, int64_t n, uint32_t stream) {
    Rng r = rng_stream(8, RNG_TEST, 4, stream);
    for (int64_t i = 0; i < n; i++)
        out[i] = (float)rng_normal(&r, (uint64_t)i);
}

static Backend *open_backend(const char *name) {
    Backend *be = NULL;
    if (backend_open(&be, name, 2, "f32"))
        fail_msg("%s", err_text());
    return be;
}

/* ---- layout. */

static void test_census(void **state) {
    (void)state;
    int tensors;
    int64_t values, decayed;
    vit_census(&base, &tensors, &values, &decayed);
    assert_int_equal(tensors, 189);
    assert_int_equal(values, 86256720);
    assert_int_equal(decayed, 86123856);
}

typedef struct {
    const char *name;
    int64_t shape[5]; /* ends with 0 */
    bool decay;
} Row;

/* Method A.5, in the order of SimMIM's state dict. */
static const Row top[] = {
    {"encoder.cls_token", {1, 1, 768}, false},
    {"encoder.mask_token", {1, 1, 768}, true},
    {"encoder.patch_embed.proj.weight", {768, 3, 16, 16}, true},
    {"encoder.patch_embed.proj.bias", {768}, false},
    {"encoder.rel_pos_bias.relative_position_bias_table", {732, 12}, true},
};
static const Row block[] = {
    {"gamma_1", {768}, false},
    {"gamma_2", {768}, false},
    {"norm1.weight", {768}, false},
    {"norm1.bias", {768}, false},
    {"attn.q_bias", {768}, false},
    {"attn.v_bias", {768}, false},
    {"attn.qkv.weight", {2304, 768}, true},
    {"attn.proj.weight", {768, 768}, true},
    {"attn.proj.bias", {768}, false},
    {"norm2.weight", {768}, false},
    {"norm2.bias", {768}, false},
    {"mlp.fc1.weight", {3072, 768}, true},
    {"mlp.fc1.bias", {3072}, false},
    {"mlp.fc2.weight", {768, 3072}, true},
    {"mlp.fc2.bias", {768}, false},
};
static const Row tail[] = {
    {"encoder.norm.weight", {768}, false},
    {"encoder.norm.bias", {768}, false},
    {"decoder.0.weight", {768, 768, 1, 1}, true},
    {"decoder.0.bias", {768}, false},
};

/* The next parameter must be this row; places in the slab must follow each other. */
static const VitParam *expect_row(const VitParam *p, const Row *row, const char *prefix) {
    char name[64];
    for (; !p->name[0]; p++) /* the key bias, and what other networks have */
        assert_true(p->count == 0 || p[1].count == 0 || p[1].offset == p->offset + p->count);
    snprintf(name, sizeof name, "%s%s", prefix, row->name);
    assert_string_equal(p->name, name);
    int rank = 0;
    int64_t count = 1;
    for (; row->shape[rank]; rank++) {
        assert_true(rank < p->rank);
        assert_int_equal(p->shape[rank], row->shape[rank]);
        count *= row->shape[rank];
    }
    assert_int_equal(p->rank, rank);
    assert_int_equal(p->count, count);
    assert_int_equal(p->decay, row->decay);
    return p + 1;
}

static void test_names_and_shapes(void **state) {
    (void)state;
    int count;
    int64_t floats;
    VitParam *params = params_layout(&base, &count, &floats);
    const VitParam *p = params;
    for (int i = 0; i < N(top); i++)
        p = expect_row(p, &top[i], "");
    for (int l = 0; l < base.depth; l++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "encoder.blocks.%d.", l);
        for (int i = 0; i < N(block); i++)
            p = expect_row(p, &block[i], prefix);
    }
    for (int i = 0; i < N(tail); i++)
        p = expect_row(p, &tail[i], "");
    assert_int_equal(p - params, count);
    assert_int_equal(p[-1].offset + p[-1].count, floats);
    assert_int_equal(floats, 86256720 + 12 * 768); /* and the key biases */
    mem_free(params);
}

/* The channels of stacked frames widen the patch embedding and nothing else. */
static void test_stacked_frames(void **state) {
    (void)state;
    VitConfig four = base;
    int tensors;
    int64_t values, decayed;
    four.frames = 4;
    vit_census(&four, &tensors, &values, &decayed);
    assert_int_equal(tensors, 189);
    assert_int_equal(values, 86256720 + 3 * 768 * 768);
}

static void test_relpos_index(void **state) {
    (void)state;
    assert_int_equal(relpos_index(14, 1, 1), 364);
    assert_int_equal(relpos_index(14, 1, 196), 0);
    assert_int_equal(relpos_index(14, 196, 1), 728);
    assert_int_equal(relpos_index(14, 0, 5), 729);
    assert_int_equal(relpos_index(14, 5, 0), 730);
    assert_int_equal(relpos_index(14, 0, 0), 731);
    for (int64_t i = 0; i < 196; i++)
        for (int64_t j = 0; j < 196; j++)
            assert_int_equal(relpos_index(14, 1 + i, 1 + j),
                             (i / 14 - j / 14 + 13) * 27 + i % 14 - j % 14 + 13);
}

static void test_config_check(void **state) {
    (void)state;
    VitConfig c = base;
    assert_int_equal(vit_config_check(&c), 0);
    c.patch = 15;
    assert_int_equal(vit_config_check(&c), ERR_USAGE);
    assert_non_null(strstr(err_text(), "224 is not a multiple of patch 15"));
    c = base;
    c.heads = 7;
    assert_int_equal(vit_config_check(&c), ERR_USAGE);
    assert_non_null(strstr(err_text(), "768 is not a multiple of heads 7"));
    c = (VitConfig){.image = 224,
                    .patch = 16,
                    .frames = 1,
                    .width = 12,
                    .depth = 1,
                    .heads = 1,
                    .layer_scale = 0.1};
    assert_int_equal(vit_config_check(&c), ERR_USAGE);
    assert_non_null(strstr(err_text(), "width 12"));
    Vit *v = NULL;
    Backend *be = open_backend("ref");
    assert_int_equal(vit_open(&v, be, &c, 1, false), ERR_USAGE);
    assert_null(v);
    backend_free(&be);
}

/* ---- pixel shuffle: channel 256 c + 16 i + j at (h, w) lands at (c, 16 h + i, 16 w + j). */

static void test_pixel_shuffle(void **state) {
    enum { SIZE = 48, PATCH = 16, SIDE = SIZE / PATCH, COLS = 3 * PATCH * PATCH, LEAD = 1 };
    enum { TOKENS = SIDE * SIDE + LEAD, PIXELS = 3 * SIZE * SIZE };
    Backend *be = open_backend(*state);
    const PatchGrid grid = {SIZE, PATCH, 3};
    static float tokens[TOKENS * COLS], image[PIXELS], again[TOKENS * COLS];
    for (int i = 0; i < N(tokens); i++)
        tokens[i] = (float)i;
    be->unpatchify(be, image, (Tensor){tokens, TOKENS, COLS, F32, 0, 0}, grid, LEAD);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < PATCH; i++)
            for (int j = 0; j < PATCH; j++)
                for (int h = 0; h < SIDE; h++)
                    for (int w = 0; w < SIDE; w++) {
                        float pixel = image[(c * SIZE + PATCH * h + i) * SIZE + PATCH * w + j];
                        int channel = PATCH * PATCH * c + PATCH * i + j;
                        assert_true(pixel == tokens[(LEAD + h * SIDE + w) * COLS + channel]);
                    }
    be->patchify(be, (Tensor){again, TOKENS, COLS, F32, 0, 0}, image, grid, LEAD);
    for (int i = 0; i < N(tokens); i++)
        assert_true(again[i] == (i < LEAD * COLS ? 0 : tokens[i]));
    backend_free(&be);
}

/* ---- initialisation (method A.6). */

/* Largest magnitude and the deviation, which must be `deviation` to five of its standard errors. */
static void expect_spread(const VitParam *p, const float *w, double bound, double deviation) {
    double sum = 0, squares = 0, top_value = 0;
    for (int64_t i = 0; i < p->count; i++) {
        sum += w[i];
        squares += (double)w[i] * w[i];
        top_value = fmax(top_value, fabs(w[i]));
    }
    double n = (double)p->count, measured = sqrt(squares / n);
    if (top_value > bound * (1 + 1e-6) || top_value < 0.9 * bound ||
        fabs(measured - deviation) > 5 * deviation / sqrt(2 * n) ||
        fabs(sum / n) > 5 * deviation / sqrt(n))
        fail_msg("%s: largest %g of %g, deviation %g of %g, mean %g", p->name, top_value, bound,
                 measured, deviation, sum / n);
}

static void expect_constant(const VitParam *p, const float *w, double value) {
    for (int64_t i = 0; i < p->count; i++)
        if (w[i] != (float)value)
            fail_msg("%s[%lld] is %g, expected %g", p->name, (long long)i, w[i], value);
}

static bool ends_with(const char *name, const char *end) {
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static void test_init(void **state) {
    (void)state;
    const VitConfig config = {.image = 64,
                              .patch = 16,
                              .frames = 1,
                              .width = 192,
                              .depth = 3,
                              .heads = 3,
                              .layer_scale = 0.07};
    /* variance of a normal truncated at one deviation: 1 - 2 phi(1) / (2 Phi(1) - 1) */
    const double s = 0.02, within = sqrt(1 - 2 * exp(-0.5) / sqrt(2 * M_PI) / erf(M_SQRT1_2));
    const double uniform = 1 / sqrt(192.0);
    Backend *be = open_backend("ref");
    Vit *v = NULL, *w = NULL;
    assert_int_equal(vit_open(&v, be, &config, 1, false), 0);
    assert_int_equal(vit_open(&w, be, &config, 1, false), 0);
    assert_int_equal(vit_init(v, 1), 0);
    int count;
    const VitParam *p = vit_params(v, &count);
    for (int i = 0; i < count; i++, p++) {
        const float *x = vit_weights(v) + p->offset;
        const char *name = p->name;
        double shrink = 1 / sqrt(2.0 * (p->block + 1));
        if (strstr(name, "decoder"))
            expect_spread(p, x, uniform, uniform / sqrt(3));
        else if (strstr(name, "gamma"))
            expect_constant(p, x, 0.07);
        else if (strstr(name, "norm"))
            expect_constant(p, x, ends_with(name, "weight"));
        else if (ends_with(name, "attn.proj.weight") || ends_with(name, "mlp.fc2.weight"))
            expect_spread(p, x, s * shrink, s * shrink * within);
        else if (ends_with(name, "weight") || ends_with(name, "token"))
            expect_spread(p, x, s, s * within);
        else /* biases, the table of relative positions, the key bias */
            expect_constant(p, x, 0);
    }
    /* The same seed gives the same bits, another one others. */
    size_t bytes = (size_t)vit_slab_count(v) * sizeof(float);
    assert_int_equal(vit_init(w, 1), 0);
    assert_memory_equal(vit_weights(v), vit_weights(w), bytes);
    assert_int_equal(vit_init(w, 2), 0);
    assert_memory_not_equal(vit_weights(v), vit_weights(w), bytes);
    vit_free(&v);
    vit_free(&w);
    backend_free(&be);
}

/* ---- predictions. */

enum { IMAGES = 4, TINY_PIXELS = 3 * 32 * 32, TINY_PATCHES = 16 };

static Vit *open_vit(Backend *be, const VitConfig *config, int64_t images, bool training) {
    Vit *v = NULL;
    if (vit_open(&v, be, config, images, training) || vit_init(v, 5))
        fail_msg("%s", err_text());
    /* The table starts at zero: give it something to do. */
    int count;
    const VitParam *p = vit_params(v, &count);
    for (int i = 0; i < count; i++)
        if (strstr(p[i].name, "relative"))
            normals(vit_weights(v) + p[i].offset, p[i].count, 77);
    return v;
}

/* A network that predicts the change begins with none: what it says is its newest frame. */
static void test_residual_begins_as_a_copy(void **state) {
    Backend *be = open_backend(*state);
    VitConfig config = tiny;
    config.frames = 2;
    config.residual = true;
    Vit *v = open_vit(be, &config, IMAGES, false);
    static float x[IMAGES * 2 * TINY_PIXELS];
    normals(x, N(x), 1);
    vit_forward(v, x, IMAGES, IMAGES, NULL, NULL);
    for (int i = 0; i < IMAGES; i++)
        assert_memory_equal(vit_prediction(v) + (ptrdiff_t)i * TINY_PIXELS,
                            x + (ptrdiff_t)(2 * i + 1) * TINY_PIXELS, TINY_PIXELS * sizeof(float));
    vit_free(&v);
    backend_free(&be);
}

static void test_evaluation_is_determined(void **state) {
    Backend *be = open_backend(*state);
    Vit *trained = open_vit(be, &tiny, IMAGES, true), *v = open_vit(be, &tiny, IMAGES, false);
    static float x[IMAGES * TINY_PIXELS], first[IMAGES * TINY_PIXELS];
    uint8_t mask[IMAGES * TINY_PATCHES] = {0};
    normals(x, N(x), 1);
    vit_forward(v, x, IMAGES, IMAGES, NULL, NULL);
    memcpy(first, vit_prediction(v), sizeof first);
    vit_forward(v, x, IMAGES, IMAGES, NULL, NULL);
    assert_memory_equal(first, vit_prediction(v), sizeof first);
    vit_forward(v, x, IMAGES, IMAGES, mask, NULL);
    assert_memory_equal(first, vit_prediction(v), sizeof first); /* ratio 0 is the clean pass */
    const VitNoise none = {.seed = 9, .step = 3};
    vit_forward(v, x, IMAGES, IMAGES, NULL, &none);
    assert_memory_equal(first, vit_prediction(v), sizeof first);
    vit_forward(trained, x, IMAGES, IMAGES, NULL, NULL);
    assert_memory_equal(first, vit_prediction(trained), sizeof first);

    /* A mask and noise do change it, and the noise is a function of its place. */
    static float noisy[IMAGES * TINY_PIXELS];
    VitNoise noise = {.seed = 9, .step = 3, .drop = 0.1};
    mask[5] = 1;
    vit_forward(v, x, IMAGES, IMAGES, mask, NULL);
    assert_memory_not_equal(first, vit_prediction(v), TINY_PIXELS * sizeof(float));
    vit_forward(v, x, IMAGES, IMAGES, NULL, &noise);
    memcpy(noisy, vit_prediction(v), sizeof noisy);
    assert_memory_not_equal(first, noisy, sizeof noisy);
    vit_forward(v, x, IMAGES, IMAGES, NULL, &noise);
    assert_memory_equal(noisy, vit_prediction(v), sizeof noisy);
    noise.step++;
    vit_forward(v, x, IMAGES, IMAGES, NULL, &noise);
    assert_memory_not_equal(noisy, vit_prediction(v), sizeof noisy);
    vit_forward(v, x, IMAGES, IMAGES, NULL, NULL); /* nothing of it stays */
    assert_memory_equal(first, vit_prediction(v), sizeof first);
    vit_free(&v);
    vit_free(&trained);
    backend_free(&be);
}

/* The last two pairs of a doubled batch of three, run alone, drop what they drop among all. */
static void test_part_of_a_batch_draws_its_noise(void **state) {
    enum { PAIRS = 3, PART = 2, FIRST = PAIRS - PART };
    Backend *be = open_backend(*state);
    Vit *v = open_vit(be, &tiny, 2 * PAIRS, false);
    static float x[PAIRS * TINY_PIXELS], whole[2 * PAIRS * TINY_PIXELS];
    VitNoise noise = {.seed = 9, .step = 3, .drop = 0.2, .drop_path = 0.5};
    normals(x, N(x), 1);
    vit_forward(v, x, PAIRS, 2 * PAIRS, NULL, &noise);
    memcpy(whole, vit_prediction(v), sizeof whole);
    noise.part = (BatchPart){.first = FIRST, .split = PART, .skip = PAIRS - PART};
    vit_forward(v, x + FIRST * TINY_PIXELS, PART, 2 * PART, NULL, &noise);
    for (int half = 0; half < 2; half++)
        assert_memory_equal(vit_prediction(v) + (ptrdiff_t)half * PART * TINY_PIXELS,
                            whole + (ptrdiff_t)(half * PAIRS + FIRST) * TINY_PIXELS,
                            PART * TINY_PIXELS * sizeof(float));
    noise.part = (BatchPart){0};
    vit_forward(v, x + FIRST * TINY_PIXELS, PART, 2 * PART, NULL, &noise);
    assert_memory_not_equal(vit_prediction(v), whole + FIRST * TINY_PIXELS,
                            PART * TINY_PIXELS * sizeof(float));
    vit_free(&v);
    backend_free(&be);
}

/* A masked patch's pixels have no say; those of any other patch do. */
static void test_mask_hides_pixels(void **state) {
    Backend *be = open_backend(*state);
    Vit *v = open_vit(be, &tiny, 1, false);
    static float x[TINY_PIXELS], first[TINY_PIXELS];
    uint8_t mask[TINY_PATCHES] = {[5] = 1};
    normals(x, N(x), 2);
    vit_forward(v, x, 1, 1, mask, NULL);
    memcpy(first, vit_prediction(v), sizeof first);
    x[32 * 8 + 8] += 1; /* patch 5: row 1, column 1 of the grid */
    vit_forward(v, x, 1, 1, mask, NULL);
    assert_memory_equal(first, vit_prediction(v), sizeof first);
    x[0] += 1;
    vit_forward(v, x, 1, 1, mask, NULL);
    assert_memory_not_equal(first, vit_prediction(v), sizeof first);
    vit_free(&v);
    backend_free(&be);
}

/* Largest difference over the largest value. */
static double difference(const float *a, const float *b, int64_t n) {
    double off = 0, top_value = 0;
    for (int64_t i = 0; i < n; i++) {
        off = fmax(off, fabs((double)a[i] - b[i]));
        top_value = fmax(top_value, fabs(b[i]));
    }
    return off / top_value;
}

/* Image b of a doubled batch sees frame b % inputs. */
static void test_doubled_batch(void **state) {
    Backend *be = open_backend(*state);
    Vit *v = open_vit(be, &tiny, 4, false);
    static float x[2 * TINY_PIXELS];
    normals(x, N(x), 3);
    vit_forward(v, x, 2, 4, NULL, NULL);
    const float *p = vit_prediction(v);
    assert_memory_equal(p, p + 2 * TINY_PIXELS, 2 * TINY_PIXELS * sizeof *p);
    assert_true(difference(p, p + TINY_PIXELS, TINY_PIXELS) > 0.01);
    vit_free(&v);
    backend_free(&be);
}

/* Each of four images alone, and in one batch (test_int8.c does so in every precision). */
static void check_batch(const char *backend, const VitConfig *config) {
    Backend *be = open_backend(backend);
    Vit *v = open_vit(be, config, IMAGES, false);
    int64_t pixels = 3 * config->image * config->image;
    float *x = mem_alloc((size_t)(IMAGES * pixels), sizeof *x);
    float *all = mem_alloc((size_t)(IMAGES * pixels), sizeof *all);
    normals(x, IMAGES * pixels, 4);
    vit_forward(v, x, IMAGES, IMAGES, NULL, NULL);
    memcpy(all, vit_prediction(v), (size_t)(IMAGES * pixels) * sizeof *all);
    for (int64_t b = 0; b < IMAGES; b++) {
        vit_forward(v, x + b * pixels, 1, 1, NULL, NULL);
        if (memcmp(vit_prediction(v), all + b * pixels, (size_t)pixels * sizeof *all) != 0)
            fail_msg("%s: image %d has other bits when it is alone", backend, (int)b);
    }
    mem_free(x);
    mem_free(all);
    vit_free(&v);
    backend_free(&be);
}

static void test_batch_independence(void **state) {
    (void)state;
    const VitConfig all_tokens = {.image = 224,
                                  .patch = 16,
                                  .frames = 1,
                                  .width = 192,
                                  .depth = 2,
                                  .heads = 3,
                                  .layer_scale = 0.1};
    check_batch("ref", &tiny);
    check_batch("cpu", &tiny);
    check_batch("cpu", &all_tokens);
}

/* ---- memory. */

static int64_t taken;

static void *counting_alloc(Backend *be, size_t bytes) {
    (void)be;
    taken += (int64_t)bytes;
    return mem_alloc_pages(bytes);
}

static void test_memory(void **state) {
    (void)state;
    const VitConfig configs[] = {tiny,
                                 {.image = 48,
                                  .patch = 16,
                                  .frames = 4,
                                  .width = 64,
                                  .depth = 3,
                                  .heads = 2,
                                  .layer_scale = 0.1}};
    Backend *be = open_backend("ref");
    be->alloc = counting_alloc;
    for (int i = 0; i < 4; i++) {
        const VitConfig *c = &configs[i / 2];
        Vit *v = NULL;
        taken = 0;
        assert_int_equal(vit_open(&v, be, c, 3, i % 2), 0);
        assert_int_equal(vit_memory(c, 3, i % 2, be), taken);
        assert_true(vit_memory(c, 4, i % 2, be) > taken);
        vit_free(&v);
    }
    assert_true(vit_memory(&tiny, 3, true, be) > vit_memory(&tiny, 3, false, be));
    /* In evaluation another block costs its weights alone. */
    VitConfig deeper = tiny;
    int tensors;
    int64_t values, deeper_values, decayed;
    deeper.depth++;
    vit_census(&tiny, &tensors, &values, &decayed);
    vit_census(&deeper, &tensors, &deeper_values, &decayed);
    assert_int_equal(vit_memory(&deeper, 9, false, be) - vit_memory(&tiny, 9, false, be),
                     (deeper_values - values + tiny.width) * (int64_t)sizeof(float));
    backend_free(&be);
}

/* Every allocation of vit_open may fail, and nothing leaks (the sanitizers tell). */
static void test_out_of_memory(void **state) {
    (void)state;
    Backend *be = open_backend("ref");
    int failures = 0;
    for (int64_t n = 1; n < 30; n++) {
        Vit *v = NULL;
        mem_fail_after(n);
        int code = vit_open(&v, be, &tiny, 1, true);
        mem_fail_after(0);
        assert_true(!code == !!v);
        assert_true(!code || strstr(err_text(), "out of memory"));
        failures += code != 0;
        vit_free(&v);
    }
    assert_in_range(failures, 6, 20);
    backend_free(&be);
}

int main(void) {
    static char ref[] = "ref", cpu[] = "cpu";
    const struct CMUnitTest tests[] = {
#define ON(backend, test) {#test " (" #backend ")", test, NULL, NULL, backend}
        cmocka_unit_test(test_census),
        cmocka_unit_test(test_names_and_shapes),
        cmocka_unit_test(test_stacked_frames),
        cmocka_unit_test(test_relpos_index),
        cmocka_unit_test(test_config_check),
        ON(ref, test_pixel_shuffle),
        ON(cpu, test_pixel_shuffle),
        cmocka_unit_test(test_init),
        ON(ref, test_residual_begins_as_a_copy),
        ON(cpu, test_residual_begins_as_a_copy),
        ON(ref, test_evaluation_is_determined),
        ON(cpu, test_evaluation_is_determined),
        ON(ref, test_part_of_a_batch_draws_its_noise),
        ON(cpu, test_part_of_a_batch_draws_its_noise),
        ON(ref, test_mask_hides_pixels),
        ON(cpu, test_mask_hides_pixels),
        ON(ref, test_doubled_batch),
        ON(cpu, test_doubled_batch),
        cmocka_unit_test(test_batch_independence),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
