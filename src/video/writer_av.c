#include "video/writer.h"

#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

#include "base/err.h"
#include "base/file.h"
#include "base/live_file.h"
#include "base/mem.h"
#include "video/ffmpeg.h"
#include "video/ticks.h"

enum {
    FRAGMENT_SECONDS = 2,
    MPEG4_GAP = 3600, /* seconds from one picture to the next that FFmpeg's encoder can write */
    MP4_GAP = 1 << 30 /* ticks that the container can write */
};

struct VideoWriter {
    char *path;
    VideoWriterOptions options;
    FileOut *file;  /* FFmpeg opens its temporary file by name; NULL where live */
    LiveFile *live; /* gets what FFmpeg wrote to memory; NULL where not live */
    AVFormatContext *format;
    AVCodecContext *codec;
    AVStream *stream;
    AVPacket *packet, *held; /* the newest, and the one before, whose duration it tells */
    AVFrame *frame;          /* the last picture */
    struct SwsContext *sws;
    uint8_t *even; /* the picture padded to even sides; used where a side is odd */
    Ticks ticks;
    int64_t longest;   /* ticks that one picture may be shown */
    int64_t shown;     /* tick of the newest packet */
    int64_t distance;  /* ticks from the packet before to it; INT64_MAX where there is none */
    int64_t lasts;     /* ticks that it is expected to be shown */
    int64_t fragment;  /* tick of the fragment's first picture; AV_NOPTS_VALUE where it has none */
    int64_t packets;   /* so far */
    int64_t fragments; /* that are whole so far */
    bool failed;       /* nothing may follow a failure */
};

static int fail_av(const VideoWriter *w, const char *what, int av_error) {
    return err_set(ERR_FAIL, "cannot write %s: %s: %s", w->path, what, ffmpeg_text(av_error));
}

/* ---- opening ---- */

/* A picture of the usual rate lasts a whole number of ticks, of which a second has 10000 to 60000:
 * MPEG-4 counts in 16 bits. */
static void set_rate(AVCodecContext *c, Ticks *ticks, double fps) {
    enum { FINE = 10000, MOST = 60000 };
    c->framerate = av_d2q(fps >= 0.01 && fps <= 1000 ? fps : 25, MOST);
    int times = (FINE + c->framerate.num - 1) / c->framerate.num;
    c->time_base = (AVRational){1, c->framerate.num * times};
    ticks->scale = c->time_base.den;
    ticks->frame = (int64_t)c->framerate.den * times;
}

/* Encoders and players take no larger numbers than 255. */
static AVRational aspect(double shape) {
    AVRational a = shape > 0 ? av_d2q(shape, 255) : (AVRational){0, 1};
    return a.num > 0 && a.den > 0 ? a : (AVRational){0, 1};
}

static void set_h264(AVCodecContext *c, bool live) {
    av_opt_set(c->priv_data, "preset", "veryfast", 0);
    av_opt_set(c->priv_data, "crf", "20", 0);
    if (live)
        av_opt_set(c->priv_data, "tune", "zerolatency", 0); /* a picture's packet comes at once */
}

/* H.264 comes first, because it plays everywhere. Every FFmpeg has MPEG-4 part 2. No picture is
 * predicted from a later one: the container could not tell their order over a long gap. */
static int open_codec(VideoWriter *w) {
    const AVCodec *h264 = avcodec_find_encoder_by_name("libx264");
    const AVCodec *encoder = h264 ? h264 : avcodec_find_encoder(AV_CODEC_ID_MPEG4);
    if (!encoder)
        return AVERROR_ENCODER_NOT_FOUND;
    AVCodecContext *c = w->codec = avcodec_alloc_context3(encoder);
    if (!c)
        return AVERROR(ENOMEM);
    c->width = w->frame->width;
    c->height = w->frame->height;
    c->sample_aspect_ratio = w->frame->sample_aspect_ratio = aspect(w->options.aspect);
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->colorspace = AVCOL_SPC_SMPTE170M; /* the conversion below computes these */
    c->color_range = AVCOL_RANGE_MPEG;
    c->max_b_frames = 0;
    set_rate(c, &w->ticks, w->options.fps);
    w->longest = h264 ? MP4_GAP : MPEG4_GAP * w->ticks.scale;
    if (h264) {
        set_h264(c, w->options.live);
    } else {
        c->flags |= AV_CODEC_FLAG_QSCALE;
        c->global_quality = 3 * FF_QP2LAMBDA;
    }
    if (w->format->oformat->flags & AVFMT_GLOBALHEADER)
        c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    return avcodec_open2(c, encoder, NULL);
}

/* The index at the front lets a file play while it loads. In a live file each fragment has its own;
 * the index of fragments, which would grow in memory, is left out. */
static int open_format(VideoWriter *w) {
    w->stream = avformat_new_stream(w->format, NULL);
    if (!w->stream)
        return AVERROR(ENOMEM);
    w->stream->time_base = w->codec->time_base;
    w->stream->avg_frame_rate = w->codec->framerate;
    w->stream->sample_aspect_ratio = w->codec->sample_aspect_ratio;
    int rc = avcodec_parameters_from_context(w->stream->codecpar, w->codec);
    AVDictionary *options = NULL;
    av_dict_set(&options, "movflags",
                w->live ? "+frag_custom+empty_moov+default_base_moof+skip_trailer" : "+faststart",
                0);
    if (rc >= 0)
        rc = avformat_write_header(w->format, &options);
    av_dict_free(&options);
    return rc;
}

/* Puts a protocol before the name, so that FFmpeg does not take the text before a colon for one. */
static int open_output(VideoWriter *w) {
    if (w->live) {
        int rc = avformat_alloc_output_context2(&w->format, NULL, "mp4", NULL);
        return rc < 0 ? rc : avio_open_dyn_buf(&w->format->pb);
    }
    char *url = mem_printf("file:%s", file_temp_name(w->file));
    int rc = url ? avformat_alloc_output_context2(&w->format, NULL, "mp4", url) : AVERROR(ENOMEM);
    if (rc >= 0)
        rc = avio_open(&w->format->pb, url, AVIO_FLAG_WRITE);
    mem_free(url);
    return rc;
}

static int open_picture(VideoWriter *w) {
    const VideoWriterOptions *o = &w->options;
    w->frame = av_frame_alloc();
    w->packet = av_packet_alloc();
    w->held = av_packet_alloc();
    if (!w->frame || !w->packet || !w->held)
        return AVERROR(ENOMEM);
    int width = w->frame->width = (o->width + 1) & ~1;
    int height = w->frame->height = (o->height + 1) & ~1;
    w->frame->format = AV_PIX_FMT_YUV420P;
    if ((width != o->width || height != o->height) &&
        !(w->even = mem_alloc((size_t)width * (size_t)height, 3)))
        return AVERROR(ENOMEM);
    w->sws = sws_getContext(width, height, AV_PIX_FMT_BGR24, width, height, AV_PIX_FMT_YUV420P,
                            SWS_BILINEAR | SWS_ACCURATE_RND, NULL, NULL, NULL);
    return w->sws ? av_frame_get_buffer(w->frame, 0) : AVERROR(ENOMEM);
}

static int open_parts(VideoWriter *w, const char *path) {
    w->path = mem_printf("%s", path);
    if (!w->path)
        return ERR_FAIL;
    int rc = w->options.live ? live_file_create(&w->live, path) : file_create(&w->file, path);
    if (rc)
        return rc;
    if ((rc = open_output(w)) < 0)
        return fail_av(w, "opening", rc);
    if ((rc = open_picture(w)) < 0)
        return fail_av(w, "a picture", rc);
    if ((rc = open_codec(w)) < 0)
        return fail_av(w, "the encoder", rc);
    rc = open_format(w);
    return rc < 0 ? fail_av(w, "the header", rc) : 0;
}

int video_writer_open(VideoWriter **out, const char *path, const VideoWriterOptions *options) {
    int width = options->width, height = options->height;
    if (!file_has_extension(path, "mp4"))
        return err_set(ERR_FAIL, "cannot write %s: videos are written as MP4; name it NAME.mp4",
                       path);
    if (width < 1 || height < 1 || width > 16384 || height > 16384)
        return err_set(ERR_FAIL,
                       "cannot write %s: a picture of %d x %d; sides of 1 to 16384 expected", path,
                       width, height);
    ffmpeg_start();
    VideoWriter *w = mem_alloc(1, sizeof *w);
    if (!w)
        return ERR_FAIL;
    w->options = *options;
    w->distance = INT64_MAX;
    w->fragment = AV_NOPTS_VALUE;
    int code = open_parts(w, path);
    if (code)
        video_writer_free(&w);
    else
        *out = w;
    return code;
}

/* ---- pictures ---- */

/* Repeats the last column and row where a side is odd. */
static const uint8_t *pad(VideoWriter *w, const uint8_t *bgr) {
    int width = w->options.width, height = w->options.height;
    size_t row = 3 * (size_t)width, even_row = 3 * (size_t)w->frame->width;
    for (int y = 0; y < w->frame->height; y++) {
        const uint8_t *from = bgr + row * (size_t)(y < height ? y : height - 1);
        uint8_t *to = w->even + even_row * (size_t)y;
        memcpy(to, from, row);
        memcpy(to + even_row - 3, from + row - 3, 3);
    }
    return w->even;
}

/* Converts into w->frame, which the encoder may still read. */
static int convert(VideoWriter *w, const uint8_t *bgr) {
    int rc = av_frame_make_writable(w->frame);
    if (rc < 0)
        return fail_av(w, "a frame", rc);
    const uint8_t *planes[1] = {w->even ? pad(w, bgr) : bgr};
    const int strides[1] = {3 * w->frame->width};
    sws_scale(w->sws, planes, strides, 0, w->frame->height, w->frame->data, w->frame->linesize);
    return 0;
}

/* Writes the packet that was kept back until its duration was known. */
static int write_held(VideoWriter *w, int64_t duration) {
    AVPacket *p = w->held;
    if (!p->size)
        return 0;
    p->duration = duration;
    p->stream_index = w->stream->index;
    av_packet_rescale_ts(p, w->codec->time_base, w->stream->time_base);
    int rc = av_write_frame(w->format, p);
    av_packet_unref(p);
    return rc < 0 ? rc : w->format->pb->error;
}

/* A picture lasts until the next one comes. For the last one this is a guess by the two distances
 * before: a pause of the source does not last. */
static int take_packet(VideoWriter *w) {
    int64_t distance = w->packets++ ? w->packet->pts - w->shown : INT64_MAX;
    int64_t shorter = distance < w->distance ? distance : w->distance;
    int rc = write_held(w, distance);
    w->lasts = shorter < INT64_MAX ? shorter : w->ticks.frame;
    w->distance = distance;
    w->shown = w->packet->pts;
    av_packet_move_ref(w->held, w->packet);
    return rc;
}

/* Sends a frame to the encoder (NULL: the end) and takes the packets it returns. */
static int encode(VideoWriter *w, const AVFrame *frame) {
    int rc = avcodec_send_frame(w->codec, frame);
    while (rc >= 0) {
        rc = avcodec_receive_packet(w->codec, w->packet);
        if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF)
            return 0;
        if (rc >= 0)
            rc = take_packet(w);
    }
    return fail_av(w, frame ? "a frame" : "the end", rc);
}

/* Appends to the live file what FFmpeg wrote to memory. */
static int append(VideoWriter *w) {
    uint8_t *data = NULL;
    int bytes = avio_close_dyn_buf(w->format->pb, &data);
    w->format->pb = NULL;
    int code = bytes > 0 ? live_file_append(w->live, data, (size_t)bytes) : 0;
    av_free(data);
    if (code)
        return code;
    int rc = avio_open_dyn_buf(&w->format->pb);
    return rc < 0 ? fail_av(w, "a fragment", rc) : 0;
}

/* Ends the fragment, whose last picture lasts so many ticks or more. The next picture begins
 * another one, at its own time. */
static int end_fragment(VideoWriter *w, int64_t duration) {
    int rc = write_held(w, duration);
    if (rc >= 0)
        rc = av_write_frame(w->format, NULL);
    if (rc >= 0)
        rc = av_opt_set(w->format->priv_data, "movflags", "+frag_discont", 0);
    if (rc < 0)
        return fail_av(w, "a fragment", rc);
    w->fragment = AV_NOPTS_VALUE;
    w->fragments++;
    return append(w);
}

/* Whether the picture after the one of this tick would be too late for the fragment. */
static bool is_fragment_full(const VideoWriter *w, int64_t tick) {
    return w->fragment != AV_NOPTS_VALUE &&
           tick + w->lasts - w->fragment > FRAGMENT_SECONDS * w->ticks.scale;
}

/* Begins a fragment where that is due, with a key frame. */
static int begin_fragment(VideoWriter *w, int64_t tick) {
    int code = is_fragment_full(w, tick) ? end_fragment(w, tick - w->shown) : 0;
    bool first = w->fragment == AV_NOPTS_VALUE;
    w->frame->pict_type = first ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    if (first)
        w->fragment = tick;
    return code;
}

/* The first picture does not wait for others, so that the file is there. Nor does one of a slow
 * source. A tick is the longest duration that is sure not to reach beyond the next picture. */
static int hurry_fragment(VideoWriter *w) {
    bool slow = w->lasts > FRAGMENT_SECONDS * w->ticks.scale;
    return slow || !w->fragments ? end_fragment(w, 1) : 0;
}

/* Shows w->frame from a tick on. */
static int show(VideoWriter *w, int64_t tick) {
    int code = w->live ? begin_fragment(w, tick) : 0;
    w->frame->pts = tick;
    if (!code)
        code = encode(w, w->frame);
    return !code && w->live ? hurry_fragment(w) : code;
}

/* Repeats the last picture up to a tick, so that none is shown for longer than can be written. */
static int bridge(VideoWriter *w, int64_t from, int64_t to) {
    int code = 0;
    while (!code && to - from > w->longest)
        code = show(w, from += w->longest);
    return code;
}

static int fail_before(const VideoWriter *w) {
    return err_set(ERR_FAIL, "cannot write %s: a frame before failed", w->path);
}

int video_writer_add(VideoWriter *w, const uint8_t *bgr, double seconds) {
    if (w->failed)
        return fail_before(w);
    int64_t before = w->ticks.last, tick = ticks_next(&w->ticks, seconds);
    int code = bridge(w, before, tick);
    if (!code)
        code = convert(w, bgr);
    if (!code)
        code = show(w, tick);
    w->failed |= code != 0;
    return code;
}

/* ---- the end ---- */

static int finish_file(VideoWriter *w) {
    int rc = w->format->pb->error;
    int closed = avio_closep(&w->format->pb);
    if (rc >= 0)
        rc = closed;
    return rc < 0 ? fail_av(w, "the end", rc) : file_commit(&w->file);
}

static int finish_live(VideoWriter *w) {
    int code = append(w);
    return code ? code : live_file_close(&w->live);
}

static int finish(VideoWriter *w) {
    if (w->failed)
        return fail_before(w);
    if (!w->ticks.begun)
        return err_set(ERR_FAIL, "cannot write %s: it got no frame", w->path);
    int code = encode(w, NULL);
    if (code)
        return code;
    int rc = write_held(w, w->lasts);
    if (rc >= 0)
        rc = av_write_trailer(w->format);
    if (rc < 0)
        return fail_av(w, "the end", rc);
    return w->live ? finish_live(w) : finish_file(w);
}

int video_writer_close(VideoWriter **w) {
    int code = finish(*w);
    video_writer_free(w);
    return code;
}

/* Closes FFmpeg's output, a file or memory. */
static void close_output(VideoWriter *w) {
    uint8_t *data = NULL;
    if (!w->options.live)
        avio_closep(&w->format->pb);
    else if (w->format->pb)
        avio_close_dyn_buf(w->format->pb, &data);
    av_free(data);
}

void video_writer_free(VideoWriter **out) {
    if (!out || !*out)
        return;
    VideoWriter *w = *out;
    if (w->format)
        close_output(w);
    file_discard(&w->file);
    live_file_free(&w->live);
    avformat_free_context(w->format);
    avcodec_free_context(&w->codec);
    av_packet_free(&w->packet);
    av_packet_free(&w->held);
    av_frame_free(&w->frame);
    sws_freeContext(w->sws);
    mem_free(w->even);
    mem_free(w->path);
    mem_free(w);
    *out = NULL;
}
