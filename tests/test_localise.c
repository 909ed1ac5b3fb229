/* Localisation from scorers to figures: squares that appear and vanish, seen by persistence, whose
 * error is exactly what changed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "eval/localise.h"
#include "fixture.h"
#include "video/png.h"

enum { SIZE = 64, OTHER = 72, LENGTH = 6, WIDE = 2 * SIZE, BYTES = OTHER * OTHER * 3 };

static const Box square_a = {0, 0, 15, 15}, square_b = {32, 48, 63, 63};

/* Clip 01 shows square a in frame 3 and square b in frame 4, clip 02 nothing. So a changes in
 * frames 3 and 4, and b in 4 and 5. */
static int shows(int clip, int frame, int x, int y) {
    Box b = frame == 3 ? square_a : square_b;
    return clip == 0 && (frame == 3 || frame == 4) && x >= b.x0 && x <= b.x1 && y >= b.y0 &&
           y <= b.y1;
}

static void picture(uint8_t *bgr, int size, int clip, int frame) {
    for (int i = 0; i < size * size; i++)
        memset(bgr + 3 * i,
               shows(clip, frame, i % size * SIZE / size, i / size * SIZE / size) ? 200 : 100, 3);
}

/* What changes, at twice the input's width. */
static void write_mask(const char *set, int clip, int frame) {
    static uint8_t bgr[WIDE * SIZE * 3];
    for (int i = 0; i < WIDE * SIZE; i++) {
        int x = i % WIDE / 2, y = i / WIDE;
        int changes = frame > 0 && shows(clip, frame, x, y) != shows(clip, frame - 1, x, y);
        memset(bgr + 3 * i, changes ? 255 : 0, 3);
    }
    if (png_write(fixture_path("%s/testing/masks/%02d/%03d.png", set, clip + 1, frame), bgr, WIDE,
                  SIZE))
        fail_msg("%s", err_text());
}

static Dataset *make_set(const char *name, int masks) {
    Dataset *d = NULL;
    for (int clip = 0; clip < 2; clip++) {
        fixture_clip(fixture_path("%s/testing/frames/%02d", name, clip + 1), LENGTH, 16, 8, clip);
        for (int t = 0; t < LENGTH && masks; t++)
            write_mask(name, clip, t);
    }
    if (dataset_open(&d, fixture_path("%s", name)))
        fail_msg("%s", err_text());
    return d;
}

/* Scorer 0 sees the clips as they are; scorer 1 sees clip 01 in place of 02 and the reverse. */
static int run(Localiser *l, Scorer **scorer, int models) {
    static uint8_t x[BYTES], y[BYTES];
    int size = (int)scorer_info(scorer[0])->size;
    for (int clip = 0; clip < 2; clip++)
        for (int t = 1; t < LENGTH; t++) {
            for (int m = 0; m < models; m++) {
                double psnr;
                picture(x, size, clip ^ m, t - 1);
                picture(y, size, clip ^ m, t);
                assert_int_equal(scorer_run(scorer[m], x, y, &psnr), 0);
            }
            Frame f = {.index = t, .width = WIDE, .height = SIZE};
            int code = localiser_add(l, clip, &f);
            if (code)
                return code;
        }
    return 0;
}

static void open_scorers(Scorer **scorer, int64_t size) {
    for (int m = 0; m < 2; m++)
        assert_int_equal(scorer_open_persistence(&scorer[m], size, 1), 0);
}

static void free_scorers(Scorer **scorer) {
    for (int m = 0; m < 2; m++)
        scorer_free(&scorer[m]);
}

/* error: bound of what cells hide that an edge of the truth cuts. */
static void check_figures(Localiser *l, bool masks, double error) {
    assert_false(localiser_has(l, 0, LOCALISE_MOTION)); /* persistence knows nothing of it */
    for (int level = 0; level < LOCALISE_MOTION; level++)
        for (int again = 0; again < 2; again++) {
            Localisation good, bad;
            assert_int_equal(localiser_figures(l, 0, level, &good), 0);
            assert_int_equal(localiser_figures(l, 1, level, &bad), 0);
            assert_true(good.rbdc == 1 && good.tbdc == 1);
            assert_true(bad.rbdc == 0 && bad.tbdc == 0);
            assert_true(isnan(good.pixel.auroc) == !masks);
            if (!masks)
                continue;
            /* A window spreads errors over the edges of the squares. */
            assert_true(level == LOCALISE_TOKEN ? good.pixel.auroc == 1 : good.pixel.auroc > 0.99);
            assert_true(good.pixel.auroc_error < error);
            assert_true(good.pixel.frame_auroc == 1 && good.pixel.frame_eer == 0);
            assert_true(bad.pixel.auroc < 0.5 && bad.pixel.frame_auroc < 0.5);
        }
}

static void test_masks(void **state) {
    (void)state;
    Dataset *d = make_set("masks", 1);
    Scorer *scorer[2] = {0};
    Localiser *l = NULL;
    open_scorers(scorer, SIZE);
    if (localiser_open(&l, d, NULL, scorer, 2) || run(l, scorer, 2))
        fail_msg("%s", err_text());
    const Tracks *t = localiser_tracks(l);
    assert_true(t->made);
    assert_int_equal(t->count, 4);
    assert_int_equal(t->tracks, 2);
    check_figures(l, true, 1e-4);
    localiser_free(&l);
    assert_null(l);
    int code = -1;
    for (int n = 1; code; n++) { /* memory may end at any allocation */
        assert_true(n < 2000);
        mem_fail_after(n);
        code = localiser_open(&l, d, NULL, scorer, 2);
        if (!code)
            code = run(l, scorer, 2);
        mem_fail_after(0);
        localiser_free(&l);
    }
    free_scorers(scorer);
    dataset_free(&d);
}

/* An input that 16 does not divide: the squares are cells of 18 pixels. */
static void test_other_size(void **state) {
    (void)state;
    Dataset *d = make_set("other", 1);
    Scorer *scorer[2] = {0};
    Localiser *l = NULL;
    open_scorers(scorer, OTHER);
    if (localiser_open(&l, d, NULL, scorer, 2) || run(l, scorer, 2))
        fail_msg("%s", err_text());
    check_figures(l, true, 1e-3);
    localiser_free(&l);
    free_scorers(scorer);
    open_scorers(scorer, 37);
    assert_int_equal(localiser_open(&l, d, NULL, scorer, 2), ERR_FAIL);
    assert_non_null(strstr(err_text(), "a number from 8 to 32 divides, found 37"));
    assert_null(l);
    free_scorers(scorer);
    dataset_free(&d);
}

/* Published tracks are in pixels of the frame, and go before masks. */
static void test_tracks(void **state) {
    (void)state;
    Scorer *scorer[2] = {0};
    open_scorers(scorer, SIZE);
    for (int masks = 0; masks < 2; masks++) {
        Dataset *d = make_set(masks ? "both" : "tracks", masks);
        Localiser *l = NULL;
        const char *folder = masks ? "both/tracks" : "elsewhere";
        fixture_text(fixture_path("%s/01.txt", folder),
                     "0,3,0,0,31,15\n0,4,0,0,31,15\n1,4,64,48,127,63\n1,5,64,48,127,63\n");
        fixture_text(fixture_path("%s/02.txt", folder), "");
        if (localiser_open(&l, d, masks ? NULL : fixture_path("%s", folder), scorer, 2) ||
            run(l, scorer, 2))
            fail_msg("%s", err_text());
        assert_false(localiser_tracks(l)->made);
        check_figures(l, masks, 1e-4);
        localiser_free(&l);
        dataset_free(&d);
    }
    free_scorers(scorer);
}

static void test_refused(void **state) {
    (void)state;
    Scorer *scorer[2] = {0};
    Localiser *l = NULL;
    Dataset *d = make_set("nothing", 0);
    open_scorers(scorer, SIZE);
    assert_int_equal(localiser_open(&l, d, NULL, scorer, 2), ERR_FAIL);
    assert_non_null(strstr(err_text(), "neither masks nor a folder of tracks"));
    assert_int_equal(localiser_open(&l, d, fixture_path("absent"), scorer, 2), ERR_FAIL);
    free_scorers(scorer);
    dataset_free(&d);
    /* With tracks, masks of some clips only come to light when the other's turn comes. */
    d = make_set("half", 0);
    fixture_text(fixture_path("half/tracks/01.txt"), "");
    fixture_text(fixture_path("half/tracks/02.txt"), "");
    for (int t = 0; t < LENGTH; t++)
        write_mask("half", 0, t);
    open_scorers(scorer, SIZE);
    assert_int_equal(localiser_open(&l, d, NULL, scorer, 2), 0);
    assert_int_equal(run(l, scorer, 2), ERR_FAIL);
    assert_non_null(strstr(err_text(), "clip 02 has none"));
    localiser_free(&l);
    free_scorers(scorer);
    dataset_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_other_size),
        cmocka_unit_test(test_tracks),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
