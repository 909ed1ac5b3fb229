#include "fixture.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>

#undef NDEBUG
#include <assert.h>

static char root[256];

void fixture_begin(void) {
    const char *tmp = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/normalcy-test-XXXXXX", tmp ? tmp : "/tmp");
    assert(mkdtemp(root));
    av_log_set_level(AV_LOG_QUIET);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void fixture_end(void) {
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fixture_path(const char *fmt, ...) {
    static char buffers[256][512];
    static int turn;
    char *path = buffers[turn++ % 256];
    int n = snprintf(path, sizeof buffers[0], "%s/", root);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(path + n, sizeof buffers[0] - (size_t)n, fmt, ap);
    va_end(ap);
    for (char *p = path + n; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0777);
        *p = '/';
    }
    return path;
}

void fixture_write(const char *path, const void *data, size_t bytes) {
    FILE *f = fopen(path, "wb");
    assert(f && fwrite(data, 1, bytes, f) == bytes);
    assert(fclose(f) == 0);
}

void fixture_text(const char *path, const char *text) {
    fixture_write(path, text, strlen(text));
}

void fixture_truncate(const char *path, size_t bytes) {
    assert(truncate(path, (off_t)bytes) == 0);
}

size_t fixture_size(const char *path) {
    struct stat st;
    assert(stat(path, &st) == 0);
    return (size_t)st.st_size;
}

uint8_t fixture_pixel(int seed, int x, int y, int channel) {
    int v = (seed * 37 + x * (1 + channel) + y * (3 - channel)) % 360;
    return (uint8_t)(20 + (v < 180 ? v : 360 - v)); /* a ramp up and down: no hard edge */
}

static void put(uint8_t *p, uint32_t v, int bytes) {
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* BMP rows run bottom to top and end at a multiple of 4 bytes. */
static void write_bmp(const char *path, const uint8_t *bgr, int width, int height) {
    size_t stride = ((size_t)width * 3 + 3) / 4 * 4, bytes = 54 + stride * (size_t)height;
    uint8_t *file = calloc(1, bytes);
    assert(file);
    memcpy(file, "BM", 2);
    put(file + 2, (uint32_t)bytes, 4);
    put(file + 10, 54, 4);
    put(file + 14, 40, 4);
    put(file + 18, (uint32_t)width, 4);
    put(file + 22, (uint32_t)height, 4);
    put(file + 26, 1, 2);
    put(file + 28, 24, 2);
    for (int y = 0; y < height; y++)
        memcpy(file + 54 + stride * (size_t)(height - 1 - y), bgr + (size_t)y * (size_t)width * 3,
               (size_t)width * 3);
    fixture_write(path, file, bytes);
    free(file);
}

/* Where the width is odd, swscale takes one more pixel behind the last row into its colour: it is
 * set here, and not left to what the heap holds. */
static uint8_t *picture(int width, int height, int seed) {
    uint8_t *bgr = calloc((size_t)width * (size_t)height + 1, 3), *p = bgr;
    assert(bgr);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                *p++ = fixture_pixel(seed, x, y, c);
    return bgr;
}

void fixture_bmp(const char *path, int width, int height, int seed) {
    uint8_t *bgr = picture(width, height, seed);
    write_bmp(path, bgr, width, height);
    free(bgr);
}

void fixture_mask(const char *path, int width, int height, int set) {
    uint8_t *bgr = calloc((size_t)width * (size_t)height, 3);
    assert(bgr);
    memset(bgr, 255, (size_t)set * 3);
    write_bmp(path, bgr, width, height);
    free(bgr);
}

void fixture_clip(const char *folder, int count, int width, int height, int seed) {
    for (int t = 0; t < count; t++) {
        char path[1100];
        mkdir(folder, 0777);
        snprintf(path, sizeof path, "%s/%03d.bmp", folder, t);
        fixture_bmp(path, width, height, seed + t);
    }
}

/* ---- encoders ---- */

static AVCodecContext *open_encoder(const char *name, int width, int height, int b_frames,
                                    int flags) {
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    assert(codec);
    AVCodecContext *c = avcodec_alloc_context3(codec);
    assert(c);
    bool yuv = strcmp(name, "png") != 0 && strcmp(name, "tiff") != 0;
    c->width = width;
    c->height = height;
    c->time_base = (AVRational){1, 25};
    c->framerate = (AVRational){25, 1};
    c->pix_fmt = !yuv                         ? AV_PIX_FMT_RGB24
                 : strcmp(name, "mjpeg") == 0 ? AV_PIX_FMT_YUVJ420P
                                              : AV_PIX_FMT_YUV420P;
    c->gop_size = 8;
    c->max_b_frames = b_frames;
    c->flags |= flags | AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;
    c->global_quality = 2 * FF_QP2LAMBDA;
    c->thread_count = 1;
    assert(avcodec_open2(c, codec, NULL) >= 0);
    return c;
}

static AVFrame *encoder_frame(const AVCodecContext *c, int seed) {
    AVFrame *f = av_frame_alloc();
    assert(f);
    f->format = c->pix_fmt;
    f->width = c->width;
    f->height = c->height;
    f->pts = seed;
    f->quality = c->global_quality;
    assert(av_frame_get_buffer(f, 0) >= 0);
    uint8_t *bgr = picture(c->width, c->height, seed);
    struct SwsContext *sws =
        sws_getContext(c->width, c->height, AV_PIX_FMT_BGR24, c->width, c->height, c->pix_fmt,
                       SWS_BILINEAR | SWS_ACCURATE_RND, NULL, NULL, NULL);
    assert(sws);
    sws_scale(sws, (const uint8_t *const[]){bgr}, (int[]){3 * c->width}, 0, c->height, f->data,
              f->linesize);
    sws_freeContext(sws);
    free(bgr);
    return f;
}

void fixture_encode(const char *path, const char *encoder, int width, int height, int seed) {
    AVCodecContext *c = open_encoder(encoder, width, height, 0, 0);
    AVFrame *f = encoder_frame(c, seed);
    AVPacket *p = av_packet_alloc();
    assert(p && avcodec_send_frame(c, f) >= 0 && avcodec_send_frame(c, NULL) >= 0 &&
           avcodec_receive_packet(c, p) >= 0);
    fixture_write(path, p->data, (size_t)p->size);
    av_packet_free(&p);
    av_frame_free(&f);
    avcodec_free_context(&c);
}

static void write_packets(AVFormatContext *out, AVCodecContext *c, AVPacket *p) {
    while (avcodec_receive_packet(c, p) >= 0) {
        av_packet_rescale_ts(p, c->time_base, out->streams[0]->time_base);
        p->duration = av_rescale_q(1, c->time_base, out->streams[0]->time_base);
        assert(av_interleaved_write_frame(out, p) >= 0);
    }
}

/* Leaves out every frame t with t % every == every / 2, unless every is 0. */
static void write_video(const char *path, const char *encoder, int width, int height, int frames,
                        int b_frames, int every) {
    AVFormatContext *out = NULL;
    assert(avformat_alloc_output_context2(&out, NULL, NULL, path) >= 0);
    out->flags |= AVFMT_FLAG_BITEXACT;
    bool global = out->oformat->flags & AVFMT_GLOBALHEADER;
    AVCodecContext *c =
        open_encoder(encoder, width, height, b_frames, global ? AV_CODEC_FLAG_GLOBAL_HEADER : 0);
    AVStream *s = avformat_new_stream(out, NULL);
    AVPacket *p = av_packet_alloc();
    assert(s && p && avcodec_parameters_from_context(s->codecpar, c) >= 0);
    s->time_base = c->time_base;
    s->avg_frame_rate = c->framerate;
    assert(avio_open(&out->pb, path, AVIO_FLAG_WRITE) >= 0);
    assert(avformat_write_header(out, NULL) >= 0);
    for (int t = 0; t < frames; t++) {
        if (every && t % every == every / 2)
            continue;
        AVFrame *f = encoder_frame(c, t);
        assert(avcodec_send_frame(c, f) >= 0);
        av_frame_free(&f);
        write_packets(out, c, p);
    }
    assert(avcodec_send_frame(c, NULL) >= 0);
    write_packets(out, c, p);
    assert(av_write_trailer(out) >= 0);
    avio_closep(&out->pb);
    av_packet_free(&p);
    avcodec_free_context(&c);
    avformat_free_context(out);
}

void fixture_video(const char *path, const char *encoder, int width, int height, int frames,
                   int b_frames) {
    write_video(path, encoder, width, height, frames, b_frames, 0);
}

void fixture_video_with_gaps(const char *path, const char *encoder, int width, int height,
                             int frames, int every) {
    write_video(path, encoder, width, height, frames, 0, every);
}

int fixture_set_up(void **state) {
    (void)state;
    fixture_begin();
    return 0;
}

int fixture_tear_down(void **state) {
    (void)state;
    fixture_end();
    return 0;
}
