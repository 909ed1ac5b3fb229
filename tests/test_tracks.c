/* Truth by object: files of tracks, and tracks made from masks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/labels.h"
#include "data/mask_tracks.h"
#include "eval/region.h"
#include "fixture.h"
#include "random.h"

enum { W = 24, H = 18, LENGTH = 5 };

static int set_up(void **state) {
    (void)state;
    fixture_begin();
    for (int i = 1; i <= 2; i++)
        fixture_clip(fixture_path("set/testing/frames/%02d", i), LENGTH, W, H, i);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_end();
    return 0;
}

static Dataset *data(const char *path) {
    Dataset *d = NULL;
    if (dataset_open(&d, path))
        fail_msg("%s", err_text());
    return d;
}

static void expect(const Tracks *t, int64_t i, TrackBox want) {
    assert_true(i < t->count);
    assert_int_equal(t->item[i].clip, want.clip);
    assert_int_equal(t->item[i].frame, want.frame);
    assert_int_equal(t->item[i].track, want.track);
    assert_memory_equal(&t->item[i].box, &want.box, sizeof(Box));
}

/* ---- boxes ---- */

static void test_iou(void **state) {
    (void)state;
    assert_true(box_iou((Box){0, 0, 9, 9}, (Box){0, 0, 9, 9}) == 1);
    assert_true(box_iou((Box){0, 0, 9, 9}, (Box){9, 9, 18, 18}) == 1.0 / 199); /* corners inside */
    assert_true(box_iou((Box){0, 0, 9, 9}, (Box){10, 0, 19, 9}) == 0);
    assert_true(box_iou((Box){-5, -5, 4, 4}, (Box){0, 0, 4, 4}) == 0.25);
}

/* ---- files ---- */

static void test_files(void **state) {
    (void)state;
    Dataset *d = data(fixture_path("set"));
    assert_null(tracks_find(d));
    fixture_text(fixture_path("set/testing/tracks/01.txt"),
                 "0,1,2,3,8,9\n0,2,3,3,9,9\r\n\n 2, 2, 0, 0, 0, 0 \n7,4,-3,1,5,17");
    fixture_text(fixture_path("set/testing/tracks/02_gt.txt"), "1,0,4,4,5,5\n");
    char *folder = tracks_find(d);
    assert_non_null(folder);
    Tracks t = {0};
    if (tracks_read(&t, d, folder))
        fail_msg("%s", err_text());
    assert_int_equal(t.count, 5);
    assert_int_equal(t.tracks, 4);
    assert_false(t.made);
    expect(&t, 0, (TrackBox){0, 1, 0, {2, 3, 8, 9}});
    expect(&t, 1, (TrackBox){0, 2, 0, {3, 3, 9, 9}});
    expect(&t, 2, (TrackBox){0, 2, 1, {0, 0, 0, 0}});
    expect(&t, 3, (TrackBox){0, 4, 2, {-3, 1, 5, 17}});
    expect(&t, 4, (TrackBox){1, 0, 3, {4, 4, 5, 5}});
    tracks_free(&t);
    fixture_text(fixture_path("set/testing/tracks/01.txt"), "");
    assert_int_equal(tracks_read(&t, d, folder), 0);
    assert_int_equal(t.count, 1);
    tracks_free(&t);
    remove(fixture_path("set/testing/tracks/02_gt.txt"));
    assert_int_equal(tracks_read(&t, d, folder), ERR_FAIL);
    assert_non_null(strstr(err_text(), "no 02.txt"));
    tracks_free(&t);
    assert_int_equal(tracks_read(&t, d, fixture_path("nowhere")), ERR_FAIL);
    assert_non_null(strstr(err_text(), "nowhere"));
    mem_free(folder);
    dataset_free(&d);
}

static void refuse(const char *text, const char *word) {
    Tracks t = {0};
    assert_int_equal(tracks_parse(&t, "01.txt", text, 0, 10), ERR_FAIL);
    if (!strstr(err_text(), word) || !strstr(err_text(), "01.txt: line "))
        fail_msg("'%s' lacks '%s'", err_text(), word);
    tracks_free(&t);
}

static void test_refused(void **state) {
    (void)state;
    refuse("0,1,2,3,8\n", "line 1: expected track,frame,x1,y1,x2,y2");
    refuse("0,1,2,3,8,9,5\n", "whole numbers");
    refuse("0,1,2,3,8,\n9\n", "whole numbers");
    refuse("0,1,2,3,8,9.5\n", "whole numbers");
    refuse("0 1 2 3 8 9\n", "whole numbers");
    refuse("track,frame,x1,y1,x2,y2\n", "whole numbers");
    refuse("0,0,1,1,2,2\n0,10,1,1,2,2\n", "line 2: frame 10 (from 0), but the clip has 10");
    refuse("0,-1,1,1,2,2\n", "frame -1");
    refuse("1,0,1,1,2,2\n0,0,1,1,2,2\n", "track 0 follows track 1");
    refuse("-1,0,1,1,2,2\n", "track -1");
    refuse("0,0,3,1,2,2\n", "box 3,1,2,2 is empty");
    refuse("0,0,1,1,2,99999999999999999999\n", "out of range");
}

/* ---- masks ---- */

static const char *const walk[][6] = {
    {"##....", "##....", "......", "....##"}, /* two objects */
    {".##...", ".##...", "....#.", "....##"}, /* both go on, one by a corner of its box */
    {"......", "..##..", "..###.", "....##"}, /* they touch: the larger overlap goes on */
    {".##...", ".##...", "......", "....##"}, /* apart: one goes on, the other is new */
    {"......", "......", "......", "......"}, /* nothing */
    {".##...", ".##...", "......", "......"}, /* after a gap it is new */
};

static void test_links(void **state) {
    (void)state;
    static const int want[] = {0, 1, 0, 1, 1, 2, 1, 3};
    Tracks t = {.made = true};
    uint8_t mask[24];
    int32_t queue[24];
    for (int i = 0; i < 6; i++) {
        for (int k = 0; k < 24; k++)
            mask[k] = walk[i][k / 6][k % 6] == '#';
        assert_int_equal(mask_tracks_add(&t, 0, i, mask, 6, 4, queue), 0);
    }
    assert_int_equal(t.count, 8);
    for (int i = 0; i < 8; i++)
        if (t.item[i].track != want[i])
            fail_msg("box %d is of track %d", i, (int)t.item[i].track);
    expect(&t, 3, (TrackBox){0, 1, 1, {4, 2, 5, 3}});
    expect(&t, 4, (TrackBox){0, 2, 1, {2, 1, 5, 3}});
    /* Another clip has tracks of its own. */
    memset(mask, 1, sizeof mask);
    assert_int_equal(mask_tracks_add(&t, 1, 6, mask, 6, 4, queue), 0);
    expect(&t, 8, (TrackBox){1, 6, 4, {0, 0, 5, 3}});
    tracks_free(&t);
}

/* Every pixel's part is the lowest number that reaches it: repeated until nothing changes. */
static int parts(const uint8_t *mask, Box *box) {
    int part[W * H], n = 0;
    for (int i = 0; i < W * H; i++)
        part[i] = mask[i] ? i : W * H;
    for (int changed = 1; changed;) {
        changed = 0;
        for (int i = 0; i < W * H; i++)
            for (int k = 0; k < W * H && mask[i]; k++)
                if (part[k] < part[i] && abs(i % W - k % W) <= 1 && abs(i / W - k / W) <= 1)
                    part[i] = part[k], changed = 1;
    }
    for (int root = 0; root < W * H; root++) {
        Box b = {W, H, -1, -1};
        for (int i = 0; i < W * H; i++)
            if (part[i] == root) {
                b.x0 = i % W < b.x0 ? i % W : b.x0;
                b.x1 = i % W > b.x1 ? i % W : b.x1;
                b.y0 = i / W < b.y0 ? i / W : b.y0;
                b.y1 = i / W > b.y1 ? i / W : b.y1;
            }
        if (b.x1 >= 0)
            box[n++] = b;
    }
    return n;
}

static void test_parts(void **state) {
    (void)state;
    static Box want[W * H];
    static uint8_t mask[W * H];
    static int32_t queue[W * H];
    for (uint32_t trial = 0; trial < 12; trial++) {
        Rng r = rng_stream(4, RNG_TEST, 17, trial);
        Tracks t = {0};
        for (int i = 0; i < W * H; i++)
            mask[i] = rng_uniform(&r, (uint64_t)i) < 0.05 * (1 + trial);
        int n = parts(mask, want);
        assert_int_equal(mask_tracks_add(&t, 0, 0, mask, W, H, queue), 0);
        assert_int_equal(t.count, n);
        assert_int_equal(t.tracks, n);
        for (int i = 0; i < n; i++)
            assert_memory_equal(&t.item[i].box, &want[i], sizeof(Box));
        for (int i = 0; i < W * H; i++)
            assert_int_equal(mask[i], 0);
        tracks_free(&t);
    }
}

static void test_mask_files(void **state) {
    (void)state;
    for (int i = 1; i <= 2; i++)
        fixture_clip(fixture_path("masked/testing/frames/%02d", i), LENGTH, W, H, i);
    for (int t = 0; t < LENGTH; t++)
        fixture_mask(fixture_path("masked/testing/masks/01/%03d.bmp", t), W, H, t ? 2 * W : 0);
    Dataset *d = data(fixture_path("masked"));
    Tracks t = {0};
    bool found = false;
    assert_int_equal(mask_tracks_read(&t, d, &found), ERR_FAIL);
    assert_non_null(strstr(err_text(), "clip 01 has masks, but clip 02 has none"));
    tracks_free(&t);
    for (int k = 0; k < LENGTH; k++)
        fixture_mask(fixture_path("masked/testing/masks/02/%03d.bmp", k), W, H, 0);
    if (mask_tracks_read(&t, d, &found))
        fail_msg("%s", err_text());
    assert_true(found && t.made);
    assert_int_equal(t.count, LENGTH - 1);
    assert_int_equal(t.tracks, 1);
    expect(&t, 0, (TrackBox){0, 1, 0, {0, 0, W - 1, 1}});
    tracks_free(&t);
    int code = -1;
    for (int n = 1; code; n++) { /* memory may end at any allocation */
        assert_true(n < 1000);
        mem_fail_after(n);
        code = mask_tracks_read(&t, d, &found);
        mem_fail_after(0);
        tracks_free(&t);
    }
    dataset_free(&d);
    d = data(fixture_path("set"));
    assert_int_equal(mask_tracks_read(&t, d, &found), 0);
    assert_false(found);
    assert_int_equal(t.count, 0);
    dataset_free(&d);
}

/* The real thing: every abnormal frame has a box, and its own boxes as detections find all. */
static void test_ped2(void **state) {
    (void)state;
    char root[1024];
    const char *folder = getenv("NORMALCY_DATA");
    snprintf(root, sizeof root, "%s/ped2", folder ? folder : SOURCE_DIR "/../shared/data");
    if (!file_is_folder(root)) {
        printf("skipped: no Ped2 at %s; set NORMALCY_DATA to the folder that holds ped2/\n", root);
        skip();
    }
    Dataset *d = data(root);
    Labels *l = NULL;
    Tracks t = {0};
    bool found = false;
    if (labels_open(&l, d, NULL) || mask_tracks_read(&t, d, &found))
        fail_msg("%s", err_text());
    assert_true(found);
    int64_t frames = 0;
    for (int64_t i = 0; i < t.count; i++) {
        const TrackBox *b = &t.item[i];
        assert_true(l->frame[b->clip][b->frame]);
        assert_true(b->box.x0 >= 0 && b->box.x1 < 360 && b->box.y0 >= 0 && b->box.y1 < 240);
        frames += i == 0 || b[-1].clip != b->clip || b[-1].frame != b->frame;
    }
    assert_int_equal(frames, 1648);
    assert_true(t.tracks >= 12 && t.tracks < t.count / 10); /* each of 12 clips has an anomaly */
    Detection *own = mem_alloc((size_t)t.count, sizeof *own);
    for (int64_t i = 0; i < t.count; i++)
        own[i] = (Detection){t.item[i].clip, t.item[i].frame, t.item[i].box, 1};
    double rbdc, tbdc;
    assert_int_equal(region_score(&rbdc, &tbdc, &t, own, t.count, l->frames), 0);
    assert_true(rbdc == 1 && tbdc == 1);
    mem_free(own);
    tracks_free(&t);
    labels_free(&l);
    dataset_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_iou),     cmocka_unit_test(test_files),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_links),
        cmocka_unit_test(test_parts),   cmocka_unit_test(test_mask_files),
        cmocka_unit_test(test_ped2),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
