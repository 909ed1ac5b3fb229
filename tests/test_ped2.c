/* The real UCSD Ped2. NORMALCY_DATA names the folder that holds ped2/; without it that is
 * ../shared/data beside the source. Skipped where there is no ped2/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "data/labels.h"
#include "data/pairs.h"
#include "video/source.h"

static char root[1024];

static Dataset *open_ok(void) {
    Dataset *d = NULL;
    if (dataset_open(&d, root))
        fail_msg("%s", err_text());
    return d;
}

static int64_t frames(const Split *s) {
    int64_t n = 0;
    for (int i = 0; i < s->count; i++)
        n += s->clips[i].frames;
    return n;
}

static void test_clips(void **state) {
    (void)state;
    static const int lengths[12] = {180, 180, 150, 180, 150, 180, 180, 180, 120, 150, 180, 180};
    Dataset *d = open_ok();
    assert_int_equal(d->layout, LAYOUT_FRAMES);
    assert_int_equal(d->train.count, 16);
    assert_int_equal(d->test.count, 12);
    assert_int_equal(frames(&d->train), 2550);
    assert_int_equal(frames(&d->test), 2010);
    for (int i = 0; i < 12; i++)
        assert_int_equal(d->test.clips[i].frames, lengths[i]);
    dataset_free(&d);
}

typedef struct {
    int count;
    char hash[17];
} Variants;

static void check_variant(void *ctx, const char *path, const Labels *l, const char *error) {
    Variants *v = ctx;
    if (!l)
        fail_msg("%s: %s", path, error);
    assert_int_equal(l->frames, 2010);
    assert_int_equal(l->abnormal, 1648);
    if (v->count++)
        assert_string_equal(l->hash, v->hash);
    memcpy(v->hash, l->hash, sizeof v->hash);
}

static void test_labels(void **state) {
    (void)state;
    Dataset *d = open_ok();
    Labels *l = NULL;
    Variants v = {0};
    assert_int_equal(labels_each(d, check_variant, &v), 4); /* .npy, .mat, .m, masks */
    assert_int_equal(labels_open(&l, d, NULL), 0);
    assert_string_equal(l->variant, "frame_labels_ped2.npy");
    int64_t scored = 0; /* the first frame of a clip has no score (method B.2) */
    for (int i = 0; i < l->clips; i++)
        for (int64_t t = 1; t < l->length[i]; t++)
            scored += l->frame[i][t];
    assert_int_equal(scored, 1641);
    labels_free(&l);
    dataset_free(&d);
}

/* Masks in UCSD's own format and naming. The sample has the masks of four frames only. */
static void test_official_masks(void **state) {
    (void)state;
    char path[1100];
    Source *s = NULL;
    Frame f = {0};
    snprintf(path, sizeof path, "%s/official-sample/Test012_gt", root);
    if (!file_is_folder(path))
        skip();
    if (source_open(&s, path))
        fail_msg("%s", err_text());
    enum { MASKS = 4 };
    int set[MASKS] = {0};
    for (int n = 0; n < MASKS; n++) {
        assert_int_equal(source_read(s, &f), 0);
        assert_int_equal(f.width, 360);
        assert_int_equal(f.height, 240);
        for (int i = 0; i < 360 * 240; i++)
            set[n] += frame_bgr(&f)[3 * i] != 0;
    }
    assert_int_equal(source_read(s, &f), ERR_END);
    assert_int_equal(set[0], 0); /* frame 1 is normal, frames 100 to 120 are not */
    assert_true(set[1] > 0 && set[2] > 0 && set[3] > 0);
    source_free(&s);
    frame_free(&f);
}

static void test_pairs(void **state) {
    (void)state;
    const PairsConfig config = {.size = 224, .frames_in = 1, .batch = 4, .seed = 2022};
    Dataset *d = open_ok();
    Pairs *p = NULL;
    PairBatch b;
    if (pairs_open(&p, &d->train, &config))
        fail_msg("%s", err_text());
    assert_int_equal(pairs_count(p), 2550 - 16);
    assert_int_equal(pairs_steps_per_epoch(p), 633); /* method H */
    assert_int_equal(pairs_next(p, &b), 0);
    int64_t grey = 0; /* pixels with three equal channels; the footage is grey */
    for (int64_t i = 0; i < 224 * 224; i++)
        grey += b.x[3 * i] == b.x[3 * i + 1] && b.x[3 * i] == b.x[3 * i + 2];
    assert_int_equal(grey, 224 * 224);
    pairs_free(&p);
    dataset_free(&d);
}

int main(void) {
    const char *data = getenv("NORMALCY_DATA");
    snprintf(root, sizeof root, "%s/ped2", data ? data : SOURCE_DIR "/../shared/data");
    if (!file_is_folder(root)) {
        printf("skipped: no Ped2 at %s; set NORMALCY_DATA to the folder that holds ped2/\n", root);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clips),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_official_masks),
        cmocka_unit_test(test_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
