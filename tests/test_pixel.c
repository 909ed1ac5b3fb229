/* Pixel-level figures against every pixel by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/pixel.h"
#include "random.h"

enum { CELLS = 12, FRAMES = 9, MOST = 5, PIXELS = FRAMES * CELLS * MOST };

typedef struct {
    float map[FRAMES][CELLS];
    int32_t pixels[FRAMES][CELLS], abnormal[FRAMES][CELLS];
} Case;

static PixelFigures measure(const Case *c) {
    PixelTally t;
    PixelFigures out;
    assert_int_equal(pixel_tally_open(&t, CELLS), 0);
    for (int f = 0; f < FRAMES; f++)
        assert_int_equal(pixel_tally_add(&t, c->map[f], c->pixels[f], c->abnormal[f]), 0);
    assert_int_equal(pixel_tally_figures(&t, &out), 0);
    pixel_tally_free(&t);
    return out;
}

/* The share of pairs in order, ties as half, over all pixels. */
static double all_pairs(const Case *c) {
    static float error[2][PIXELS];
    int n[2] = {0, 0};
    for (int f = 0; f < FRAMES; f++)
        for (int i = 0; i < CELLS; i++)
            for (int k = 0; k < c->pixels[f][i]; k++) {
                int label = k < c->abnormal[f][i];
                error[label][n[label]++] = c->map[f][i];
            }
    double wins = 0;
    for (int a = 0; a < n[1]; a++)
        for (int b = 0; b < n[0]; b++)
            wins += error[1][a] > error[0][b] ? 1 : error[1][a] == error[0][b] ? 0.5 : 0;
    return wins / ((double)n[0] * n[1]);
}

/* Whether the frame counts as found at a threshold, by the rule's own words. */
static int fires(const Case *c, int f, double threshold, int *abnormal) {
    int set = 0, reach = 0, any = 0;
    for (int i = 0; i < CELLS; i++)
        for (int k = 0; k < c->pixels[f][i]; k++) {
            int over = c->map[f][i] >= threshold;
            any |= over;
            set += k < c->abnormal[f][i];
            reach += over && k < c->abnormal[f][i];
        }
    *abnormal = set > 0;
    return set ? (double)reach / set >= 0.4 : any;
}

/* Area and equal error rate over the thresholds 2, 2 - 1/64, ..., 0; errors are multiples of 1/64
 * below 2. NaN where one class is absent. */
static void sweep(const Case *c, double *area, double *eer) {
    double x = 0, y = 0;
    *area = 0;
    *eer = NAN;
    for (int step = 128; step >= 0; step--) {
        int count[2] = {0, 0}, fired[2] = {0, 0};
        for (int f = 0; f < FRAMES; f++) {
            int abnormal, on = fires(c, f, step / 64.0, &abnormal);
            count[abnormal]++;
            fired[abnormal] += on;
        }
        double fpr = (double)fired[0] / count[0], tpr = (double)fired[1] / count[1];
        *area += (fpr - x) * (tpr + y) / 2;
        double gap = x - (1 - y), next = fpr - (1 - tpr);
        if (gap < 0 && next >= 0)
            *eer = x + (fpr - x) * gap / (gap - next);
        x = fpr, y = tpr;
    }
}

static void draw(Case *c, uint32_t trial, double levels) {
    Rng r = rng_stream(9, RNG_TEST, 13, trial);
    for (int f = 0; f < FRAMES; f++)
        for (int i = 0; i < CELLS; i++) {
            uint64_t at = 4 * (uint64_t)(f * CELLS + i);
            double u = rng_uniform(&r, at);
            c->map[f][i] = (float)(levels > 0 ? floor(u * levels) / 64 : u);
            c->pixels[f][i] = (int32_t)(rng_uniform(&r, at + 1) * (MOST + 1));
            int abnormal = f % 2 && rng_uniform(&r, at + 2) < 0.4;
            c->abnormal[f][i] =
                abnormal ? (int32_t)(rng_uniform(&r, at + 3) * (c->pixels[f][i] + 1)) : 0;
        }
    c->pixels[1][0] = 2; /* at least one frame and pixel of each class */
    c->abnormal[1][0] = 1;
}

static void test_against_every_pixel(void **state) {
    (void)state;
    for (uint32_t trial = 0; trial < 60; trial++) {
        Case c;
        draw(&c, trial, 2 + 2 * trial); /* up to 120 levels of 1/64: each in a bin of its own */
        PixelFigures p = measure(&c);
        double area, eer;
        sweep(&c, &area, &eer);
        assert_true(fabs(p.auroc - all_pairs(&c)) < 1e-12);
        assert_true(fabs(p.frame_auroc - area) < 1e-12);
        assert_true(fabs(p.frame_eer - eer) < 1e-12);
    }
}

/* Any numbers: bins may hold unequal errors, and the bound says how much that matters. */
static void test_bins(void **state) {
    (void)state;
    for (uint32_t trial = 0; trial < 60; trial++) {
        Case c;
        draw(&c, trial, 0);
        for (int f = 0; f < FRAMES && trial % 2; f++)
            for (int i = 0; i < CELLS; i++) /* all within a few bins */
                c.map[f][i] = 1 + c.map[f][i] / 1000;
        PixelFigures p = measure(&c);
        assert_true(fabs(p.auroc - all_pairs(&c)) <= p.auroc_error + 1e-12);
        assert_true(p.auroc_error < (trial % 2 ? 0.2 : 0.01));
    }
}

static void test_forty_percent(void **state) {
    (void)state;
    /* Frame 0 is normal with one high pixel of 0.5; frame 1 has five abnormal pixels. */
    Case c = {0};
    for (int f = 0; f < FRAMES; f++)
        for (int i = 0; i < CELLS; i++)
            c.pixels[f][i] = 1;
    c.map[0][3] = 0.5f;
    for (int i = 0; i < 5; i++)
        c.abnormal[1][i] = 1;
    c.map[1][0] = 0.9f;
    assert_true(measure(&c).frame_auroc < 0.5); /* one of five is not enough: 0 with all others */
    c.map[1][1] = 0.75f;
    assert_true(measure(&c).frame_auroc == 1); /* two of five are */
    c.map[0][3] = 0.75f;                       /* a tie with one of eight normal frames */
    assert_true(fabs(measure(&c).frame_auroc - 7.5 / 8) < 1e-12);
}

static void test_one_class(void **state) {
    (void)state;
    Case c = {0};
    for (int f = 0; f < FRAMES; f++)
        c.pixels[f][0] = 1;
    PixelFigures p = measure(&c);
    assert_true(isnan(p.auroc) && isnan(p.auroc_error) && isnan(p.frame_auroc));
    assert_true(isnan(p.frame_eer));
}

static void test_out_of_memory(void **state) {
    (void)state;
    Case c;
    draw(&c, 0, 8);
    int n = 1;
    for (int code = ERR_FAIL; code; n++) {
        PixelTally t;
        PixelFigures out;
        mem_fail_after(n);
        code = pixel_tally_open(&t, CELLS);
        if (!code)
            code = pixel_tally_add(&t, c.map[1], c.pixels[1], c.abnormal[1]);
        if (!code)
            code = pixel_tally_figures(&t, &out);
        mem_fail_after(0);
        pixel_tally_free(&t);
        assert_true(n < 50);
    }
    assert_true(n > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_every_pixel), cmocka_unit_test(test_bins),
        cmocka_unit_test(test_forty_percent),       cmocka_unit_test(test_one_class),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
