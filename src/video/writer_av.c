#include "video/writer.h"

#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

struct VideoWriter {
    char *path;
    FileOut *file; /* FFmpeg opens its temporary file by name */
    AVFormatContext *format;
    AVCodecContext *codec;
    AVStream *stream;
    AVPacket *packet;
    AVFrame *frame;
    struct SwsContext *sws;
    uint8_t *even; /* the picture padded to even sides; used where a side is odd */
    int width, height;
    int64_t count;
    bool failed; /* a video with a failure is not published */
};

static int fail_av(const char *path, const char *what, int av_error) {
    char text[AV_ERROR_MAX_STRING_SIZE];
    return err_set(ERR_FAIL, "cannot write %s: %s: %s", path, what,
                   av_make_error_string(text, sizeof text, av_error));
}

static int check_size(const char *path, int width, int height) {
    if (width < 1 || height < 1 || width > 16384 || height > 16384)
        return err_set(ERR_FAIL,
                       "cannot write %s: a picture of %d x %d; sides of 1 to 16384 expected", path,
                       width, height);
    return 0;
}

/* H.264 comes first, because it plays everywhere. Every FFmpeg has MPEG-4 part 2. */
static int open_codec(VideoWriter *w, double fps) {
    const AVCodec *h264 = avcodec_find_encoder_by_name("libx264");
    const AVCodec *encoder = h264 ? h264 : avcodec_find_encoder(AV_CODEC_ID_MPEG4);
    if (!encoder)
        return AVERROR_ENCODER_NOT_FOUND;
    AVCodecContext *c = w->codec = avcodec_alloc_context3(encoder);
    if (!c)
        return AVERROR(ENOMEM);
    c->width = w->frame->width;
    c->height = w->frame->height;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->colorspace = AVCOL_SPC_SMPTE170M; /* the conversion below computes these */
    c->color_range = AVCOL_RANGE_MPEG;
    c->framerate = av_d2q(fps, 60000); /* MPEG-4 counts in 16 bits */
    c->time_base = av_inv_q(c->framerate);
    if (h264) {
        av_opt_set(c->priv_data, "preset", "veryfast", 0);
        av_opt_set(c->priv_data, "crf", "20", 0);
    } else {
        c->flags |= AV_CODEC_FLAG_QSCALE;
        c->global_quality = 3 * FF_QP2LAMBDA;
    }
    if (w->format->oformat->flags & AVFMT_GLOBALHEADER)
        c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    return avcodec_open2(c, encoder, NULL);
}

static int open_format(VideoWriter *w) {
    w->stream = avformat_new_stream(w->format, NULL);
    if (!w->stream)
        return AVERROR(ENOMEM);
    w->stream->time_base = w->codec->time_base;
    w->stream->avg_frame_rate = w->codec->framerate;
    int rc = avcodec_parameters_from_context(w->stream->codecpar, w->codec);
    AVDictionary *options = NULL;
    av_dict_set(&options, "movflags", "+faststart", 0); /* plays while it loads */
    if (rc >= 0)
        rc = avformat_write_header(w->format, &options);
    av_dict_free(&options);
    return rc;
}

/* Puts a protocol before the name, so that FFmpeg does not take the text before a colon for one. */
static int open_file(VideoWriter *w) {
    char *url = mem_printf("file:%s", file_temp_name(w->file));
    int rc = url ? avformat_alloc_output_context2(&w->format, NULL, "mp4", url) : AVERROR(ENOMEM);
    if (rc >= 0)
        rc = avio_open(&w->format->pb, url, AVIO_FLAG_WRITE);
    mem_free(url);
    return rc;
}

static int open_parts(VideoWriter *w, const char *path, double fps) {
    w->path = mem_printf("%s", path);
    w->frame = av_frame_alloc();
    w->packet = av_packet_alloc();
    if (!w->path || !w->frame || !w->packet)
        return err_set(ERR_FAIL, "cannot write %s: out of memory", path);
    int width = w->frame->width = (w->width + 1) & ~1;
    int height = w->frame->height = (w->height + 1) & ~1;
    w->frame->format = AV_PIX_FMT_YUV420P;
    if ((width != w->width || height != w->height) &&
        !(w->even = mem_alloc((size_t)width * (size_t)height, 3)))
        return ERR_FAIL;
    int rc = file_create(&w->file, path);
    if (rc)
        return rc;
    if ((rc = open_file(w)) < 0)
        return fail_av(path, "opening", rc);
    if ((rc = av_frame_get_buffer(w->frame, 0)) < 0 || (rc = open_codec(w, fps)) < 0)
        return fail_av(path, "the encoder", rc);
    w->sws = sws_getContext(width, height, AV_PIX_FMT_BGR24, width, height, AV_PIX_FMT_YUV420P,
                            SWS_BILINEAR | SWS_ACCURATE_RND, NULL, NULL, NULL);
    if (!w->sws)
        return fail_av(path, "the conversion", AVERROR(ENOMEM));
    rc = open_format(w);
    return rc < 0 ? fail_av(path, "the header", rc) : 0;
}

int video_writer_open(VideoWriter **out, const char *path, int width, int height, double fps) {
    if (!file_has_extension(path, "mp4"))
        return err_set(ERR_FAIL, "cannot write %s: videos are written as MP4; name it NAME.mp4",
                       path);
    if (!(fps >= 0.01 && fps <= 1000))
        return err_set(ERR_FAIL, "cannot write %s: %g frames a second; 0.01 to 1000 expected", path,
                       fps);
    int code = check_size(path, width, height);
    if (code)
        return code;
    av_log_set_level(AV_LOG_QUIET);
    VideoWriter *w = mem_alloc(1, sizeof *w);
    if (!w)
        return ERR_FAIL;
    w->width = width;
    w->height = height;
    code = open_parts(w, path, fps);
    if (code)
        video_writer_free(&w);
    else
        *out = w;
    return code;
}

/* Repeats the last column and row where a side is odd. */
static const uint8_t *pad(VideoWriter *w, const uint8_t *bgr) {
    size_t row = 3 * (size_t)w->width, even_row = 3 * (size_t)w->frame->width;
    for (int y = 0; y < w->frame->height; y++) {
        const uint8_t *from = bgr + row * (size_t)(y < w->height ? y : w->height - 1);
        uint8_t *to = w->even + even_row * (size_t)y;
        memcpy(to, from, row);
        memcpy(to + even_row - 3, from + row - 3, 3);
    }
    return w->even;
}

/* Sends a frame to the encoder (NULL: the end) and writes the packets it returns to the file. */
static int encode(VideoWriter *w, const AVFrame *frame) {
    int rc = avcodec_send_frame(w->codec, frame);
    while (rc >= 0) {
        rc = avcodec_receive_packet(w->codec, w->packet);
        if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF)
            return 0;
        if (rc < 0)
            break;
        if (!w->packet->duration)
            w->packet->duration = 1;
        av_packet_rescale_ts(w->packet, w->codec->time_base, w->stream->time_base);
        w->packet->stream_index = w->stream->index;
        rc = av_interleaved_write_frame(w->format, w->packet);
        if (rc >= 0)
            rc = w->format->pb->error;
    }
    return rc;
}

int video_writer_add(VideoWriter *w, const uint8_t *bgr) {
    int rc = av_frame_make_writable(w->frame);
    if (rc >= 0) {
        const uint8_t *planes[1] = {w->even ? pad(w, bgr) : bgr};
        const int strides[1] = {3 * w->frame->width};
        sws_scale(w->sws, planes, strides, 0, w->frame->height, w->frame->data, w->frame->linesize);
        w->frame->pts = w->count++;
        rc = encode(w, w->frame);
    }
    if (rc >= 0)
        return 0;
    w->failed = true;
    return fail_av(w->path, "a frame", rc);
}

/* Finishes the file, syncs it and gives it its name. */
static int publish(VideoWriter *w) {
    if (w->failed || !w->count)
        return err_set(ERR_FAIL, "cannot write %s: %s", w->path,
                       w->failed ? "a frame before failed" : "it got no frame");
    int rc = encode(w, NULL);
    if (rc >= 0)
        rc = av_write_trailer(w->format);
    if (rc >= 0)
        rc = w->format->pb->error;
    int closed = avio_closep(&w->format->pb);
    if (rc >= 0)
        rc = closed;
    if (rc < 0)
        return fail_av(w->path, "the end", rc);
    return file_commit(&w->file);
}

int video_writer_close(VideoWriter **w) {
    int code = publish(*w);
    video_writer_free(w);
    return code;
}

void video_writer_free(VideoWriter **out) {
    if (!out || !*out)
        return;
    VideoWriter *w = *out;
    if (w->format)
        avio_closep(&w->format->pb);
    file_discard(&w->file);
    avformat_free_context(w->format);
    avcodec_free_context(&w->codec);
    av_packet_free(&w->packet);
    av_frame_free(&w->frame);
    sws_freeContext(w->sws);
    mem_free(w->even);
    mem_free(w->path);
    mem_free(w);
    *out = NULL;
}
