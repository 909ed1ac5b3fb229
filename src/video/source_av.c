#include "video/source_av.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavdevice/avdevice.h>
#include <libavformat/avformat.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "video/bytes.h"
#include "video/yuv.h"

enum { MAX_IMAGE_BYTES = 256 << 20 };
static const double TIMEOUT = 10; /* seconds without a byte until a live source counts as gone */

static void set_up(void) {
    av_log_set_level(AV_LOG_QUIET);
    avdevice_register_all();
}

static void set_up_once(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up);
}

static const char *text_of(int av_error) {
    static _Thread_local char text[AV_ERROR_MAX_STRING_SIZE];
    return av_make_error_string(text, sizeof text, av_error);
}

/* ---- pixels ---- */

/* The deprecated yuvj formats are the plain ones with full range. */
static enum AVPixelFormat plain_format(enum AVPixelFormat format, bool *full) {
    static const enum AVPixelFormat pair[][2] = {{AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P},
                                                 {AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV422P},
                                                 {AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUV444P},
                                                 {AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUV440P},
                                                 {AV_PIX_FMT_YUVJ411P, AV_PIX_FMT_YUV411P}};
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
        if (format == pair[i][0]) {
            *full = true;
            return pair[i][1];
        }
    return format;
}

static int to_bgr(struct SwsContext **sws, Frame *f, const AVFrame *in) {
    int code = frame_reserve(f, in->width, in->height);
    if (code)
        return code;
    bool grey = av_pix_fmt_desc_get(in->format)->nb_components < 3; /* TIFF's has no range */
    bool full =
        in->color_range == AVCOL_RANGE_JPEG || (grey && in->color_range == AVCOL_RANGE_UNSPECIFIED);
    enum AVPixelFormat format = plain_format(in->format, &full);
    *sws = sws_getCachedContext(
        *sws, in->width, in->height, format, in->width, in->height, AV_PIX_FMT_BGR24,
        SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INP | SWS_FULL_CHR_H_INT,
        NULL, NULL, NULL);
    if (!*sws)
        return err_set(ERR_FAIL, "pixel format %s cannot be converted to BGR",
                       av_get_pix_fmt_name(in->format));
    /* Fails for formats without a colour matrix, where nothing needs to be set. */
    sws_setColorspaceDetails(*sws, sws_getCoefficients(in->colorspace), full,
                             sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
    uint8_t *plane[4] = {f->data};
    int stride[4] = {3 * in->width};
    sws_scale(*sws, (const uint8_t *const *)in->data, in->linesize, 0, in->height, plane, stride);
    return 0;
}

static bool is_damaged(const AVFrame *f) {
    return f->decode_error_flags || (f->flags & AV_FRAME_FLAG_CORRUPT);
}

/* ---- single pictures ---- */

struct ImageDecoder {
    AVCodecContext *codec; /* of the last file's kind */
    AVFrame *frame;
    AVPacket *packet; /* points into bytes */
    struct SwsContext *sws;
    Bytes bytes;
};

_Static_assert(BYTES_PADDING >= AV_INPUT_BUFFER_PADDING_SIZE, "decoders read beyond the content");

int image_decoder_open(ImageDecoder **out) {
    set_up_once();
    ImageDecoder *d = mem_alloc(1, sizeof *d);
    if (!d)
        return ERR_FAIL;
    d->frame = av_frame_alloc();
    d->packet = av_packet_alloc();
    if (!d->frame || !d->packet) {
        image_decoder_free(&d);
        return err_set(ERR_FAIL, "out of memory: no picture decoder");
    }
    *out = d;
    return 0;
}

void image_decoder_free(ImageDecoder **out) {
    ImageDecoder *d = *out;
    if (!d)
        return;
    avcodec_free_context(&d->codec);
    av_frame_free(&d->frame);
    av_packet_free(&d->packet);
    sws_freeContext(d->sws);
    bytes_free(&d->bytes);
    mem_free(d);
    *out = NULL;
}

static enum AVCodecID codec_of(const uint8_t *p, int64_t n) {
    if (n >= 3 && memcmp(p, "\xff\xd8\xff", 3) == 0)
        return AV_CODEC_ID_MJPEG;
    if (n >= 4 && memcmp(p, "\x89PNG", 4) == 0)
        return AV_CODEC_ID_PNG;
    if (n >= 4 && (memcmp(p, "II*\0", 4) == 0 || memcmp(p, "MM\0*", 4) == 0))
        return AV_CODEC_ID_TIFF;
    return n >= 2 && memcmp(p, "BM", 2) == 0 ? AV_CODEC_ID_BMP : AV_CODEC_ID_NONE;
}

/* The decoder emulates a missing end of image, which hides a file cut short by a few bytes. */
static bool jpeg_is_complete(const uint8_t *p, int64_t n) {
    for (int64_t i = n - 2; i >= 0; i--)
        if (p[i] == 0xff && (p[i + 1] == 0xd9 || p[i + 1] == 0xda))
            return p[i + 1] == 0xd9; /* the end after the last start of scan */
    return false;
}

static int use_codec(ImageDecoder *d, enum AVCodecID id) {
    if (d->codec && d->codec->codec_id == id)
        return 0;
    const AVCodec *codec = avcodec_find_decoder(id);
    avcodec_free_context(&d->codec);
    d->codec = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!d->codec)
        return err_set(ERR_FAIL, "this FFmpeg has no decoder for %s", avcodec_get_name(id));
    d->codec->thread_count = 1;
    d->codec->err_recognition = AV_EF_CRCCHECK;
    if (id != AV_CODEC_ID_TIFF) /* there it refuses harmless tags; strips are checked anyway */
        d->codec->err_recognition |= AV_EF_EXPLODE;
    int e = avcodec_open2(d->codec, codec, NULL);
    if (e < 0) {
        avcodec_free_context(&d->codec);
        return err_set(ERR_FAIL, "the decoder for %s does not start: %s", avcodec_get_name(id),
                       text_of(e));
    }
    return 0;
}

static int picture_to_bgr(ImageDecoder *d, Frame *f) {
    const AVFrame *in = d->frame;
    if (in->format != AV_PIX_FMT_YUVJ420P)
        return to_bgr(&d->sws, f, in);
    int code = frame_reserve(f, in->width, in->height);
    if (!code)
        yuv420_to_bgr(f->data, (const uint8_t *const *)in->data, in->linesize, in->width,
                      in->height);
    return code;
}

int image_decoder_read(ImageDecoder *d, const char *path, Frame *f) {
    int code = bytes_read(&d->bytes, path, MAX_IMAGE_BYTES);
    if (code)
        return code;
    int64_t n = d->bytes.count;
    enum AVCodecID id = codec_of(d->bytes.data, n);
    if (id == AV_CODEC_ID_NONE)
        return err_set(ERR_FAIL, "%s: not a JPEG, PNG, BMP or TIFF picture", path);
    if ((code = use_codec(d, id)))
        return err_context(code, "%s", path);
    if (id == AV_CODEC_ID_MJPEG && !jpeg_is_complete(d->bytes.data, n))
        return err_set(ERR_FAIL,
                       "%s: the JPEG file is cut short (no end of image in its %lld bytes); copy "
                       "it again",
                       path, (long long)n);
    d->packet->data = d->bytes.data;
    d->packet->size = (int)n;
    d->packet->flags = AV_PKT_FLAG_KEY;
    int e = avcodec_send_packet(d->codec, d->packet);
    if (e >= 0)
        e = avcodec_receive_frame(d->codec, d->frame);
    if (e >= 0 && is_damaged(d->frame))
        e = AVERROR_INVALIDDATA;
    if (e < 0) {
        avcodec_free_context(&d->codec); /* no state of a damaged file may reach the next */
        return err_set(ERR_FAIL, "%s: the picture is damaged or cut short (%s); copy it again",
                       path, text_of(e));
    }
    code = picture_to_bgr(d, f);
    av_frame_unref(d->frame);
    return code ? err_context(code, "%s", path) : 0;
}

/* ---- streams ---- */

struct Stream {
    char *url;
    const char *name; /* for messages, borrowed */
    bool live;
    AVFormatContext *format;
    AVCodecContext *codec;
    AVStream *video; /* borrowed from format */
    AVFrame *frame;
    AVPacket *packet;
    struct SwsContext *sws;
    double deadline;   /* of the running I/O call, on the monotonic clock; 0: none */
    int64_t announced; /* frames by the container; -1 unknown */
    int64_t next;      /* position of the next frame */
    bool damaged;      /* a packet was lost since the last frame */
    bool draining;     /* the file is read; the decoder still holds frames */
    bool held;         /* `frame` was decoded while seeking and is the next one */
    bool wait_key;     /* packets before the next key frame are dropped */
    bool lost;         /* something failed: the place in the file is not that of `next` */
    bool indexed;      /* the rest is known */
    int64_t *pts;      /* of every frame in order of presentation; none where they do not tell */
    int64_t *key;      /* of frames where decoding can start, ascending */
    int64_t frames, keys;
};

static int interrupted(void *ctx) {
    const Stream *s = ctx;
    return stop_requested() || (s->deadline > 0 && clock_seconds() > s->deadline);
}

static void arm(Stream *s) {
    s->deadline = s->live ? clock_seconds() + TIMEOUT : 0;
}

static int fail(const Stream *s, int e, const char *doing) {
    if (stop_requested())
        return err_set(ERR_STOPPED, "%s: stopped", s->name);
    if (e == AVERROR_EXIT)
        return err_set(ERR_FAIL, "%s: %s timed out after %.0f s; is the camera or server up?",
                       s->name, doing, TIMEOUT);
    return err_set(ERR_FAIL, "%s: %s failed: %s", s->name, doing, text_of(e));
}

static int open_input(Stream *s) {
    const char *url = s->url;
    bool camera = s->live && !strstr(url, "://");
    const AVInputFormat *v4l2 = camera ? av_find_input_format("v4l2") : NULL;
    AVDictionary *options = NULL;
    if (s->live && !camera) {
        av_dict_set(&options, "rtsp_transport", "tcp", 0); /* UDP loses packets: grey smear */
        av_dict_set_int(&options, "timeout", (int64_t)(TIMEOUT * 1e6), 0);
    }
    s->format = avformat_alloc_context();
    if (!s->format) {
        av_dict_free(&options);
        return err_set(ERR_FAIL, "out of memory: no demuxer");
    }
    s->format->interrupt_callback = (AVIOInterruptCB){interrupted, s};
    arm(s);
    int e = avformat_open_input(&s->format, url, v4l2, &options);
    av_dict_free(&options);
    if (e == AVERROR_INVALIDDATA && !s->live)
        return err_set(
            ERR_FAIL,
            "%s: not a video that FFmpeg can read, or cut short; expected a video file, a "
            "picture or a folder of numbered pictures",
            s->name);
    if (e < 0)
        return fail(s, e, "opening");
    arm(s);
    e = avformat_find_stream_info(s->format, NULL);
    return e < 0 ? fail(s, e, "reading the header") : 0;
}

static int open_codec(Stream *s) {
    const AVCodec *codec = NULL;
    int i = av_find_best_stream(s->format, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
    if (i == AVERROR_DECODER_NOT_FOUND)
        return err_set(ERR_FAIL, "%s: this FFmpeg cannot decode its video", s->name);
    if (i < 0)
        return err_set(ERR_FAIL, "%s: there is no video in it", s->name);
    s->video = s->format->streams[i];
    for (unsigned k = 0; k < s->format->nb_streams; k++)
        if (k != (unsigned)i)
            s->format->streams[k]->discard = AVDISCARD_ALL;
    const AVCodecDescriptor *kind = avcodec_descriptor_get(codec->id);
    s->codec = avcodec_alloc_context3(codec);
    s->frame = av_frame_alloc();
    s->packet = av_packet_alloc();
    if (!s->codec || !s->frame || !s->packet)
        return err_set(ERR_FAIL, "out of memory: no video decoder");
    int e = avcodec_parameters_to_context(s->codec, s->video->codecpar);
    s->codec->pkt_timebase = s->video->time_base;
    s->codec->thread_count = 1; /* callers decode ahead in threads of their own */
    /* Where frames stand alone a damaged one is dropped; else concealed, and flagged. */
    if (kind && kind->props & AV_CODEC_PROP_INTRA_ONLY)
        s->codec->err_recognition = AV_EF_EXPLODE;
    if (e >= 0)
        e = avcodec_open2(s->codec, codec, NULL);
    if (e < 0)
        return fail(s, e, "starting the decoder");
    if (s->codec->width <= 0 || s->codec->height <= 0)
        return err_set(ERR_FAIL, "%s: the size of its pictures is not known; is it a video?",
                       s->name);
    return 0;
}

/* What the container announces, less the frames that an edit list of it hides and those that an AVI
 * has as empty chunks, which show nothing. FFmpeg's index leaves the latter out, but counts them in
 * its timestamps; of an MP4's hidden frames it flags some and leaves others out. Empty chunks after
 * the last frame are not told from a cut. */
static int64_t count_announced(const Stream *s) {
    if (s->live || s->video->nb_frames <= 0)
        return -1;
    bool avi = strcmp(s->format->iformat->name, "avi") == 0;
    bool mov = strncmp(s->format->iformat->name, "mov,", 4) == 0;
    int entries = avformat_index_get_entries_count(s->video);
    int64_t n = mov && entries > 0 ? entries : s->video->nb_frames, next = 0;
    for (int i = 0; i < entries; i++) {
        const AVIndexEntry *e = avformat_index_get_entry(s->video, i);
        n -= (e->flags & AVINDEX_DISCARD_FRAME) != 0;
        n -= avi ? e->timestamp - next : 0;
        next = e->timestamp + 1;
    }
    return n > 0 ? n : -1;
}

int stream_open(Stream **out, const char *url, const char *name, bool live, SourceInfo *info) {
    set_up_once();
    Stream *s = mem_alloc(1, sizeof *s);
    if (!s)
        return ERR_FAIL;
    s->name = name;
    s->live = live;
    /* FFmpeg takes what stands before a colon for a protocol. */
    s->url = mem_printf("%s%s", live ? "" : "file:", url);
    int code = s->url ? open_input(s) : ERR_FAIL;
    if (!code)
        code = open_codec(s);
    if (code) {
        stream_free(&s);
        return code;
    }
    AVRational rate = av_guess_frame_rate(s->format, s->video, NULL);
    s->announced = count_announced(s);
    *info = (SourceInfo){s->codec->width, s->codec->height, s->announced,
                         rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0, live};
    *out = s;
    return 0;
}

static void close_input(Stream *s) {
    arm(s); /* closing an RTSP session talks to the server */
    avcodec_free_context(&s->codec);
    avformat_close_input(&s->format);
    av_frame_free(&s->frame);
    av_packet_free(&s->packet);
}

void stream_free(Stream **out) {
    Stream *s = *out;
    if (!s)
        return;
    close_input(s);
    sws_freeContext(s->sws);
    mem_free(s->pts);
    mem_free(s->key);
    mem_free(s->url);
    mem_free(s);
    *out = NULL;
}

/* The next packet of the video into s->packet: 0, or FFmpeg's error. */
static int next_packet(Stream *s) {
    for (;;) {
        arm(s);
        int e = av_read_frame(s->format, s->packet);
        bool ours = e >= 0 && s->packet->stream_index == s->video->index;
        s->wait_key &= !(ours && s->packet->flags & AV_PKT_FLAG_KEY);
        if (e < 0 || (ours && !s->wait_key))
            return e;
        av_packet_unref(s->packet);
    }
}

static int feed(Stream *s) {
    int e = next_packet(s);
    if (e == AVERROR_EOF && !s->live) {
        s->draining = true;
        avcodec_send_packet(s->codec, NULL);
        return 0;
    }
    if (e < 0)
        return s->live && e == AVERROR_EOF ? err_set(ERR_FAIL, "%s: the stream ended", s->name)
                                           : fail(s, e, "reading");
    s->damaged |= (s->packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
    e = avcodec_send_packet(s->codec, s->packet);
    av_packet_unref(s->packet);
    if (e >= 0)
        return 0;
    if (!s->live)
        return err_set(ERR_FAIL, "%s: the video is damaged at frame %lld (%s)", s->name,
                       (long long)s->next, text_of(e));
    s->damaged = true;
    return 0;
}

/* Decodes one frame into s->frame. */
static int decode(Stream *s) {
    for (;;) {
        int e = avcodec_receive_frame(s->codec, s->frame);
        if (e >= 0)
            return 0;
        if (e == AVERROR_EOF || s->draining)
            return ERR_END;
        if (e != AVERROR(EAGAIN)) {
            if (!s->live)
                return err_set(ERR_FAIL, "%s: the video is damaged at frame %lld (%s)", s->name,
                               (long long)s->next, text_of(e));
            s->damaged = true;
        }
        int code = feed(s);
        if (code)
            return code;
    }
}

int stream_read(Stream *s, Frame *f) {
    int code = s->lost ? stream_seek(s, s->next) : 0;
    if (!code && !s->held)
        code = decode(s);
    if (code == ERR_END && s->next < s->announced)
        return err_set(ERR_FAIL,
                       "%s: cut short or damaged: it announces %lld frames, but only %lld can be "
                       "read; copy it again, or rewrite it with: ffmpeg -i FILE -c copy NEW",
                       s->name, (long long)s->announced, (long long)s->next);
    s->held = !code; /* until it is converted, so that a second try finds it */
    s->lost = code && code != ERR_END && !s->live;
    if (code)
        return code;
    if ((code = to_bgr(&s->sws, f, s->frame)))
        return err_context(code, "%s", s->name);
    s->held = false;
    int64_t start = s->video->start_time == AV_NOPTS_VALUE ? 0 : s->video->start_time;
    int64_t pts = s->frame->best_effort_timestamp;
    f->index = s->next++;
    f->seconds = pts == AV_NOPTS_VALUE ? NAN : (double)(pts - start) * av_q2d(s->video->time_base);
    f->corrupt = is_damaged(s->frame) || s->damaged;
    s->damaged = false;
    return 0;
}

/* ---- seeking ---- */

/* Back to the first frame. Seeking there by a timestamp fails in some containers. */
static int reopen(Stream *s) {
    close_input(s);
    s->draining = s->held = s->damaged = s->wait_key = false;
    s->next = 0;
    int code = open_input(s);
    return code ? code : open_codec(s);
}

static int by_value(const void *a, const void *b) {
    int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return p < q ? -1 : p > q;
}

static int append(int64_t **list, int64_t *n, int64_t value) {
    if ((*n & (*n - 1)) == 0) { /* full at every power of two */
        int64_t *more = mem_grow(*list, (size_t)*n, *n ? 2 * (size_t)*n : 1, sizeof **list);
        if (!more)
            return ERR_FAIL;
        *list = more;
    }
    (*list)[(*n)++] = value;
    return 0;
}

/* Timestamps name frames if every packet is a frame and has its own: AVI gives none to reordered
 * frames, VP8 has packets that are not shown, and fields may come apart. */
static bool timestamps_tell(const Stream *s) {
    bool whole = s->codec->field_order <= AV_FIELD_PROGRESSIVE;
    bool tell = whole && s->codec->codec_id != AV_CODEC_ID_VP8 && s->frames > 0 && s->keys > 0 &&
                s->pts[0] != AV_NOPTS_VALUE;
    for (int64_t i = 1; i < s->frames && tell; i++)
        tell = s->pts[i - 1] < s->pts[i];
    return tell;
}

/* Reads all packets, decoding none, to learn when frames are shown and where decoding can start. */
static int make_index(Stream *s) {
    int code = reopen(s), e = 0;
    s->frames = s->keys = 0;
    while (!code && (e = next_packet(s)) >= 0) {
        const AVPacket *p = s->packet;
        bool by_dts = p->pts == AV_NOPTS_VALUE && s->codec->has_b_frames == 0;
        int64_t pts = by_dts ? p->dts : p->pts;
        if (!(p->flags & AV_PKT_FLAG_DISCARD))
            code = append(&s->pts, &s->frames, pts);
        if (!code && p->flags & AV_PKT_FLAG_KEY)
            code = append(&s->key, &s->keys, pts);
        av_packet_unref(s->packet);
    }
    if (!code && e != AVERROR_EOF)
        code = fail(s, e, "reading");
    if (code)
        return code;
    if (s->frames)
        qsort(s->pts, (size_t)s->frames, sizeof *s->pts, by_value);
    if (s->keys)
        qsort(s->key, (size_t)s->keys, sizeof *s->key, by_value);
    s->indexed = true;
    if (!timestamps_tell(s))
        s->frames = 0;
    return reopen(s);
}

/* Decodes up to frame `index`, which then is held. */
static int walk(Stream *s, int64_t index) {
    while (!s->held || s->next < index) {
        s->next += s->held;
        s->held = false;
        int code = decode(s);
        if (code)
            return code == ERR_END ? err_set(ERR_FAIL, "%s: there is no frame %lld; it has %lld",
                                             s->name, (long long)index, (long long)s->next)
                                   : code;
        s->held = true;
    }
    return 0;
}

/* Tries the nearest key frame. *found says whether timestamps led exactly to the frame. */
static int jump(Stream *s, int64_t index, bool *found) {
    int64_t want = s->pts[index], from = s->key[0];
    for (int64_t i = 0; i < s->keys && s->key[i] <= want; i++)
        from = s->key[i];
    *found = false;
    arm(s);
    if (av_seek_frame(s->format, s->video->index, from, AVSEEK_FLAG_BACKWARD) < 0)
        return 0;
    avcodec_flush_buffers(s->codec);
    s->draining = s->held = s->damaged = false;
    s->wait_key = true;
    for (int64_t pts = from; pts < want || !s->held;) {
        int code = decode(s);
        if (code)
            return code == ERR_END ? 0 : code;
        s->held = true;
        pts = s->frame->best_effort_timestamp;
        if (pts == AV_NOPTS_VALUE || pts > want)
            return 0;
    }
    s->next = index;
    *found = true;
    return 0;
}

int stream_seek(Stream *s, int64_t index) {
    if (index == s->next && !s->lost)
        return 0;
    int code = !s->indexed ? make_index(s) : s->lost ? reopen(s) : 0;
    bool found = false;
    if (!code && index < s->frames) {
        code = jump(s, index, &found);
        if (!code && !found)
            code = reopen(s);
    } else if (!code && index < s->next) {
        code = reopen(s);
    }
    code = code || found ? code : walk(s, index);
    s->lost = code != 0;
    s->next = index; /* after a failure too: a read then tries the same */
    return code;
}

static bool has_protocol(const char *wanted) {
    void *state = NULL;
    const char *name;
    while ((name = avio_enum_protocols(&state, 0)))
        if (strcmp(name, wanted) == 0)
            return true;
    return false;
}

char *source_library(char *buf, int n) {
    avdevice_register_all();
    snprintf(buf, (size_t)n, "FFmpeg %s%s%s%s", av_version_info(),
             av_find_input_format("rtsp") ? ", rtsp" : "", has_protocol("http") ? ", http" : "",
             av_find_input_format("v4l2") ? ", v4l2 cameras" : "");
    return buf;
}
