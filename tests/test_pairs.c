/* The loader of pairs: what a batch holds depends on seed and step alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/pairs.h"
#include "fixture.h"
#include "video/source.h"

enum { SIZE = 24, BYTES = SIZE * SIZE * 3, PLENTY = 1 << 24 };

static int set_up(void **state) {
    (void)state;
    fixture_begin();
    fixture_clip(fixture_path("set/training/frames/01"), 7, 40, 30, 0);
    fixture_clip(fixture_path("set/training/frames/02"), 2, 40, 30, 50);
    fixture_clip(fixture_path("set/training/frames/03"), 9, 32, 32, 100);
    fixture_video(fixture_path("videos/a.avi"), "mpeg4", 64, 48, 12, 2);
    fixture_video(fixture_path("videos/b.avi"), "mjpeg", 64, 48, 9, 0);
    fixture_video(fixture_path("videos/c.mkv"), "mpeg4", 64, 48, 10, 2);
    return 0;
}

static Dataset *data(const char *name) {
    Dataset *d = NULL;
    if (dataset_open(&d, fixture_path("%s", name)))
        fail_msg("%s", err_text());
    return d;
}

static Pairs *open_config(const Dataset *d, PairsConfig config) {
    Pairs *p = NULL;
    if (pairs_open(&p, &d->train, &config))
        fail_msg("%s", err_text());
    return p;
}

static Pairs *open_ok(const Dataset *d, int frames_in, int batch, uint64_t seed, int64_t cache) {
    return open_config(d, (PairsConfig){.size = SIZE,
                                        .frames_in = frames_in,
                                        .batch = batch,
                                        .seed = seed,
                                        .cache_bytes = cache});
}

/* Batches of one pair, with second frames for those that `wants` names. */
static Pairs *open_second(const Dataset *d, int frames_in, PairsSecond second,
                          bool (*wants)(const void *, int64_t, int64_t), uint64_t seed,
                          int64_t cache) {
    return open_config(d, (PairsConfig){.size = SIZE,
                                        .frames_in = frames_in,
                                        .batch = 1,
                                        .seed = seed,
                                        .cache_bytes = cache,
                                        .second = second,
                                        .wants_second = wants});
}

static PairBatch next_ok(Pairs *p) {
    PairBatch b;
    if (pairs_next(p, &b))
        fail_msg("%s", err_text());
    assert_true(b.stall >= 0);
    return b;
}

/* Frame t of a clip as the loader must give it. */
static void expect(uint8_t *out, const Clip *c, int64_t t) {
    Source *s = NULL;
    Frame f = {0};
    assert_int_equal(source_open(&s, c->url), 0);
    for (int64_t i = 0; i <= t; i++)
        assert_int_equal(source_read(s, &f), 0);
    frame_resize(out, SIZE, SIZE, &f);
    source_free(&s);
    frame_free(&f);
}

/* An epoch has every pair once. X is frames t..t+F-1 of its clip, and Y is frame t+F. */
static void check_content(const char *name, int frames_in, int64_t cache) {
    Dataset *d = data(name);
    Pairs *p = open_ok(d, frames_in, 1, 3, cache);
    int64_t count = pairs_count(p), total = 0, first[8] = {0};
    for (int i = 0; i < d->train.count; i++) {
        int64_t frames;
        assert_int_equal(clip_count(&d->train.clips[i], &frames), 0);
        first[i] = total;
        total += frames - frames_in;
    }
    assert_int_equal(count, total);
    assert_int_equal(pairs_steps_per_epoch(p), total);
    uint8_t *seen = calloc((size_t)count, 1), want[BYTES];
    for (int64_t k = 0; k < count; k++) {
        PairBatch b = next_ok(p);
        assert_in_range(b.index[0], 0, count - 1);
        assert_int_equal(seen[b.index[0]]++, 0);
        int i = d->train.count - 1;
        while (first[i] > b.index[0])
            i--;
        for (int t = 0; t <= frames_in; t++) {
            expect(want, &d->train.clips[i], b.index[0] - first[i] + t);
            assert_memory_equal(t < frames_in ? b.x + t * BYTES : b.y, want, BYTES);
        }
    }
    free(seen);
    pairs_free(&p);
    dataset_free(&d);
}

/* The clip a pair belongs to, and the number of its first frame. */
static const Clip *clip_of(const Dataset *d, int frames_in, int64_t pair, int64_t *t) {
    for (int i = 0;; i++) {
        int64_t frames;
        assert_int_equal(clip_count(&d->train.clips[i], &frames), 0);
        if (pair < frames - frames_in) {
            *t = pair;
            return &d->train.clips[i];
        }
        pair -= frames - frames_in;
    }
}

static bool is_frame(const uint8_t *at, const Clip *c, int64_t t) {
    uint8_t want[BYTES];
    expect(want, c, t);
    return memcmp(at, want, BYTES) == 0;
}

/* The second frames are `jump` apart, and the last one is right before Y; a single one is `jump`
 * before Y. Every jump that stays inside the clip is drawn, and no other. Where none does, the pair
 * has no second frames. */
static void test_skipped(void **state) {
    (void)state;
    for (int in = 1; in <= 2; in++) {
        Dataset *d = data(in == 1 ? "set" : "videos");
        Pairs *p = open_second(d, in, PAIRS_SKIPPED, NULL, 3, PLENTY);
        int jumps[6] = {0};
        for (int k = 0; k < 6 * pairs_count(p); k++) {
            PairBatch b = next_ok(p);
            int64_t t;
            const Clip *c = clip_of(d, in, b.index[0], &t);
            int64_t target = t + in, newest = in == 1 ? target : target - 1;
            int64_t back = in == 1 ? 1 : in - 1; /* jumps from `newest` to the oldest frame */
            int64_t most = newest / back < 5 ? newest / back : 5, found = 0;
            for (int64_t jump = 2; jump <= most; jump++) {
                bool all = true;
                for (int i = 0; i < in; i++)
                    all = all && is_frame(b.second + i * BYTES, c, newest - jump * (back - i));
                found = all ? jump : found;
            }
            assert_int_equal(b.has_second[0], most >= 2);
            assert_true(most < 2 || found > 0);
            jumps[most < 2 ? 0 : found]++;
        }
        assert_true(jumps[0] > 0 && jumps[2] > 0 && jumps[3] > 0);
        assert_true(jumps[4] > 0 && jumps[5] > 0);
        pairs_free(&p);
        dataset_free(&d);
    }
}

static bool wants_some(const void *context, int64_t epoch, int64_t pair) {
    (void)context;
    return (pair + epoch) % 3 == 0;
}

static bool wants_none(const void *context, int64_t epoch, int64_t pair) {
    (void)context, (void)epoch, (void)pair;
    return false;
}

/* A loader brings second frames only for the pairs that want them. They equal those of a loader
 * that brings them for all pairs, also after a seek. */
static void test_wanted(void **state) {
    (void)state;
    Dataset *d = data("set");
    Pairs *all = open_second(d, 1, PAIRS_OTHER, NULL, 3, PLENTY);
    Pairs *some = open_second(d, 1, PAIRS_OTHER, wants_some, 3, PLENTY);
    Pairs *late = open_second(d, 1, PAIRS_OTHER, wants_some, 3, 2 * BYTES);
    const int64_t steps = 3 * pairs_count(all), from = pairs_count(all) + 4;
    assert_int_equal(pairs_seek(late, from), 0);
    for (int64_t k = 0; k < steps; k++) {
        PairBatch a = next_ok(all), b = next_ok(some);
        assert_true(a.has_second[0]);
        assert_int_equal(b.has_second[0], wants_some(NULL, k / pairs_count(all), b.index[0]));
        assert_true(!b.has_second[0] || memcmp(a.second, b.second, BYTES) == 0);
        if (k < from)
            continue;
        PairBatch c = next_ok(late);
        assert_int_equal(b.has_second[0], c.has_second[0]);
        assert_true(!b.has_second[0] || memcmp(b.second, c.second, BYTES) == 0);
    }
    pairs_free(&all);
    pairs_free(&some);
    pairs_free(&late);
    dataset_free(&d);
}

/* The number of steps before the loader meets the frame that cannot be decoded. */
static int64_t steps_until_failure(const Dataset *d, bool (*wants)(const void *, int64_t, int64_t),
                                   uint64_t seed) {
    Pairs *p = open_second(d, 1, PAIRS_SKIPPED, wants, seed, 0);
    PairBatch b;
    int64_t step = 0;
    while (pairs_next(p, &b) == 0)
        assert_true(++step < 100);
    pairs_free(&p);
    return step;
}

/* Second frames that are not wanted are not decoded, so a damaged frame fails only the steps of its
 * own pairs. */
static void test_not_decoded(void **state) {
    (void)state;
    for (int t = 0; t < 12; t++)
        fixture_encode(fixture_path("hole/%02d.jpg", t), "mjpeg", 64, 48, t);
    const char *path = fixture_path("hole/05.jpg");
    fixture_truncate(path, fixture_size(path) / 2);
    Dataset *d = data("hole");
    int sooner = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        /* Pair k has the frames k and k + 1. pairs.h defines the order. */
        int64_t order[11], first = 0;
        Rng r = rng_stream(seed, RNG_SHUFFLE, 0, 0);
        rng_permutation(&r, order, 11);
        while (order[first] != 4 && order[first] != 5)
            first++;
        assert_int_equal(steps_until_failure(d, wants_none, seed), first);
        int64_t all = steps_until_failure(d, NULL, seed);
        assert_true(all <= first);
        sooner += all < first;
    }
    assert_true(sooner > 0);
    dataset_free(&d);
}

/* The second frame is from any other clip, and the same step gives the same frame again. */
static void test_other_clip(void **state) {
    (void)state;
    Dataset *d = data("set");
    Pairs *p = open_second(d, 1, PAIRS_OTHER, NULL, 3, PLENTY);
    Pairs *again = open_second(d, 1, PAIRS_OTHER, NULL, 3, PLENTY);
    int from[3] = {0};
    for (int k = 0; k < 4 * pairs_count(p); k++) {
        PairBatch b = next_ok(p), c = next_ok(again);
        int64_t t, frames;
        const Clip *own = clip_of(d, 1, b.index[0], &t);
        int found = -1;
        for (int i = 0; i < 3; i++) {
            assert_int_equal(clip_count(&d->train.clips[i], &frames), 0);
            for (int64_t f = 0; f < frames; f++)
                if (is_frame(b.second, &d->train.clips[i], f))
                    found = i;
        }
        assert_true(found >= 0 && &d->train.clips[found] != own);
        from[found]++;
        assert_memory_equal(b.second, c.second, BYTES);
    }
    assert_true(from[0] > 0 && from[1] > 0 && from[2] > 0);
    assert_true(pairs_memory(p) > 0);
    pairs_free(&p);
    pairs_free(&again);
    dataset_free(&d);
}

static void test_content(void **state) {
    (void)state;
    check_content("set", 1, PLENTY);
    check_content("set", 1, 0);
    check_content("videos", 2, PLENTY);
    check_content("videos", 1, 5 * BYTES);
}

static void assert_same(Pairs *a, Pairs *b, int batch, int frames_in) {
    PairBatch x = next_ok(a), y = next_ok(b);
    assert_memory_equal(x.index, y.index, (size_t)batch * sizeof *x.index);
    assert_memory_equal(x.x, y.x, (size_t)batch * (size_t)frames_in * BYTES);
    assert_memory_equal(x.y, y.y, (size_t)batch * BYTES);
}

static void test_budget(void **state) {
    (void)state;
    static const char *const names[] = {"set", "videos"};
    static const int64_t budgets[] = {0, 1, BYTES, 7 * BYTES};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 4; i++) {
            Dataset *d = data(names[k]);
            Pairs *all = open_ok(d, 1, 3, 5, PLENTY), *some = open_ok(d, 1, 3, 5, budgets[i]);
            assert_true(pairs_memory(some) < pairs_memory(all));
            for (int step = 0; step < 25; step++) /* several epochs: decoded, then cached */
                assert_same(all, some, 3, 1);
            pairs_free(&all);
            pairs_free(&some);
            dataset_free(&d);
        }
}

static void test_seek(void **state) {
    (void)state;
    Dataset *d = data("set");
    Pairs *a = open_ok(d, 1, 4, 9, PLENTY), *b = open_ok(d, 1, 4, 9, 3 * BYTES);
    for (int step = 0; step < 11; step++)
        next_ok(a);
    assert_int_equal(pairs_seek(b, 11), 0);
    for (int step = 0; step < 8; step++)
        assert_same(a, b, 4, 1);
    for (int i = 0; i < 50; i++) { /* also while batches are being decoded */
        int64_t step = i * 7 % 13;
        assert_int_equal(pairs_seek(a, step), 0);
        if (i % 3 == 0)
            next_ok(a);
        assert_int_equal(pairs_seek(a, step), 0);
        assert_int_equal(pairs_seek(b, step), 0);
        assert_same(a, b, 4, 1);
    }
    assert_int_equal(pairs_seek(a, -1), ERR_USAGE);
    assert_same(a, b, 4, 1); /* a refused seek changes nothing */
    pairs_free(&a);
    pairs_free(&b);
    dataset_free(&d);
}

static void test_order(void **state) {
    (void)state;
    Dataset *d = data("set");
    Pairs *a = open_ok(d, 1, 4, 1, PLENTY), *b = open_ok(d, 1, 4, 2, PLENTY);
    assert_int_equal(pairs_count(a), 6 + 1 + 8);
    assert_int_equal(pairs_steps_per_epoch(a), 3); /* the last 3 pairs are dropped */
    int64_t epochs[2][12], other[12];
    for (int k = 0; k < 6; k++)
        memcpy(&epochs[k / 3][k % 3 * 4], next_ok(a).index, 4 * sizeof(int64_t));
    for (int k = 0; k < 3; k++)
        memcpy(&other[k * 4], next_ok(b).index, 4 * sizeof(int64_t));
    assert_memory_not_equal(epochs[0], epochs[1], sizeof other); /* epochs differ */
    assert_memory_not_equal(epochs[0], other, sizeof other);     /* seeds differ */
    int64_t before = mem_count();
    for (int k = 0; k < 12; k++)
        next_ok(a);
    assert_int_equal(mem_count(), before); /* nothing is allocated in a steady loop */
    pairs_free(&a);
    pairs_free(&b);
    dataset_free(&d);
}

/* Frames of pairs that were held out are in no batch of an epoch; all others are. */
static void test_held_out(void **state) {
    (void)state;
    enum { FRAMES = 221, IN = 2, BATCH = 4 };
    fixture_clip(fixture_path("long"), FRAMES, 16, 16, 0);
    Dataset *d = data("long");
    Pairs *p = open_config(d, (PairsConfig){.size = SIZE,
                                            .frames_in = IN,
                                            .batch = BATCH,
                                            .seed = 1,
                                            .cache_bytes = PLENTY,
                                            .hold_out = 0.2});
    Pairs *all = open_ok(d, IN, 1, 1, PLENTY);
    int64_t pairs = FRAMES - IN, held = pairs_sample(p, PAIRS_HELD_OUT), learned = pairs_count(p);
    int64_t edges = pairs - learned - held;
    assert_int_equal(learned, pairs - pairs / 5);
    assert_true(held >= 25);
    assert_true(edges >= 2 * IN);
    uint8_t seen[FRAMES] = {0}, used[FRAMES] = {0};
    for (int64_t k = 0; k < learned / BATCH; k++) {
        PairBatch b = next_ok(p);
        for (int i = 0; i < BATCH; i++) {
            assert_int_equal(seen[b.index[i]]++, 0);
            for (int t = 0; t <= IN; t++)
                used[b.index[i] + t] = 1;
        }
    }
    assert_int_equal(pairs_seek_sample(p, PAIRS_HELD_OUT), 0);
    int64_t last = -1, count = 0;
    for (int64_t k = 0; k < (held + BATCH - 1) / BATCH; k++) {
        PairBatch b = next_ok(p);
        for (int i = 0; i < BATCH; i++) {
            uint8_t want[BYTES];
            expect(want, &d->train.clips[0], b.index[i] + IN);
            assert_memory_equal(b.y + i * BYTES, want, BYTES);
            assert_true(b.index[i] == last + 1 || last < 0 || count == held);
            last = b.index[i];
            count += count < held;
            for (int t = 0; t <= IN; t++)
                assert_int_equal(used[b.index[i] + t], 0);
        }
    }
    assert_int_equal(count, held);
    /* Those beside are learned from, and no further from a block than it is long. */
    int64_t beside = pairs_sample(p, PAIRS_BESIDE);
    assert_true(beside >= held && beside <= pairs - learned);
    assert_int_equal(pairs_seek_sample(p, PAIRS_BESIDE), 0);
    for (int64_t k = 0; k < beside / BATCH; k++) {
        PairBatch b = next_ok(p);
        for (int i = 0; i < BATCH; i++) {
            int64_t off = b.index[i] - pairs / 2;
            assert_true(seen[b.index[i]]);
            assert_true(off <= pairs - learned && -off <= pairs - learned);
        }
    }
    /* A sample of what is learned from, in its order. */
    assert_int_equal(pairs_sample(p, PAIRS_LEARNED), learned);
    assert_int_equal(pairs_seek_sample(p, PAIRS_LEARNED), 0);
    last = -1;
    for (int64_t k = 0; k < learned / BATCH; k++) {
        PairBatch b = next_ok(p);
        for (int i = 0; i < BATCH; i++) {
            assert_true(seen[b.index[i]] && b.index[i] > last);
            last = b.index[i];
        }
    }
    assert_int_equal(pairs_seek(p, 0), 0); /* back to the epochs */
    PairBatch first = next_ok(p);
    assert_true(seen[first.index[0]]);
    assert_int_equal(pairs_sample(all, PAIRS_HELD_OUT), 0);
    assert_int_equal(pairs_count(all), pairs);
    assert_int_equal(pairs_seek_sample(all, PAIRS_HELD_OUT), ERR_USAGE);
    pairs_free(&p);
    pairs_free(&all);
    dataset_free(&d);
}

/* However much is held out, and from however much footage, the blocks lie inside it. */
static void test_held_out_blocks(void **state) {
    (void)state;
    static const double shares[] = {0.01, 0.1, 0.33, 0.5};
    Dataset *d = data("long");
    for (int i = 0; i < 4; i++)
        for (int in = 1; in < 9; in += 3) {
            Pairs *p = open_config(d, (PairsConfig){.size = SIZE,
                                                    .frames_in = in,
                                                    .batch = 1,
                                                    .seed = 1,
                                                    .cache_bytes = PLENTY,
                                                    .hold_out = shares[i]});
            int64_t learned = pairs_count(p), held = pairs_sample(p, PAIRS_HELD_OUT),
                    pairs = 221 - in;
            assert_true(held == 0 ? learned == pairs : held >= 10 && learned >= pairs / 2);
            uint8_t seen[221] = {0};
            for (int64_t k = 0; k < learned; k++)
                assert_int_equal(seen[next_ok(p).index[0]]++, 0);
            if (held)
                assert_int_equal(pairs_seek_sample(p, PAIRS_HELD_OUT), 0);
            for (int64_t k = 0; k < held; k++)
                assert_int_equal(seen[next_ok(p).index[0]]++, 0);
            pairs_free(&p);
        }
    dataset_free(&d);
}

static void refuse(const char *name, int frames_in, int batch, const char *word) {
    const PairsConfig config = {
        .size = SIZE, .frames_in = frames_in, .batch = batch, .seed = 1, .cache_bytes = PLENTY};
    Dataset *d = data(name);
    Pairs *p = (Pairs *)&p;
    assert_true(pairs_open(&p, &d->train, &config) < 0);
    assert_ptr_equal(p, &p);
    if (!strstr(err_text(), word))
        fail_msg("'%s' lacks '%s'", err_text(), word);
    dataset_free(&d);
}

static void test_refused(void **state) {
    (void)state;
    fixture_clip(fixture_path("short/good"), 5, 16, 16, 0);
    fixture_clip(fixture_path("short/lonely"), 1, 16, 16, 0);
    refuse("short", 1, 2, "clip lonely has 1 frame;");
    refuse("set", 2, 2, "clip 02 has 2 frames; a pair needs 3");
    refuse("set", 1, 16, "15 pairs of frames, fewer than one batch of 16");
    refuse("set", 1, 0, "batch 0");
    Dataset none = {0};
    Pairs *p = NULL;
    assert_int_equal(
        pairs_open(&p, &none.train, &(PairsConfig){.size = SIZE, .frames_in = 1, .batch = 1}),
        ERR_FAIL);
    assert_null(p);
    pairs_free(&p);
}

/* Runs until the loader fails. The error stays until a seek, and every earlier step still works
 * after one. */
static void check_failure(const char *name, int64_t cache, const char *word) {
    Dataset *d = data(name);
    Pairs *p = open_ok(d, 1, 1, 1, cache);
    PairBatch b;
    int64_t step = 0;
    while (pairs_next(p, &b) == 0 && step < 100)
        step++;
    if (step == 100)
        fail_msg("%s: nothing failed", name);
    for (int i = 0; i < 2; i++) {
        if (!strstr(err_text(), word))
            fail_msg("'%s' lacks '%s'", err_text(), word);
        assert_int_equal(pairs_next(p, &b), ERR_FAIL);
    }
    for (int64_t k = 0; k < step; k++) {
        assert_int_equal(pairs_seek(p, k), 0);
        next_ok(p);
    }
    assert_int_equal(pairs_next(p, &b), ERR_FAIL);
    pairs_free(&p);
    dataset_free(&d);
}

static void test_failures(void **state) {
    (void)state;
    for (int t = 0; t < 8; t++)
        fixture_encode(fixture_path("broken/%d.jpg", t), "mjpeg", 64, 48, t);
    const char *path = fixture_path("broken/5.jpg");
    fixture_truncate(path, fixture_size(path) / 2);
    check_failure("broken", PLENTY, "broken/5.jpg");
    check_failure("broken", 0, "broken/5.jpg");
    fixture_clip(fixture_path("mixed"), 5, 20, 20, 0);
    fixture_bmp(fixture_path("mixed/004.bmp"), 20, 21, 0);
    check_failure("mixed", 0, "20 x 21");
    path = fixture_path("cut/cut.avi");
    fixture_video(path, "mpeg4", 64, 48, 30, 0);
    fixture_truncate(path, fixture_size(path) * 2 / 3);
    check_failure("cut", 0, "cut.avi");
    check_failure("cut", PLENTY, "cut.avi");
}

/* A call that ran out of memory can be repeated after a seek. It then gives the usual batch. */
static void test_second_try(void **state) {
    (void)state;
    Dataset *d = data("videos");
    uint8_t x[BYTES], y[BYTES];
    int code = -1, failures = 0;
    for (int n = 1; code && n < 200; n++) {
        Pairs *p = open_second(d, 1, PAIRS_OTHER, NULL, 1, PLENTY);
        PairBatch b;
        mem_fail_after(n);
        code = pairs_next(p, &b);
        mem_fail_after(0);
        failures += code != 0;
        if (code) {
            assert_int_equal(pairs_seek(p, 0), 0);
            b = next_ok(p);
        }
        if (n > 1) {
            assert_memory_equal(b.x, x, BYTES);
            assert_memory_equal(b.y, y, BYTES);
        }
        memcpy(x, b.x, BYTES);
        memcpy(y, b.y, BYTES);
        pairs_free(&p);
    }
    assert_int_equal(code, 0);
    assert_true(failures > 20); /* the buffers alone are more */
    dataset_free(&d);
}

static void test_memory(void **state) {
    (void)state;
    Dataset *d = data("set");
    const PairsConfig config = {
        .size = SIZE, .frames_in = 1, .batch = 2, .seed = 1, .cache_bytes = PLENTY};
    int code = -1;
    for (int n = 1; code && n < 100; n++) {
        Pairs *p = NULL;
        mem_fail_after(n);
        code = pairs_open(&p, &d->train, &config);
        mem_fail_after(0);
        assert_true(!code == (p != NULL));
        pairs_free(&p);
    }
    assert_int_equal(code, 0);
    dataset_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content),  cmocka_unit_test(test_budget),
        cmocka_unit_test(test_seek),     cmocka_unit_test(test_order),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_failures),
        cmocka_unit_test(test_memory),   cmocka_unit_test(test_second_try),
        cmocka_unit_test(test_skipped),  cmocka_unit_test(test_other_clip),
        cmocka_unit_test(test_wanted),   cmocka_unit_test(test_not_decoded),
        cmocka_unit_test(test_held_out), cmocka_unit_test(test_held_out_blocks),
    };
    return cmocka_run_group_tests(tests, set_up, fixture_tear_down);
}
