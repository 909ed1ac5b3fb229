/* Frames from folders, pictures, videos and streams, and what is said of broken ones. */
#include <arpa/inet.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/stop.h"
#include "fixture.h"
#include "frames.h"
#include "video/source.h"
#include "video/writer.h"

static void assert_message(const char *word) {
    if (!strstr(err_text(), word))
        fail_msg("'%s' lacks '%s'", err_text(), word);
}

/* Opening must fail and leave *out alone; the message names the thing. */
static void refuse(const char *url, const char *word) {
    Source *s = (Source *)&s;
    assert_true(source_open(&s, url) == ERR_FAIL);
    assert_ptr_equal(s, &s);
    assert_message(word);
}

static void test_folder(void **state) {
    (void)state;
    Frame f = {0};
    fixture_bmp(fixture_path("clip/img2.bmp"), 31, 17, 1);
    fixture_bmp(fixture_path("clip/img10.bmp"), 31, 17, 3);
    fixture_bmp(fixture_path("clip/img1.bmp"), 31, 17, 0);
    fixture_encode(fixture_path("clip/img7.png"), "png", 31, 17, 2);
    fixture_text(fixture_path("clip/._img3.bmp"), "junk of another system");
    fixture_text(fixture_path("clip/notes.txt"), "no picture");
    Source *s = open_ok(fixture_path("clip"));
    assert_int_equal(source_info(s)->frames, 4);
    assert_int_equal(source_info(s)->width, 31);
    assert_int_equal(source_info(s)->height, 17);
    assert_false(source_info(s)->live);
    for (int t = 0; t < 4; t++) { /* by number, and position counts */
        read_ok(s, &f);
        assert_int_equal(f.index, t);
        assert_int_equal(distance(&f, t), 0);
        assert_true(isnan(f.seconds));
    }
    assert_int_equal(source_read(s, &f), ERR_END);
    assert_int_equal(source_read(s, &f), ERR_END);
    assert_int_equal(source_seek(s, 1), 0);
    read_ok(s, &f);
    assert_int_equal(distance(&f, 1), 0);
    assert_int_equal(source_seek(s, 4), ERR_FAIL);
    assert_int_equal(source_seek(s, -1), ERR_FAIL);
    int64_t before = mem_count();
    for (int t = 0; t < 20; t++) {
        assert_int_equal(source_seek(s, t % 4), 0);
        read_ok(s, &f);
    }
    assert_int_equal(mem_count(), before); /* buffers are reused */
    source_free(&s);
    assert_null(s);
    source_free(&s);
    frame_free(&f);
}

static void test_pictures(void **state) {
    (void)state;
    Frame f = {0};
    static const struct {
        const char *name, *encoder;
        int width, height, tolerance;
    } rows[] = {
        {"a.png", "png", 33, 21, 0},
        {"a.tiff", "tiff", 33, 21, 0},
        /* Quantised, and chroma at half resolution: 2 pixels of a ramp of 3 levels, times 1.8. */
        {"a.jpg", "mjpeg", 33, 21, 24},
        {"a.jpeg", "mjpeg", 64, 48, 24},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *path = fixture_path("%s", rows[i].name);
        fixture_encode(path, rows[i].encoder, rows[i].width, rows[i].height, 5);
        Source *s = open_ok(path);
        assert_int_equal(source_info(s)->frames, 1);
        read_ok(s, &f);
        assert_int_equal(f.width, rows[i].width);
        if (distance(&f, 5) > rows[i].tolerance)
            fail_msg("%s is off by %d", path, distance(&f, 5));
        assert_int_equal(source_read(s, &f), ERR_END);
        source_free(&s);
    }
    frame_free(&f);
}

/* A TIFF of 16 bits a value, little endian, says nothing of its range: it is the whole. */
static void test_grey16(void **state) {
    (void)state;
    static const uint16_t value[] = {0, 0x0800, 0x8000, 0xf800, 0xffff};
    enum { N = sizeof value / sizeof *value, TAGS = 9, PIXELS = 8 + 2 + 12 * TAGS + 4 };
    static const uint16_t tag[TAGS][2] = {{256, N},      {257, 1}, {258, 16}, {259, 1},    {262, 1},
                                          {273, PIXELS}, {277, 1}, {278, 1},  {279, 2 * N}};
    uint8_t file[PIXELS + 2 * N] = {'I', 'I', 42, 0, 8, 0, 0, 0, TAGS, 0};
    for (int i = 0; i < TAGS; i++) {
        uint8_t entry[12] = {(uint8_t)tag[i][0], (uint8_t)(tag[i][0] >> 8), 3, 0, 1, 0, 0, 0,
                             (uint8_t)tag[i][1], (uint8_t)(tag[i][1] >> 8)};
        memcpy(file + 10 + 12 * i, entry, sizeof entry);
    }
    memcpy(file + PIXELS, value, sizeof value);
    fixture_write(fixture_path("grey16.tif"), file, sizeof file);
    Frame f = {0};
    Source *s = open_ok(fixture_path("grey16.tif"));
    read_ok(s, &f);
    assert_int_equal(f.width, N);
    for (int i = 0; i < N; i++) /* 255/256: the conversion may cut or round */
        for (int c = 0; c < 3; c++)
            assert_in_range(f.bgr[3 * i + c] + 1, value[i] >> 8, (value[i] >> 8) + 2);
    source_free(&s);
    frame_free(&f);
}

/* Wherever a picture is cut, it is an error that names the file. A PNG or TIFF may lose trailing
 * bytes that carry no pixels: then it must be read whole. */
static void test_cut_pictures(void **state) {
    (void)state;
    static const char *const encoders[] = {"mjpeg", "png", "tiff"};
    Frame f = {0};
    for (int k = 0; k < 3; k++) {
        const char *path = fixture_path("cut%d.jpg", k); /* content decides, not the name */
        fixture_encode(path, encoders[k], 64, 48, 1);
        size_t size = fixture_size(path), step = size / 40 + 1;
        for (size_t n = size - 1; n > step; n -= n > size - 12 ? 1 : step) {
            fixture_encode(path, encoders[k], 64, 48, 1);
            fixture_truncate(path, n);
            Source *s = NULL;
            if (source_open(&s, path) == 0) {
                read_ok(s, &f);
                if (k == 0 || distance(&f, 1) > 0)
                    fail_msg("%s cut to %zu of %zu bytes was read", encoders[k], n, size);
                source_free(&s);
            } else {
                assert_message("cut");
                assert_message(path);
            }
        }
    }
    frame_free(&f);
    fixture_bmp(fixture_path("cut.bmp"), 20, 20, 0);
    fixture_truncate(fixture_path("cut.bmp"), 700);
    refuse(fixture_path("cut.bmp"), "cut.bmp");
    fixture_text(fixture_path("empty.png"), "");
    refuse(fixture_path("empty.png"), "empty.png");
    fixture_text(fixture_path("text.jpg"), "this is text");
    refuse(fixture_path("text.jpg"), "not a JPEG, PNG, BMP or TIFF");
}

/* A damaged picture inside a clip: the ones before it are read, and the decoder recovers. */
static void test_damaged_clip(void **state) {
    (void)state;
    Frame f = {0};
    for (int t = 0; t < 4; t++)
        fixture_encode(fixture_path("damaged/%d.jpg", t), "mjpeg", 64, 48, t);
    fixture_truncate(fixture_path("damaged/2.jpg"),
                     fixture_size(fixture_path("damaged/2.jpg")) / 2);
    Source *s = open_ok(fixture_path("damaged"));
    read_ok(s, &f);
    read_ok(s, &f);
    assert_int_equal(source_read(s, &f), ERR_FAIL);
    assert_message("damaged/2.jpg");
    assert_message("frame 2");
    assert_int_equal(source_seek(s, 3), 0);
    read_ok(s, &f);
    assert_int_equal(f.index, 3);
    assert_true(distance(&f, 3) <= 24);
    source_free(&s);
    frame_free(&f);
}

static void test_bad_inputs(void **state) {
    (void)state;
    Frame f = {0};
    refuse(fixture_path("absent"), "absent");
    refuse(fixture_path("absent.mp4"), "absent.mp4");
    fixture_path("nothing/x");
    refuse(fixture_path("nothing"), "holds no pictures");
    fixture_text(fixture_path("text.mp4"), "This is a text file, not a video.\n");
    refuse(fixture_path("text.mp4"), "not a video that FFmpeg can read");
    fixture_bmp(fixture_path("mixed/0.bmp"), 20, 10, 0);
    fixture_bmp(fixture_path("mixed/1.bmp"), 20, 12, 0);
    Source *s = open_ok(fixture_path("mixed"));
    read_ok(s, &f);
    assert_int_equal(source_read(s, &f), ERR_FAIL);
    assert_message("20 x 12");
    assert_message("mixed/1.bmp");
    source_free(&s);
    frame_free(&f);
}

enum { FRAMES = 40, W = 64, H = 48 };

static void check_video(const char *name, const char *encoder, int b_frames, bool counted) {
    const char *path = fixture_path("%s", name);
    static uint8_t seen[FRAMES][W * H * 3];
    Frame f = {0};
    fixture_video(path, encoder, W, H, FRAMES, b_frames);
    Source *s = open_ok(path);
    assert_int_equal(source_info(s)->width, W);
    assert_int_equal(source_info(s)->height, H);
    assert_int_equal(source_info(s)->frames, counted ? FRAMES : -1);
    assert_true(fabs(source_info(s)->fps - 25) < 0.01);
    for (int t = 0; t < FRAMES; t++) {
        read_ok(s, &f);
        assert_int_equal(f.index, t);
        assert_false(f.corrupt);
        /* Neighbours differ by 37 levels nearly everywhere; 30 leaves room for the codec. */
        if (distance(&f, t) > 30)
            fail_msg("%s: frame %d is off by %d", name, t, distance(&f, t));
        memcpy(seen[t], f.bgr, sizeof seen[t]);
    }
    assert_int_equal(source_read(s, &f), ERR_END);
    static const int jumps[] = {0, 39, 20, 21, 7, 8, 9, 38, 0, 1, 33, 15};
    for (size_t k = 0; k < sizeof jumps / sizeof *jumps; k++)
        for (int t = jumps[k]; t < FRAMES && t < jumps[k] + 2; t++) {
            if (t == jumps[k] && source_seek(s, t))
                fail_msg("%s", err_text());
            read_ok(s, &f);
            assert_int_equal(f.index, t);
            if (memcmp(f.bgr, seen[t], sizeof seen[t]) != 0)
                fail_msg("%s: frame %d is another one after a jump", name, t);
        }
    assert_int_equal(source_seek(s, FRAMES), ERR_FAIL);
    source_free(&s);
    frame_free(&f);
}

static void test_videos(void **state) {
    (void)state;
    check_video("mjpeg.avi", "mjpeg", 0, true);
    check_video("mpeg4.avi", "mpeg4", 0, true);
    check_video("reordered.avi", "mpeg4", 2, true);
    check_video("reordered.mp4", "mpeg4", 2, true);
    check_video("reordered.mkv", "mpeg4", 2, false);
    check_video("reordered.mpg", "mpeg2video", 2, false);
}

/* Whatever fails while a place is looked for: another try finds it, and so does a plain read. */
static void test_second_try(void **state) {
    (void)state;
    static const char *const names[] = {"again.avi", "again.mp4", "again.mpg"};
    static const char *const encoders[] = {"mjpeg", "mpeg4", "mpeg2video"};
    Frame f = {0};
    for (int k = 0; k < 3; k++) {
        const char *path = fixture_path("%s", names[k]);
        int odd = k == 0; /* U and V do not fit an odd height: swscale's part */
        fixture_video(path, encoders[k], W, H - odd, FRAMES, k ? 2 : 0);
        int failed = 1, failures = 0;
        for (int n = 1; failed; n++) {
            Source *s = open_ok(path);
            read_ok(s, &f);
            read_ok(s, &f);
            mem_fail_after(n);
            failed = source_seek(s, 20);
            mem_fail_after(0);
            failures += failed != 0;
            int want[] = {20, 2, 20};
            for (int i = 0; i < 3; i++) {
                if (i > 0)
                    assert_int_equal(source_seek(s, want[i]), 0);
                read_ok(s, &f);
                assert_int_equal(f.index, want[i]);
                assert_in_range(distance(&f, want[i]), 0, 30);
                if (i == 0 && n % 2) { /* the frame that could not be converted is the next one */
                    frame_free(&f);
                    mem_fail_after(1);
                    if (odd) /* it is converted when it is read */
                        assert_int_equal(source_read(s, &f), ERR_FAIL);
                    else
                        assert_true(!source_read(s, &f) && !frame_bgr(&f));
                    mem_fail_after(0);
                    if (odd)
                        read_ok(s, &f);
                    assert_non_null(frame_bgr(&f));
                    assert_int_equal(f.index, 21);
                    assert_in_range(distance(&f, 21), 0, 30);
                }
            }
            source_free(&s);
        }
        assert_in_range(failures, 6, 40);
    }
    frame_free(&f);
}

/* Of a damaged frame a second try is no other frame; those around it are found. */
static void test_damaged_frame(void **state) {
    (void)state;
    const char *path = fixture_path("hurt.avi");
    Frame f = {0};
    fixture_video(path, "mjpeg", W, H, FRAMES, 0);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)fixture_size(path) / 2, SEEK_SET), 0);
    for (int i = 0; i < 300; i++)
        fputc(0, file);
    assert_int_equal(fclose(file), 0);
    Source *s = open_ok(path);
    int hurt = 0;
    while (!source_read(s, &f))
        hurt++;
    assert_in_range(hurt, 5, FRAMES - 5);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(source_read(s, &f), ERR_FAIL);
        assert_int_equal(source_seek(s, hurt) || source_read(s, &f), true);
        assert_int_equal(source_seek(s, hurt - 1), 0);
        read_ok(s, &f);
        assert_in_range(distance(&f, hurt - 1), 0, 30);
    }
    source_free(&s);
    frame_free(&f);
}

static void test_cut_video(void **state) {
    (void)state;
    static const char *const encoders[] = {"mjpeg", "mpeg4"};
    Frame f = {0};
    for (int k = 0; k < 2; k++) {
        const char *path = fixture_path("cut%d.avi", k);
        fixture_video(path, encoders[k], W, H, FRAMES, 0);
        fixture_truncate(path, fixture_size(path) / 2);
        Source *s = open_ok(path);
        int code, n = 0;
        while (!(code = source_read(s, &f)))
            n++;
        assert_int_equal(code, ERR_FAIL);
        assert_in_range(n, 5, FRAMES - 5);
        assert_message(path);
        source_free(&s);
    }
    assert_message("announces 40 frames");
    frame_free(&f);
}

/* Empty chunks are no frames: the others are counted, read and found, and a cut is still seen. */
static void test_dropped_frames(void **state) {
    (void)state;
    static const char *const encoders[] = {"mjpeg", "mpeg4"};
    enum { EVERY = 4, LEFT = FRAMES - FRAMES / EVERY };
    Frame f = {0};
    for (int k = 0; k < 2; k++) {
        const char *path = fixture_path("dropped%d.avi", k);
        int picture[LEFT], n = 0;
        for (int t = 0; t < FRAMES; t++)
            if (t % EVERY != EVERY / 2)
                picture[n++] = t;
        fixture_video_with_gaps(path, encoders[k], W, H, FRAMES, EVERY);
        Source *s = open_ok(path);
        assert_int_equal(source_info(s)->frames, LEFT);
        for (int i = 0; i < LEFT; i++) {
            read_ok(s, &f);
            assert_int_equal(f.index, i);
            assert_true(distance(&f, picture[i]) <= 30);
        }
        assert_int_equal(source_read(s, &f), ERR_END);
        assert_int_equal(source_seek(s, 17), 0);
        read_ok(s, &f);
        assert_true(distance(&f, picture[17]) <= 30);
        source_free(&s);

        fixture_truncate(path, fixture_size(path) * 3 / 4);
        s = open_ok(path);
        while (source_read(s, &f) == 0)
            continue;
        assert_message(path);
        source_free(&s);
    }
    assert_message("cut short or damaged");
    frame_free(&f);
}

static uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Makes the edit list of a fixture's MP4 (40 ms a frame) show `count` frames from `first` on. */
static void edit(const char *path, uint32_t first, uint32_t count) {
    char *file;
    size_t n, at = 0;
    assert_int_equal(file_read(path, 1 << 20, &file, &n), 0);
    while (at + 20 < n && memcmp(file + at, "elst", 4) != 0)
        at++;
    assert_true(at + 20 < n);
    uint8_t *list = (uint8_t *)file + at; /* version and flags, entries, then duration and start */
    assert_int_equal(big_endian(list + 8), 1);
    uint32_t value[2] = {40 * count, big_endian(list + 16) + 512 * first};
    for (int k = 0; k < 8; k++)
        list[12 + k] = (uint8_t)(value[k / 4] >> 8 * (3 - k % 4));
    fixture_write(path, file, n);
    mem_free(file);
}

/* What an edit list hides is no frame, whole groups of pictures or a part of one. */
static void test_edit_list(void **state) {
    (void)state;
    static const struct {
        int first, count, b_frames;
    } rows[] = {{20, 10, 2}, {3, 30, 2}, {16, 24, 0}, {17, 4, 0}};
    Frame f = {0};
    for (int k = 0; k < 4; k++) {
        const char *path = fixture_path("edit%d.mp4", k);
        fixture_video(path, "mpeg4", W, H, FRAMES, rows[k].b_frames);
        edit(path, (uint32_t)rows[k].first, (uint32_t)rows[k].count);
        Source *s = open_ok(path);
        assert_int_equal(source_info(s)->frames, rows[k].count);
        for (int i = 0; i < rows[k].count; i++) {
            read_ok(s, &f);
            if (distance(&f, rows[k].first + i) > 30)
                fail_msg("%s: frame %d is another one", path, i);
        }
        assert_int_equal(source_read(s, &f), ERR_END);
        source_free(&s);
    }
    frame_free(&f);
}

/* A colon does not make a name an address. */
static void test_colon(void **state) {
    (void)state;
    Frame f = {0};
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    fixture_video(fixture_path("clock.avi"), "mjpeg", W, H, 4, 0);
    fixture_path("clock/x");
    assert_int_equal(chdir(fixture_path("clock")), 0);
    assert_int_equal(rename("../clock.avi", "2024-05-01T12:30:05.avi"), 0);
    Source *s = open_ok("2024-05-01T12:30:05.avi");
    read_ok(s, &f);
    VideoWriter *w = NULL;
    assert_int_equal(video_writer_open(&w, "12:30.mp4", &(VideoWriterOptions){W, H, 25, 1, false}),
                     0);
    assert_int_equal(video_writer_add(w, f.bgr, 0), 0);
    assert_int_equal(video_writer_close(&w), 0);
    source_free(&s);
    s = open_ok("12:30.mp4");
    read_ok(s, &f);
    source_free(&s);
    frame_free(&f);
    assert_int_equal(chdir(before), 0);
}

static void test_streams(void **state) {
    (void)state;
    refuse("rtsp://user:secret@127.0.0.1:9/live", "rtsp://***@127.0.0.1:9/live");
    assert_null(strstr(err_text(), "secret"));
    refuse("http://127.0.0.1:9/live.mjpg", "127.0.0.1:9");
    refuse("/dev/video99", "/dev/video99");
}

/* A server that accepts and stays silent: a signal must end the wait at once. */
static void test_stop(void **state) {
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int server = socket(AF_INET, SOCK_STREAM, 0), status;
    assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server, 4), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&at, &n), 0);
    pid_t child = fork();
    if (child == 0) {
        char url[64];
        Source *s = NULL;
        snprintf(url, sizeof url, "rtsp://127.0.0.1:%d/x", ntohs(at.sin_port));
        stop_install();
        _exit(source_open(&s, url) == ERR_STOPPED ? 0 : 1);
    }
    usleep(300 * 1000); /* until it waits; if it does not yet, the flag is seen as it begins */
    double before = clock_seconds();
    kill(child, SIGTERM);
    assert_int_equal(waitpid(child, &status, 0), child);
    close(server);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM)
        skip(); /* the machine was so slow that the handler was not there yet */
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(clock_seconds() - before < 3);
}

static void *read_all(void *arg) {
    Source *s = NULL;
    Frame f = {0};
    int64_t n = 0;
    if (source_open(&s, arg) == 0)
        while (source_read(s, &f) == 0)
            n++;
    source_free(&s);
    frame_free(&f);
    return (void *)(intptr_t)n;
}

static void test_threads(void **state) {
    (void)state;
    pthread_t thread[3];
    fixture_clip(fixture_path("t"), 12, 30, 20, 0);
    fixture_video(fixture_path("t.avi"), "mjpeg", W, H, 12, 0);
    char *url[3] = {strdup(fixture_path("t")), strdup(fixture_path("t.avi")),
                    strdup(fixture_path("t"))};
    for (int i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, read_all, url[i]);
    for (int i = 0; i < 3; i++) {
        void *n;
        pthread_join(thread[i], &n);
        assert_int_equal((intptr_t)n, 12);
        free(url[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),       cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_cut_pictures), cmocka_unit_test(test_damaged_clip),
        cmocka_unit_test(test_bad_inputs),   cmocka_unit_test(test_videos),
        cmocka_unit_test(test_cut_video),    cmocka_unit_test(test_dropped_frames),
        cmocka_unit_test(test_streams),      cmocka_unit_test(test_stop),
        cmocka_unit_test(test_threads),      cmocka_unit_test(test_grey16),
        cmocka_unit_test(test_edit_list),    cmocka_unit_test(test_colon),
        cmocka_unit_test(test_second_try),   cmocka_unit_test(test_damaged_frame),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
