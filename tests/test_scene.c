/* The demo scene: deterministic, and its truth is exactly what is painted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "video/scene.h"

enum { W = 160, H = 120, FRAMES = 160, PIXELS = W * H };

static SceneClip clip_of(SceneKind kind, int number) {
    return (SceneClip){
        .seed = 5, .width = W, .height = H, .clip = number, .frames = FRAMES, .kind = kind};
}

static double mean_square(const uint8_t *a, const uint8_t *b, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum / (double)n;
}

static void test_pure_function(void **state) {
    (void)state;
    Frame a = {0}, b = {0};
    static uint8_t mask_a[PIXELS], mask_b[PIXELS];
    SceneClip clip = clip_of(SCENE_RUNNER, 3);
    for (int i = 0; i < FRAMES; i += 20) { /* there in order, back in reverse */
        assert_true(scene_draw(&clip, i, &a, mask_a) >= 0);
        assert_int_equal(a.width, W);
        assert_int_equal(a.height, H);
        assert_int_equal(a.index, i);
        assert_true(scene_draw(&clip, FRAMES - 1 - i, &b, NULL) >= 0);
        assert_true(scene_draw(&clip, i, &b, mask_b) >= 0);
        assert_memory_equal(a.bgr, b.bgr, 3 * PIXELS);
        assert_memory_equal(mask_a, mask_b, PIXELS);
    }
    SceneClip other = clip;
    other.clip++;
    scene_draw(&clip, 10, &a, NULL);
    scene_draw(&other, 10, &b, NULL);
    assert_true(mean_square(a.bgr, b.bgr, 3 * PIXELS) > 20); /* other walkers, not only noise */
    other = clip;
    other.seed++;
    scene_draw(&other, 10, &b, NULL);
    assert_true(mean_square(a.bgr, b.bgr, 3 * PIXELS) > 20);
    frame_free(&a);
    frame_free(&b);
}

static void test_normal_has_no_truth(void **state) {
    (void)state;
    Frame f = {0};
    static uint8_t mask[PIXELS], none[PIXELS];
    for (int number = 0; number < 3; number++)
        for (int i = 0; i < FRAMES; i += 7) {
            SceneClip clip = clip_of(SCENE_NORMAL, number);
            memset(mask, 1, sizeof mask);
            assert_int_equal(scene_draw(&clip, i, &f, mask), 0);
            assert_memory_equal(mask, none, PIXELS);
        }
    frame_free(&f);
}

/* Whatever the mask does not show is the normal clip, up to shadows and the soft edge. */
static void expect_normal_outside(const Frame *f, const uint8_t *mask, const Frame *plain) {
    int strong = 0, strong_outside = 0;
    for (int k = 0; k < PIXELS; k++) {
        int change = 0;
        for (int c = 0; c < 3; c++)
            change += abs(f->bgr[3 * k + c] - plain->bgr[3 * k + c]);
        strong += change > 240;
        strong_outside += change > 240 && !mask[k];
    }
    assert_true(strong_outside * 50 <= strong + 50);
}

/* The label is 1 exactly where the mask has pixels, and is the same without a mask; the anomaly
 * lives in the middle. Every fourth frame is compared with the normal clip of the same number. */
static void test_truth(void **state) {
    (void)state;
    Frame f = {0}, plain = {0};
    static uint8_t mask[PIXELS];
    for (SceneKind kind = SCENE_RUNNER; kind < SCENE_KINDS; kind++)
        for (int number = 0; number < 3; number++) {
            SceneClip clip = clip_of(kind, number), normal = clip_of(SCENE_NORMAL, number);
            int abnormal = 0, first = FRAMES, last = -1, most = 0;
            for (int i = 0; i < FRAMES; i++) {
                int label = scene_draw(&clip, i, &f, mask), pixels = 0, other = 0;
                for (int k = 0; k < PIXELS; k++) {
                    pixels += mask[k] == 255;
                    other += mask[k] != 0 && mask[k] != 255;
                }
                assert_int_equal(label, pixels > 0);
                assert_int_equal(other, 0);
                most = pixels > most ? pixels : most;
                if (label) {
                    abnormal++;
                    first = i < first ? i : first;
                    last = i;
                }
                if (i % 4)
                    continue;
                assert_int_equal(scene_draw(&normal, i, &plain, NULL), 0);
                expect_normal_outside(&f, mask, &plain);
                assert_int_equal(label, scene_draw(&clip, i, &f, NULL));
            }
            assert_true(abnormal >= FRAMES / 6 && abnormal <= FRAMES * 9 / 10);
            assert_true(first >= FRAMES / 20 && last < FRAMES * 19 / 20);
            assert_true(first < FRAMES / 2 && last > FRAMES / 2);
            assert_true(most > 60); /* something to see at 160 x 120 */
        }
    frame_free(&f);
    frame_free(&plain);
}

/* Walkers move: frame t + 1 differs from t far more than two noisy pictures of the same scene,
 * whose mean square is 2 * 1.41^2 = 4. So repeating the last frame predicts badly everywhere. */
static void test_walkers_move(void **state) {
    (void)state;
    Frame a = {0}, b = {0};
    double least = 1e9;
    for (int number = 0; number < 4; number++)
        for (int i = 0; i + 1 < FRAMES; i += 5) {
            SceneClip clip = clip_of(SCENE_NORMAL, number);
            scene_draw(&clip, i, &a, NULL);
            scene_draw(&clip, i + 1, &b, NULL);
            double change = mean_square(a.bgr, b.bgr, 3 * PIXELS);
            least = change < least ? change : least;
        }
    assert_true(least > 20);
    frame_free(&a);
    frame_free(&b);
}

static void test_sizes_and_lengths(void **state) {
    (void)state;
    Frame f = {0};
    const int size[][2] = {{1, 1}, {33, 17}, {64, 64}, {224, 224}};
    uint8_t *mask = mem_alloc(224 * 224, 1);
    for (int s = 0; s < 4; s++)
        for (int frames = 1; frames <= 31; frames += 15)
            for (SceneKind kind = SCENE_NORMAL; kind < SCENE_KINDS; kind++) {
                SceneClip clip = {9, size[s][0], size[s][1], 1, frames, kind};
                for (int i = 0; i < frames; i++)
                    assert_true(scene_draw(&clip, i, &f, mask) >= 0);
            }
    mem_free(mask);
    frame_free(&f);
}

static void test_out_of_memory(void **state) {
    (void)state;
    Frame f = {0};
    SceneClip clip = clip_of(SCENE_RUNNER, 0);
    mem_fail_after(1);
    assert_true(scene_draw(&clip, 0, &f, NULL) < 0);
    mem_fail_after(2);
    assert_true(scene_draw(&clip, 0, &f, NULL) < 0);
    mem_fail_after(0);
    frame_free(&f);
}

static void test_names(void **state) {
    (void)state;
    assert_string_equal(scene_kind_names[SCENE_NORMAL], "normal");
    assert_string_equal(scene_kind_names[SCENE_WRONG_WAY], "wrong-way");
    assert_string_equal(scene_kind_names[SCENE_INTRUDER], "intruder");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pure_function),
        cmocka_unit_test(test_normal_has_no_truth),
        cmocka_unit_test(test_truth),
        cmocka_unit_test(test_walkers_move),
        cmocka_unit_test(test_sizes_and_lengths),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
