/* Files that are written are read back by FFmpeg; failures leave nothing behind. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "random.h"
#include "video/png.h"
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

static void test_png_is_lossless(void **state) {
    (void)state;
    static const int size[][2] = {{1, 1}, {7, 5}, {64, 48}};
    for (int i = 0; i < 3; i++) {
        int w = size[i][0], h = size[i][1], got_w, got_h;
        uint8_t *bgr = mem_alloc((size_t)(w * h), 3), *back;
        Rng r = rng_stream(1, RNG_TEST, 0, 0);
        for (int k = 0; k < 3 * w * h; k++)
            bgr[k] = (uint8_t)(256 * rng_uniform(&r, (uint64_t)k));
        const char *path = in_folder("a.png");
        AVRational rate;
        assert_int_equal(png_write(path, bgr, w, h), 0);
        assert_int_equal(decode(path, &got_w, &got_h, &rate, &back), 1);
        assert_int_equal(got_w, w);
        assert_int_equal(got_h, h);
        assert_memory_equal(back, bgr, (size_t)(3 * w * h));

        uint8_t *data;
        char *file;
        int64_t bytes;
        size_t file_bytes;
        assert_int_equal(png_encode(&data, &bytes, bgr, w, h), 0);
        assert_memory_equal(data, "\x89PNG\r\n\x1a\n", 8);
        assert_int_equal(file_read(path, 1 << 20, &file, &file_bytes), 0);
        assert_int_equal(file_bytes, bytes);
        assert_memory_equal(file, data, file_bytes);
        mem_free(file);
        mem_free(data);
        free(back);
        mem_free(bgr);
        unlink(path);
    }
}

static void test_png_errors(void **state) {
    (void)state;
    const uint8_t pixel[3] = {1, 2, 3};
    assert_int_equal(png_write("/nonexistent/folder/a.png", pixel, 1, 1), ERR_FAIL);
    assert_non_null(strstr(err_text(), "/nonexistent/folder/a.png"));
    assert_int_equal(png_write(in_folder("a.png"), pixel, 0, 1), ERR_FAIL);
    assert_non_null(strstr(err_text(), "0 x 1"));
    assert_int_equal(entries(), 0);
}

static void test_video(void **state) {
    (void)state;
    static const int size[][2] = {{64, 48}, {33, 47}};
    static uint8_t bgr[64 * 48 * 3];
    for (int i = 0; i < 2; i++) {
        int w = size[i][0], h = size[i][1], got_w, got_h;
        const char *path = in_folder("a.mp4");
        VideoWriter *v = NULL;
        assert_int_equal(video_writer_open(&v, path, w, h, 12.5), 0);
        for (int t = 0; t < 20; t++) {
            picture(bgr, w, h, t);
            assert_int_equal(video_writer_add(v, bgr), 0);
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
    assert_int_equal(video_writer_open(&v, "/nonexistent/folder/a.mp4", 8, 8, 25), ERR_FAIL);
    assert_non_null(strstr(err_text(), "/nonexistent/folder/a.mp4"));
    assert_int_equal(video_writer_open(&v, in_folder("a.avi"), 8, 8, 25), ERR_FAIL);
    assert_non_null(strstr(err_text(), ".mp4"));
    assert_int_equal(video_writer_open(&v, in_folder("a.mp4"), 8, 8, 0), ERR_FAIL);
    assert_int_equal(video_writer_open(&v, in_folder("a.mp4"), 0, 8, 25), ERR_FAIL);
    assert_null(v);
    video_writer_free(&v);
    video_writer_free(NULL);

    assert_int_equal(video_writer_open(&v, in_folder("a.mp4"), 8, 8, 25), 0);
    assert_int_equal(video_writer_close(&v), ERR_FAIL);
    assert_non_null(strstr(err_text(), "no frame"));

    static uint8_t bgr[16 * 16 * 3];
    assert_int_equal(video_writer_open(&v, in_folder("a.mp4"), 16, 16, 25), 0);
    assert_int_equal(video_writer_add(v, bgr), 0);
    video_writer_free(&v);
    assert_null(v);
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
    FileOut *f;
    assert_int_equal(file_create(&f, path), 0);
    file_printf(f, "old");
    assert_int_equal(file_commit(&f), 0);

    setrlimit(RLIMIT_FSIZE, &small);
    VideoWriter *v = NULL;
    int code = video_writer_open(&v, path, SIDE, SIDE, 25);
    for (int t = 0; t < 12 && !code; t++) {
        for (int i = 0; i < SIDE * SIDE * 3; i++) /* noise, so that the file grows */
            bgr[i] = (uint8_t)(256 * rng_uniform(&r, (uint64_t)(t * SIDE * SIDE * 3 + i)));
        code = video_writer_add(v, bgr);
    }
    int closed = video_writer_close(&v);
    char message[300];
    snprintf(message, sizeof message, "%s", err_text());
    int png = png_write(in_folder("a.png"), bgr, SIDE, SIDE);
    setrlimit(RLIMIT_FSIZE, &old);

    assert_int_equal(closed, ERR_FAIL);
    assert_non_null(strstr(message, "a.mp4"));
    assert_int_equal(png, ERR_FAIL);
    char *data;
    size_t bytes;
    assert_int_equal(file_read(in_folder("a.mp4"), 100, &data, &bytes), 0);
    assert_string_equal(data, "old");
    mem_free(data);
    assert_int_equal(entries(), 1);
    unlink(in_folder("a.mp4"));
}

static void test_out_of_memory(void **state) {
    (void)state;
    const uint8_t pixel[12] = {0};
    VideoWriter *v = NULL;
    mem_fail_after(1);
    assert_int_equal(png_write(in_folder("a.png"), pixel, 2, 2), ERR_FAIL);
    for (int64_t n = 1; n <= 4; n++) {
        mem_fail_after(n);
        assert_int_equal(video_writer_open(&v, in_folder("a.mp4"), 3, 3, 25), ERR_FAIL);
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
        cmocka_unit_test(test_png_is_lossless), cmocka_unit_test(test_png_errors),
        cmocka_unit_test(test_video),           cmocka_unit_test(test_video_errors),
        cmocka_unit_test(test_full_disk),       cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
