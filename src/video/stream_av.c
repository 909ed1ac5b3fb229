#include "video/stream_av.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <libavutil/intreadwrite.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "video/ffmpeg.h"
#include "video/stream_internal.h"

static int open_decoder(Stream *s) {
    const AVCodec *codec = s->input.decoder;
    const AVCodecDescriptor *kind = avcodec_descriptor_get(codec->id);
    s->orientation = convert_orientation(s->input.video);
    s->codec = avcodec_alloc_context3(codec);
    s->frame = av_frame_alloc();
    s->packet = av_packet_alloc();
    if (!s->codec || !s->frame || !s->packet)
        return err_set(ERR_FAIL, "out of memory: no video decoder");
    int e = avcodec_parameters_to_context(s->codec, s->input.video->codecpar);
    s->codec->pkt_timebase = s->input.video->time_base;
    s->codec->thread_count = 1; /* callers decode ahead in threads of their own */
    /* Where frames stand alone a damaged one is dropped; else concealed, and flagged. */
    if (kind && kind->props & AV_CODEC_PROP_INTRA_ONLY)
        s->codec->err_recognition = AV_EF_EXPLODE;
    if (e >= 0)
        e = avcodec_open2(s->codec, codec, NULL);
    if (e < 0)
        return input_fail(&s->input, e, "starting the decoder");
    if (s->input.timed_out)
        return input_fail(&s->input, AVERROR_EXIT, "waiting for a picture");
    bool size = s->codec->width > 0 && s->codec->height > 0;
    if (!size && s->input.live)
        return err_set(ERR_FAIL,
                       "%s: it answers, but no picture came; is the camera behind it up? --timeout "
                       "waits longer",
                       s->name);
    if (!size)
        return err_set(ERR_FAIL, "%s: the size of its pictures is not known; is it a video?",
                       s->name);
    return 0;
}

int stream_start(Stream *s) {
    s->time = (Timeline){0};
    s->draining = s->held = s->damaged = s->wait_key = false;
    s->next = 0;
    int code = input_open(&s->input);
    return code ? code : open_decoder(s);
}

void stream_end(Stream *s) {
    avcodec_free_context(&s->codec);
    input_close(&s->input);
    av_frame_free(&s->frame);
    av_packet_free(&s->packet);
}

/* ---- length ---- */

/* An MP4 that was written in fragments announces the frames of its first part alone. Walks over the
 * boxes of the file. */
static bool has_fragments(const char *url) {
    char *path = url_path(url);
    FILE *f = path ? fopen(path, "rbe") : NULL;
    mem_free(path);
    uint8_t box[16];
    bool found = false;
    while (f && !found && fread(box, 1, 16, f) == 16) {
        uint64_t size = AV_RB32(box);
        found = memcmp(box + 4, "moof", 4) == 0 || memcmp(box + 4, "sidx", 4) == 0;
        size = size == 1 ? AV_RB64(box + 8) : size;
        if (size < 8 || size > INT64_MAX / 2 || fseeko(f, (off_t)size - 16, SEEK_CUR))
            break;
    }
    if (f)
        fclose(f);
    return found;
}

/* What the container announces, less the frames that an edit list of it hides and those that an AVI
 * has as empty chunks, which show nothing. FFmpeg's index leaves the latter out, but counts them in
 * its timestamps; of an MP4's hidden frames it flags some and leaves others out. Empty chunks after
 * the last frame are not told from a cut. */
static int64_t count_announced(const Stream *s) {
    AVStream *video = s->input.video;
    const char *container = s->input.format->iformat->name;
    bool avi = strcmp(container, "avi") == 0, mov = strncmp(container, "mov,", 4) == 0;
    if (s->input.kind != URL_PATH || s->input.pipe || video->nb_frames <= 0 ||
        (mov && has_fragments(s->url)))
        return -1;
    int entries = avformat_index_get_entries_count(video);
    int64_t n = mov && entries > 0 ? entries : video->nb_frames, next = 0;
    for (int i = 0; i < entries; i++) {
        const AVIndexEntry *e = avformat_index_get_entry(video, i);
        n -= (e->flags & AVINDEX_DISCARD_FRAME) != 0;
        n -= avi ? e->timestamp - next : 0;
        next = e->timestamp + 1;
    }
    return n > 0 ? n : -1;
}

/* Pictures over HTTP and raw video have no time stamps. FFmpeg makes them up by a rate of its own,
 * or counts raw video in 1/1200000 s and gives none. */
static bool has_stamps(const Input *in) {
    return !(in->format->iformat->flags & AVFMT_NOTIMESTAMPS) &&
           in->video->time_base.den != 1200000;
}

static void describe(const Stream *s, SourceInfo *info) {
    const Input *in = &s->input;
    bool timed = has_stamps(in);
    AVRational rate = av_guess_frame_rate(in->format, in->video, NULL);
    AVRational pixel = av_guess_sample_aspect_ratio(in->format, in->video, NULL);
    bool turned = s->orientation & FRAME_TRANSPOSED;
    double aspect = pixel.num > 0 && pixel.den > 0 ? av_q2d(pixel) : 1;
    *info = (SourceInfo){.width = turned ? s->codec->height : s->codec->width,
                         .height = turned ? s->codec->width : s->codec->height,
                         .frames = s->announced,
                         .fps = timed && rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0,
                         .aspect = turned ? 1 / aspect : aspect,
                         .live = in->live,
                         .in_parts = in->parted};
}

int stream_open(Stream **out, const char *url, const char *name, double timeout,
                const atomic_bool *cancel, SourceInfo *info) {
    ffmpeg_start();
    Stream *s = mem_alloc(1, sizeof *s);
    if (!s)
        return ERR_FAIL;
    s->url = mem_printf("%s", url);
    s->name = mem_printf("%s", name);
    s->input = (Input){.url = s->url, .name = s->name, .timeout = timeout, .cancel = cancel};
    int code = s->url && s->name ? stream_start(s) : ERR_FAIL;
    if (code) {
        stream_free(&s);
        return code;
    }
    s->announced = count_announced(s);
    describe(s, info);
    *out = s;
    return 0;
}

void stream_free(Stream **out) {
    Stream *s = *out;
    if (!s)
        return;
    stream_end(s);
    sws_freeContext(s->sws);
    mem_free(s->pts);
    mem_free(s->key);
    mem_free(s->url);
    mem_free(s->name);
    mem_free(s);
    *out = NULL;
}

/* ---- reading ---- */

int stream_packet(Stream *s) {
    for (;;) {
        int e = input_packet(&s->input, s->packet);
        s->wait_key &= e < 0 || !(s->packet->flags & AV_PKT_FLAG_KEY);
        if (e < 0 || !s->wait_key)
            return e;
        av_packet_unref(s->packet);
    }
}

static int damaged(Stream *s, int e) {
    s->damaged = true;
    return s->input.live ? 0
                         : err_set(ERR_FAIL, "%s: the video is damaged at frame %lld (%s)", s->name,
                                   (long long)s->next, ffmpeg_text(e));
}

static int feed(Stream *s) {
    int e = stream_packet(s);
    if (e == AVERROR_EOF) {
        s->draining = true;
        avcodec_send_packet(s->codec, NULL);
        return 0;
    }
    if (e < 0)
        return input_fail(&s->input, e, "reading");
    s->damaged |= (s->packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
    e = avcodec_send_packet(s->codec, s->packet);
    av_packet_unref(s->packet);
    return e < 0 ? damaged(s, e) : 0;
}

/* The frame's time stamp in seconds; NaN where there is none. In a format without time stamps a
 * camera's frame has the time when it came, and a file's has one if the video itself tells its
 * rate. */
static double stamp_of(const Stream *s) {
    const AVFrame *f = s->frame;
    if (!has_stamps(&s->input)) {
        AVRational rate = s->codec->framerate;
        if (s->input.live)
            return clock_seconds();
        return rate.num > 0 && rate.den > 0 && s->codec->codec_id != AV_CODEC_ID_MJPEG
                   ? s->time.last + (s->time.begun ? 1 / av_q2d(rate) : 0)
                   : NAN;
    }
    int64_t stamp = f->best_effort_timestamp;
    return stamp == AV_NOPTS_VALUE ? NAN : (double)stamp * av_q2d(s->input.video->time_base);
}

int stream_decode(Stream *s) {
    for (;;) {
        int e = avcodec_receive_frame(s->codec, s->frame);
        if (e >= 0) {
            s->seconds = timeline_add(&s->time, stamp_of(s));
            return 0;
        }
        if (e == AVERROR_EOF || s->draining)
            return ERR_END;
        int code = e == AVERROR(EAGAIN) ? 0 : damaged(s, e);
        if (!code)
            code = feed(s);
        if (code)
            return code;
    }
}

int stream_read(Stream *s, Frame *f) {
    int code = s->lost ? stream_seek(s, s->next) : 0;
    if (!code && !s->held)
        code = stream_decode(s);
    if (code == ERR_END && s->next < s->announced)
        return err_set(ERR_FAIL,
                       "%s: cut short or damaged: it announces %lld frames, but only %lld can be "
                       "read; copy it again, or rewrite it with: ffmpeg -i FILE -c copy NEW",
                       s->name, (long long)s->announced, (long long)s->next);
    s->held = !code; /* until it is converted, so that a second try finds it */
    s->lost = code && code != ERR_END && !s->input.live;
    if (code)
        return code;
    if ((code = convert_frame(&s->sws, f, s->frame, s->orientation)))
        return err_context(code, "%s", s->name);
    s->held = false;
    f->index = s->next++;
    f->seconds = s->seconds;
    f->wall = s->input.live ? clock_utc() : NAN;
    f->after_gap = false;
    f->corrupt = convert_is_damaged(s->frame) || s->damaged;
    s->damaged = false;
    return 0;
}
