/* Files that are written are read back by FFmpeg; failures leave nothing behind. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "random.h"
#include "video/source.h"
#include "video/writer.h"

static char folder[] = "/tmp/normalcy-writer-XXXXXX";

static const char *in_folder(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int entries(void) {
    DIR *d = opendir(folder);
    int n = -2; /* . and .. */
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* An old file of three bytes. */
static void write_old(const char *path) {
    FileOut *f;
    assert_int_equal(file_create(&f, path), 0);
    file_printf(f, "old");
    assert_int_equal(file_commit(&f), 0);
}

static int64_t size_of(const char *path) {
    struct stat st;
    return stat(path, &st) ? -1 : st.st_size;
}

/* Smooth, so that lossy coding keeps it; t moves it. */
static void picture(uint8_t *bgr, int w, int h, int t) {
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t *p = bgr + 3 * (y * w + x);
            p[0] = (uint8_t)(60 + 100 * x / w);
            p[1] = (uint8_t)(60 + 100 * y / h);
            p[2] = (uint8_t)(80 + 3 * t);
        }
}

/* Decodes all frames; the last one goes to *last (BGR, malloc). Returns their number. */
static int decode(const char *path, int *width, int *height, AVRational *rate, uint8_t **last) {
    AVFormatContext *format = NULL;
    assert_int_equal(avformat_open_input(&format, path, NULL, NULL), 0);
    assert_true(avformat_find_stream_info(format, NULL) >= 0);
    AVStream *s = format->streams[0];
    const AVCodec *decoder = avcodec_find_decoder(s->codecpar->codec_id);
    AVCodecContext *codec = avcodec_alloc_context3(decoder);
    avcodec_parameters_to_context(codec, s->codecpar);
    codec->thread_count = 1;
    assert_int_equal(avcodec_open2(codec, decoder, NULL), 0);
    *width = codec->width;
    *height = codec->height;
    *rate = s->avg_frame_rate;
    *last = calloc(3, (size_t)(codec->width * codec->height));
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    struct SwsContext *sws = NULL;
    int n = 0, end = 0;
    while (!end) {
        end = av_read_frame(format, packet) < 0;
        assert_true(avcodec_send_packet(codec, end ? NULL : packet) >= 0);
        while (avcodec_receive_frame(codec, frame) >= 0) {
            n++;
            sws = sws_getCachedContext(sws, frame->width, frame->height, frame->format,
                                       frame->width, frame->height, AV_PIX_FMT_BGR24,
                                       SWS_BILINEAR | SWS_ACCURATE_RND, NULL, NULL, NULL);
            sws_scale(sws, (const uint8_t *const *)frame->data, frame->linesize, 0, frame->height,
                      &*last, (const int[]){3 * frame->width});
        }
        av_packet_unref(packet);
    }
    sws_freeContext(sws);
    av_frame_free(&frame);
    av_packet_free(&packet);
    avcodec_free_context(&codec);
    avformat_close_input(&format);
    return n;
}

static void test_video(void **state) {
    (void)state;
    static const int size[][2] = {{64, 48}, {33, 47}};
    static uint8_t bgr[64 * 48 * 3];
    for (int i = 0; i < 2; i++) {
        int w = size[i][0], h = size[i][1], got_w, got_h;
        const char *path = in_folder("a.mp4");
        VideoWriter *v = NULL;
        assert_int_equal(video_writer_open(&v, path, &(VideoWriterOptions){w, h, 12.5, 1, false}),
                         0);
        for (int t = 0; t < 20; t++) {
            picture(bgr, w, h, t);
            assert_int_equal(video_writer_add(v, bgr, NAN), 0);
        }
        assert_false(file_exists(path)); /* whole or not there */
        assert_int_equal(video_writer_close(&v), 0);
        assert_null(v);
        assert_int_equal(entries(), 1);

        uint8_t *last;
        AVRational rate;
        assert_int_equal(decode(path, &got_w, &got_h, &rate, &last), 20);
        assert_int_equal(got_w, (w + 1) & ~1);
        assert_int_equal(got_h, (h + 1) & ~1);
        assert_true(av_cmp_q(rate, (AVRational){25, 2}) == 0);
        double error = 0; /* lossy, but the right picture in the right colours */
        for (int y = 0; y < h; y++)
            for (int k = 0; k < 3 * w; k++)
                error += abs(last[3 * y * got_w + k] - bgr[3 * y * w + k]);
        assert_true(error / (3 * w * h) < 4);
        free(last);
        unlink(path);
    }
}

static void test_video_errors(void **state) {
    (void)state;
    VideoWriter *v = NULL;
    VideoWriterOptions o = {8, 8, 25, 1, false};
    for (int live = 0; live < 2; live++) {
        o.live = live;
        assert_int_equal(video_writer_open(&v, "/nonexistent/folder/a.mp4", &o), ERR_FAIL);
        assert_non_null(strstr(err_text(), "/nonexistent/folder/a.mp4"));
        assert_int_equal(video_writer_open(&v, in_folder("a.avi"), &o), ERR_FAIL);
        assert_non_null(strstr(err_text(), ".mp4"));
        assert_int_equal(symlink("b.mp4", in_folder("a.mp4")), 0);
        assert_int_equal(video_writer_open(&v, in_folder("a.mp4"), &o), ERR_FAIL);
        assert_non_null(strstr(err_text(), "a link"));
        unlink(in_folder("a.mp4"));
        o.width = 0;
        assert_int_equal(video_writer_open(&v, in_folder("a.mp4"), &o), ERR_FAIL);
        o.width = 8;
        assert_null(v);

        assert_int_equal(video_writer_open(&v, in_folder("a.mp4"), &o), 0);
        assert_int_equal(video_writer_close(&v), ERR_FAIL);
        assert_non_null(strstr(err_text(), "no frame"));
        assert_int_equal(entries(), 0);
    }
    video_writer_free(&v);
    video_writer_free(NULL);

    static uint8_t bgr[16 * 16 * 3];
    o = (VideoWriterOptions){16, 16, 25, 1, false};
    assert_int_equal(video_writer_open(&v, in_folder("a.mp4"), &o), 0);
    assert_int_equal(video_writer_add(v, bgr, NAN), 0);
    video_writer_free(&v);
    assert_null(v);
    assert_int_equal(entries(), 0);
}

/* FFmpeg's own, except that a test can hide the encoder for H.264. */
static bool without_h264;

const AVCodec *avcodec_find_encoder_by_name(const char *name) {
    void *state = NULL;
    const AVCodec *c;
    while ((c = av_codec_iterate(&state)))
        if (av_codec_is_encoder(c) && strcmp(c->name, name) == 0)
            break;
    return without_h264 ? NULL : c;
}

enum { WIDE = 64, HIGH = 48 };

/* Appends picture `number` at a time. */
static int add(VideoWriter *v, int number, double seconds) {
    static uint8_t bgr[WIDE * HIGH * 3];
    picture(bgr, WIDE, HIGH, number % 40);
    return video_writer_add(v, bgr, seconds);
}

/* Writes pictures at these times, and reads the file's times back into `got`, at most `room`.
 * Returns their number; *total is the duration that the file tells. */
static int times_of(bool live, double fps, const double *seconds, int n, double *got, int room,
                    double *total) {
    const VideoWriterOptions o = {WIDE, HIGH, fps, 1, live};
    const char *path = in_folder("times.mp4");
    VideoWriter *v;
    assert_int_equal(video_writer_open(&v, path, &o), 0);
    for (int t = 0; t < n; t++)
        assert_int_equal(add(v, t, seconds[t]), 0);
    assert_int_equal(video_writer_close(&v), 0);

    AVFormatContext *format = NULL;
    assert_int_equal(avformat_open_input(&format, path, NULL, NULL), 0);
    assert_true(avformat_find_stream_info(format, NULL) >= 0);
    *total = (double)format->duration / AV_TIME_BASE;
    avformat_close_input(&format);

    Source *s;
    Frame f = {0};
    int count = 0;
    assert_int_equal(source_open(&s, path), 0);
    while (count < room && source_read(s, &f) == 0)
        got[count++] = f.seconds;
    assert_int_equal(source_read(s, &f), ERR_END);
    source_free(&s);
    frame_free(&f);
    unlink(path);
    return count;
}

/* Calls `check` for H.264 and MPEG-4, of files and of live sources. */
static void in_each_kind(void (*check)(bool live)) {
    for (int kind = 0; kind < 4; kind++) {
        without_h264 = kind & 1;
        check(kind & 2);
    }
    without_h264 = false;
}

static void check_times(bool live) {
    static const double given[] = {5,   5.04, 5.5,  NAN, 5.6,  5.6,  5.61, 8.25,
                                   8.3, 8.4,  11.9, 12,  12.3, 12.6, 12.7};
    static const double right[] = {0,   0.04, 0.5, 0.54, 0.6, 0.64, 0.68, 3.25,
                                   3.3, 3.4,  6.9, 7,    7.3, 7.6,  7.7};
    enum { N = sizeof given / sizeof *given };
    double got[N + 1], total;
    assert_int_equal(times_of(live, 25, given, N, got, N + 1, &total), N);
    for (int i = 0; i < N; i++)
        assert_true(fabs(got[i] - right[i]) < 1e-4);
    assert_true(fabs(total - 7.8) < 2e-3);
}

static void test_times(void **state) {
    (void)state;
    in_each_kind(check_times);
}

/* Rates whose frames are no whole number of thousandths, and none at all. */
static void check_rates(bool live) {
    static const double fps[] = {30000 / 1001.0, 59.94, 0.083, 1000, 0.01, 0, 90000, NAN, INFINITY};
    for (size_t k = 0; k < sizeof fps / sizeof *fps; k++) {
        enum { N = 12 };
        double no_time[N], got[N + 1], total, rate = fps[k] > 0 && fps[k] <= 1000 ? fps[k] : 25;
        for (int i = 0; i < N; i++)
            no_time[i] = NAN;
        assert_int_equal(times_of(live, fps[k], no_time, N, got, N + 1, &total), N);
        for (int i = 0; i < N; i++)
            assert_true(fabs(got[i] - i / rate) < 1e-4 * (1 + i / rate));
        bool slow = live && rate < 0.5; /* the last picture was written before its end was known */
        assert_true(fabs(total - (N - slow) / rate) < 0.1 / rate + 1e-3);
    }
}

static void test_rates(void **state) {
    (void)state;
    in_each_kind(check_rates);
}

/* A camera that was away for hours, and for a week: the pictures after that have their time. */
static void check_gap(bool live) {
    static const double gap[] = {3500, 3 * 3600, 60 * 3600, 7 * 24 * 3600};
    for (size_t k = 0; k < sizeof gap / sizeof *gap; k++) {
        enum { N = 30, ROOM = 1000 };
        double given[N], total;
        static double got[ROOM];
        for (int i = 0; i < N; i++)
            given[i] = i / 10.0 + (i >= N / 2 ? gap[k] : 0);
        int n = times_of(live, 10, given, N, got, ROOM, &total);
        assert_in_range(n, N, N + gap[k] / 3600);
        if (k == 0 || (k == 1 && !without_h264))
            assert_int_equal(n, N);
        for (int i = 0; i < N; i++)
            assert_true(fabs(got[i < N / 2 ? i : n - N + i] - given[i]) < 1e-3);
        assert_true(fabs(total - given[N - 1] - 0.1) < 0.1);
    }
}

static void test_gap(void **state) {
    (void)state;
    in_each_kind(check_gap);
}

/* A source that ends right after a pause does not double the pause. */
static void check_end_after_gap(bool live) {
    static const double given[] = {0, 0.1, 0.2, 1000};
    double got[5], total;
    assert_int_equal(times_of(live, 10, given, 4, got, 5, &total), 4);
    assert_true(fabs(total - 1000.1) < 0.01);
}

static void test_end_after_gap(void **state) {
    (void)state;
    in_each_kind(check_end_after_gap);
}

/* Shape of a pixel, as asked for and as players find it in the file. */
static void check_aspect(bool live) {
    static const struct {
        double given;
        AVRational right;
    } shape[] = {{2, {2, 1}},   {16 / 11., {16, 11}}, {64 / 45., {64, 45}}, {1, {1, 1}},
                 {0, {0, 1}},   {-0.75, {0, 1}},      {1.001, {1, 1}},      {1e-5, {0, 1}},
                 {NAN, {0, 1}}, {INFINITY, {0, 1}},   {1e300, {0, 1}}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        const VideoWriterOptions o = {WIDE, HIGH, 25, shape[i].given, live};
        VideoWriter *v;
        assert_int_equal(video_writer_open(&v, in_folder("a.mp4"), &o), 0);
        assert_int_equal(add(v, 0, 0), 0);
        assert_int_equal(video_writer_close(&v), 0);
        AVFormatContext *format = NULL;
        assert_int_equal(avformat_open_input(&format, in_folder("a.mp4"), NULL, NULL), 0);
        assert_true(avformat_find_stream_info(format, NULL) >= 0);
        AVRational r = av_guess_sample_aspect_ratio(format, format->streams[0], NULL);
        AVRational right = shape[i].right;
        bool square = !right.num && r.num == r.den; /* MPEG-4 has no word for unknown */
        assert_true(square || fabs(av_q2d(r) - av_q2d(right)) < 0.005);
        avformat_close_input(&format);
        unlink(in_folder("a.mp4"));
    }
}

static void test_aspect(void **state) {
    (void)state;
    in_each_kind(check_aspect);
}

/* Frames that can be read; the file must read without an error up to its end. */
static int frames_of(const char *path, int *keys, double *last) {
    AVFormatContext *format = NULL;
    AVPacket *packet = av_packet_alloc();
    assert_int_equal(avformat_open_input(&format, path, NULL, NULL), 0);
    *keys = 0;
    while (av_read_frame(format, packet) >= 0) {
        *keys += packet->flags & AV_PKT_FLAG_KEY;
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    avformat_close_input(&format);

    Source *s;
    Frame f = {0};
    int n = 0, code;
    assert_int_equal(source_open(&s, path), 0);
    while ((code = source_read(s, &f)) == 0) {
        assert_false(f.corrupt);
        *last = f.seconds;
        n++;
    }
    assert_int_equal(code, ERR_END);
    source_free(&s);
    frame_free(&f);
    return n;
}

/* A live file is readable after each picture, and lags at most two seconds and a picture. */
static void check_live(const char *path, double interval, int pictures) {
    const VideoWriterOptions o = {WIDE, HIGH, 25, 1, true};
    VideoWriter *v;
    write_old(path);
    assert_int_equal(video_writer_open(&v, path, &o), 0);
    assert_int_equal(size_of(path), 3); /* still the old file */
    for (int t = 0; t < pictures; t++) {
        int keys;
        double last, now = interval * t;
        assert_int_equal(add(v, t, now), 0);
        assert_in_range(frames_of(path, &keys, &last), 1, t + 1);
        assert_true(last >= now - 2 && last <= now + 1e-4);
        assert_true(keys >= 1 && keys >= last / (2 + interval));
    }
    video_writer_free(&v); /* as a killed program would, without the end */
    unlink(path);
}

static void test_live(void **state) {
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        without_h264 = kind;
        check_live(in_folder("a.mp4"), 0.2, 25);
        check_live(in_folder("a.mp4"), 0.7, 12);
        check_live(in_folder("a.mp4"), 12, 4);
    }
    without_h264 = false;
    assert_int_equal(entries(), 0);
}

/* Writes pictures in a process of its own until it is killed; tells on a pipe how many it has. */
static pid_t write_forever(const char *path, int pipe) {
    pid_t child = fork();
    if (child)
        return child;
    const VideoWriterOptions o = {WIDE, HIGH, 10, 1, true};
    VideoWriter *v;
    int code = video_writer_open(&v, path, &o);
    for (int t = 0; !code; t++) {
        code = add(v, t, t / 10.0);
        code |= write(pipe, &(char){1}, 1) != 1;
    }
    _exit(1);
}

/* The file of a killed program plays, and lacks at most the last two seconds. */
static void test_killed(void **state) {
    (void)state;
    static const int told[] = {1, 30, 57, 119};
    for (size_t k = 0; k < sizeof told / sizeof *told; k++) {
        const char *path = in_folder("a.mp4");
        int ends[2], status, keys, n = 0;
        double last;
        char byte;
        assert_int_equal(pipe(ends), 0);
        pid_t child = write_forever(path, ends[1]);
        close(ends[1]);
        while (n < told[k] && read(ends[0], &byte, 1) == 1)
            n++;
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(ends[0], &byte, 1) == 1)
            n++;
        close(ends[0]);
        assert_true(n >= told[k]);
        assert_true(frames_of(path, &keys, &last) >= n - 20);
        unlink(path);
    }
    assert_int_equal(entries(), 0);
}

/* A file-size limit stands in for a full disk: the write fails in the middle. */
static void test_full_disk(void **state) {
    (void)state;
    enum { SIDE = 256 };
    static uint8_t bgr[SIDE * SIDE * 3];
    Rng r = rng_stream(2, RNG_TEST, 0, 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 20000;

    const char *path = in_folder("a.mp4");
    write_old(path);

    setrlimit(RLIMIT_FSIZE, &small);
    VideoWriter *v = NULL;
    int code = video_writer_open(&v, path, &(VideoWriterOptions){SIDE, SIDE, 25, 1, false});
    for (int t = 0; t < 12 && !code; t++) {
        for (int i = 0; i < SIDE * SIDE * 3; i++) /* noise, so that the file grows */
            bgr[i] = (uint8_t)(256 * rng_uniform(&r, (uint64_t)(t * SIDE * SIDE * 3 + i)));
        code = video_writer_add(v, bgr, NAN);
    }
    int closed = video_writer_close(&v);
    char message[300];
    snprintf(message, sizeof message, "%s", err_text());
    setrlimit(RLIMIT_FSIZE, &old);

    assert_int_equal(closed, ERR_FAIL);
    assert_non_null(strstr(message, "a.mp4"));
    char *data;
    size_t bytes;
    assert_int_equal(file_read(in_folder("a.mp4"), 100, &data, &bytes), 0);
    assert_string_equal(data, "old");
    mem_free(data);
    assert_int_equal(entries(), 1);
    unlink(in_folder("a.mp4"));
}

/* A live file keeps what came before, as whole fragments; nothing can be added after that. */
static void test_full_disk_live(void **state) {
    (void)state;
    const char *path = in_folder("a.mp4");
    const VideoWriterOptions o = {WIDE, HIGH, 10, 1, true};
    struct rlimit old, small;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 9000;
    VideoWriter *v = NULL;
    setrlimit(RLIMIT_FSIZE, &small);
    int code = video_writer_open(&v, path, &o), t = 0;
    for (; !code && t < 10000; t++)
        code = add(v, t, t / 10.0);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(code, ERR_FAIL);
    assert_non_null(strstr(err_text(), "a.mp4: File too large"));
    assert_int_equal(add(v, t, t / 10.0), ERR_FAIL);
    assert_int_equal(video_writer_close(&v), ERR_FAIL);
    int keys;
    double last;
    assert_true(frames_of(path, &keys, &last) > t - 45);
    unlink(path);
    assert_int_equal(entries(), 0);
}

/* Where not even the first picture fits, the old file stays. */
static void test_full_disk_at_once(void **state) {
    (void)state;
    const char *path = in_folder("a.mp4");
    const VideoWriterOptions o = {WIDE, HIGH, 10, 1, true};
    struct rlimit old, small;
    write_old(path);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 100;
    VideoWriter *v = NULL;
    setrlimit(RLIMIT_FSIZE, &small);
    int code = video_writer_open(&v, path, &o);
    if (!code)
        code = add(v, 0, 0);
    setrlimit(RLIMIT_FSIZE, &old);
    video_writer_free(&v);
    assert_int_equal(code, ERR_FAIL);
    assert_int_equal(size_of(path), 3);
    assert_int_equal(entries(), 1);
    unlink(path);
}

static void test_out_of_memory(void **state) {
    (void)state;
    VideoWriter *v = NULL;
    for (int64_t n = 1; n <= 4; n++) {
        mem_fail_after(n);
        assert_int_equal(
            video_writer_open(&v, in_folder("a.mp4"), &(VideoWriterOptions){3, 3, 25, 1, false}),
            ERR_FAIL);
    }
    mem_fail_after(0);
    assert_null(v);
    assert_int_equal(entries(), 0);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_video),
        cmocka_unit_test(test_video_errors),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_end_after_gap),
        cmocka_unit_test(test_aspect),
        cmocka_unit_test(test_live),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_full_disk_live),
        cmocka_unit_test(test_full_disk_at_once),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
