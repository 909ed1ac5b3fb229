/* Streams that stall, die and come back; reading ahead; pairs that never cross a gap. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/rng.h"
#include "fixture.h"
#include "mjpeg_server.h"
#include "video/pair_reader.h"
#include "video/reader.h"

enum { W = 160, H = 120 }; /* FFmpeg wants 2 KB before it tells what comes */

static const SourceOptions patient = {.timeout = 10}, once = {.timeout = 10, .no_reconnect = true};

static const char *picture(void) {
    const char *path = fixture_path("picture.jpg");
    fixture_encode(path, "mjpeg", W, H, 1);
    return path;
}

static MjpegServer *start(double fps, int frames) {
    return mjpeg_server_start(&(MjpegServerConfig){picture(), fps, frames, 0, 0}, 0);
}

static void open_ok(Source **s, const char *url, const SourceOptions *options) {
    if (source_open_with(s, url, options))
        fail_msg("%s", err_text());
}

/* HTTP's pictures have no time stamps: their time is that of their arrival. */
static void test_arrival(void **state) {
    (void)state;
    MjpegServer *server = start(20, 0);
    Source *s = NULL;
    Frame f = {0};
    open_ok(&s, mjpeg_server_url(server), &patient);
    assert_true(source_info(s)->live);
    assert_true(source_info(s)->fps == 0); /* not made up */
    double begin = clock_seconds(), first = 0, last = -1;
    for (int i = 0; i < 12; i++) {
        assert_int_equal(source_read(s, &f), 0);
        assert_int_equal(f.index, i);
        assert_true(f.seconds >= last && fabs(f.wall - clock_utc()) < 1);
        first = i == 5 ? f.seconds : first; /* the first ones came while it was opened */
        last = f.seconds;
    }
    assert_true(fabs(last - first - 6 / 20.0) < 0.15 + 0.5 * (clock_seconds() - begin));
    source_free(&s);
    frame_free(&f);
    mjpeg_server_stop(server);
}

static void test_comes_back(void **state) {
    (void)state;
    MjpegServer *server = start(50, 5);
    Source *s = NULL;
    Frame f = {0};
    open_ok(&s, mjpeg_server_url(server), &patient);
    double last = -1;
    for (int i = 0; i < 10; i++) {
        if (source_read(s, &f))
            fail_msg("%s", err_text());
        assert_int_equal(f.index, i);
        assert_int_equal(f.after_gap, i == 5);
        assert_true(f.seconds >= last + (i == 5 ? 0.5 : 0)); /* the gap took about a second */
        last = f.seconds;
    }
    assert_int_equal(mjpeg_server_connections(server), 2);
    source_free(&s);
    frame_free(&f);
    mjpeg_server_stop(server);
}

static void test_no_reconnect(void **state) {
    (void)state;
    MjpegServer *server = start(50, 5);
    Source *s = NULL;
    Frame f = {0};
    open_ok(&s, mjpeg_server_url(server), &once);
    for (int i = 0; i < 5; i++)
        assert_int_equal(source_read(s, &f), 0);
    assert_int_equal(source_read(s, &f), ERR_FAIL);
    assert_non_null(strstr(err_text(), "127.0.0.1"));
    source_free(&s);
    frame_free(&f);
    mjpeg_server_stop(server);
}

/* A server that stays silent is left within the timeout, once. */
static void test_stall(void **state) {
    (void)state;
    const SourceOptions hasty = {.timeout = 0.5, .no_reconnect = true};
    MjpegServer *server = mjpeg_server_start(&(MjpegServerConfig){picture(), 50, 5, 1, 0}, 0);
    Source *s = NULL;
    Frame f = {0};
    open_ok(&s, mjpeg_server_url(server), &hasty);
    for (int i = 0; i < 5; i++)
        assert_int_equal(source_read(s, &f), 0);
    double begin = clock_seconds();
    assert_int_equal(source_read(s, &f), ERR_FAIL);
    assert_non_null(strstr(err_text(), "--timeout"));
    source_free(&s);
    double took = clock_seconds() - begin;
    if (took < 0.4 || took > 2)
        fail_msg("a silent server was left after %.2f s", took);
    frame_free(&f);
    mjpeg_server_stop(server);
}

/* One picture in a while is enough, if the user says how long to wait. */
static void test_slow(void **state) {
    (void)state;
    const SourceOptions hasty = {.timeout = 3, .no_reconnect = true};
    MjpegServer *server = start(1.25, 0);
    Source *s = NULL;
    Frame f = {0};
    open_ok(&s, mjpeg_server_url(server), &hasty);
    for (int i = 0; i < 3; i++)
        if (source_read(s, &f))
            fail_msg("%s", err_text());
    source_free(&s);
    frame_free(&f);
    mjpeg_server_stop(server);
}

/* Between the losses pairs are whole; the first after each needs new frames before it. */
static void test_pairs(void **state) {
    (void)state;
    MjpegServer *server = start(100, 6);
    PairReader *r = NULL;
    const Frame *f;
    PairState pair;
    if (pair_reader_open(&r, mjpeg_server_url(server), &patient,
                         &(PairReaderConfig){.size = 16, .frames = 2}))
        fail_msg("%s", err_text());
    for (int i = 0; i < 12; i++) {
        assert_int_equal(pair_reader_next(r, &f, &pair), 0);
        if (i % 6 < 2)
            assert_int_equal(pair, PAIR_SHORT);
        else
            assert_true(pair == PAIR_WHOLE || pair == PAIR_LATE);
    }
    pair_reader_free(&r);
    mjpeg_server_stop(server);
}

/* A user that is slower than the camera gets whole pairs, and new ones. */
static void test_late(void **state) {
    (void)state;
    MjpegServer *server = start(100, 0);
    PairReader *r = NULL;
    const Frame *f;
    PairState pair;
    int whole = 0, late = 0;
    double lag = 0;
    if (pair_reader_open(&r, mjpeg_server_url(server), &patient,
                         &(PairReaderConfig){.size = 16, .frames = 2}))
        fail_msg("%s", err_text());
    while (whole < 10) { /* late ones count after what may have waited at the start */
        assert_int_equal(pair_reader_next(r, &f, &pair), 0);
        late += pair == PAIR_LATE;
        if (pair != PAIR_WHOLE)
            continue;
        whole++;
        lag = fmax(lag, clock_utc() - f->wall);
        nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    }
    assert_true(late > 30);
    assert_true(lag < 1);
    pair_reader_free(&r);
    mjpeg_server_stop(server);
}

/* Files are read ahead in order to their end; a reader may be left at any time. */
static void test_file(void **state) {
    (void)state;
    const char *path = fixture_path("ahead.avi");
    fixture_video(path, "mjpeg", W, H, 60, 0);
    for (int leave = 0; leave < 80; leave += 7) {
        Source *s = NULL;
        Reader *r = NULL;
        Frame f = {0};
        open_ok(&s, path, &patient);
        assert_int_equal(reader_open(&r, &s), 0);
        assert_null(s);
        int n = 0, code = 0;
        while (n < leave && (code = reader_next(r, &f)) == 0)
            assert_int_equal(f.index, n++);
        if (leave > 60) {
            assert_int_equal(n, 60);
            assert_int_equal(reader_next(r, &f), ERR_END);
        }
        assert_false(reader_is_late(r));
        reader_free(&r);
        assert_null(r);
        frame_free(&f);
    }
}

static void pause_for(double seconds) {
    nanosleep(&(struct timespec){.tv_nsec = (long)(1e9 * seconds)}, NULL);
}

/* Leaves the reader, and kills the server, at random times: NORMALCY_ROUNDS times, or a few. */
static void test_random_ends(void **state) {
    (void)state;
    const char *rounds = getenv("NORMALCY_ROUNDS");
    Rng r = rng_stream(1, RNG_SCENE, 0, 0);
    uint32_t draws = 0;
    MjpegServer *server = start(200, 0);
    for (long k = rounds ? strtol(rounds, NULL, 10) : 4; k > 0; k--) {
        PairReader *reader = NULL;
        const Frame *f;
        PairState pair;
        if (pair_reader_open(&reader, mjpeg_server_url(server), &patient,
                             &(PairReaderConfig){.size = 16, .frames = 2}))
            fail_msg("%s", err_text());
        for (int n = (int)(20 * rng_uniform(&r, draws++)); n > 0; n--)
            assert_int_equal(pair_reader_next(reader, &f, &pair), 0);
        pause_for(0.03 * rng_uniform(&r, draws++));
        if (k % 2) {
            int port = mjpeg_server_port(server);
            mjpeg_server_stop(server);
            pause_for(0.03 * rng_uniform(&r, draws++));
            server = mjpeg_server_start(&(MjpegServerConfig){picture(), 200, 0, 0, 0}, port);
            if (k % 4 == 1) /* what waited, and after the gap */
                for (int n = 0; n < 50; n++)
                    assert_int_equal(pair_reader_next(reader, &f, &pair), 0);
        }
        double begin = clock_seconds();
        pair_reader_free(&reader);
        assert_true(clock_seconds() - begin < 2);
    }
    mjpeg_server_stop(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrival),      cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_no_reconnect), cmocka_unit_test(test_stall),
        cmocka_unit_test(test_slow),         cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_late),         cmocka_unit_test(test_file),
        cmocka_unit_test(test_random_ends),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
