#include "video/stream_av.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "video/ffmpeg.h"
#include "video/stream_internal.h"

static const double TIMEOUT = 10; /* seconds without a byte until a live source counts as gone */

static int interrupted(void *ctx) {
    const Stream *s = ctx;
    return stop_requested() || (s->deadline > 0 && clock_seconds() > s->deadline);
}

void stream_arm(Stream *s) {
    s->deadline = s->live ? clock_seconds() + TIMEOUT : 0;
}

int stream_fail(const Stream *s, int e, const char *doing) {
    if (stop_requested())
        return err_set(ERR_STOPPED, "%s: stopped", s->name);
    if (e == AVERROR_EXIT)
        return err_set(ERR_FAIL, "%s: %s timed out after %.0f s; is the camera or server up?",
                       s->name, doing, TIMEOUT);
    return err_set(ERR_FAIL, "%s: %s failed: %s", s->name, doing, ffmpeg_text(e));
}

int stream_open_input(Stream *s) {
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
    stream_arm(s);
    int e = avformat_open_input(&s->format, url, v4l2, &options);
    av_dict_free(&options);
    if (e == AVERROR_INVALIDDATA && !s->live)
        return err_set(
            ERR_FAIL,
            "%s: not a video that FFmpeg can read, or cut short; expected a video file, a "
            "picture or a folder of numbered pictures",
            s->name);
    if (e < 0)
        return stream_fail(s, e, "opening");
    stream_arm(s);
    e = avformat_find_stream_info(s->format, NULL);
    return e < 0 ? stream_fail(s, e, "reading the header") : 0;
}

int stream_open_codec(Stream *s) {
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
        return stream_fail(s, e, "starting the decoder");
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
    ffmpeg_start();
    Stream *s = mem_alloc(1, sizeof *s);
    if (!s)
        return ERR_FAIL;
    s->name = name;
    s->live = live;
    /* FFmpeg takes what stands before a colon for a protocol. */
    s->url = mem_printf("%s%s", live ? "" : "file:", url);
    int code = s->url ? stream_open_input(s) : ERR_FAIL;
    if (!code)
        code = stream_open_codec(s);
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

void stream_close_input(Stream *s) {
    stream_arm(s); /* closing an RTSP session talks to the server */
    avcodec_free_context(&s->codec);
    avformat_close_input(&s->format);
    av_frame_free(&s->frame);
    av_packet_free(&s->packet);
}

void stream_free(Stream **out) {
    Stream *s = *out;
    if (!s)
        return;
    stream_close_input(s);
    sws_freeContext(s->sws);
    mem_free(s->pts);
    mem_free(s->key);
    mem_free(s->url);
    mem_free(s);
    *out = NULL;
}

int stream_next_packet(Stream *s) {
    for (;;) {
        stream_arm(s);
        int e = av_read_frame(s->format, s->packet);
        bool ours = e >= 0 && s->packet->stream_index == s->video->index;
        s->wait_key &= !(ours && s->packet->flags & AV_PKT_FLAG_KEY);
        if (e < 0 || (ours && !s->wait_key))
            return e;
        av_packet_unref(s->packet);
    }
}

static int feed(Stream *s) {
    int e = stream_next_packet(s);
    if (e == AVERROR_EOF && !s->live) {
        s->draining = true;
        avcodec_send_packet(s->codec, NULL);
        return 0;
    }
    if (e < 0)
        return s->live && e == AVERROR_EOF ? err_set(ERR_FAIL, "%s: the stream ended", s->name)
                                           : stream_fail(s, e, "reading");
    s->damaged |= (s->packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
    e = avcodec_send_packet(s->codec, s->packet);
    av_packet_unref(s->packet);
    if (e >= 0)
        return 0;
    if (!s->live)
        return err_set(ERR_FAIL, "%s: the video is damaged at frame %lld (%s)", s->name,
                       (long long)s->next, ffmpeg_text(e));
    s->damaged = true;
    return 0;
}

int stream_decode(Stream *s) {
    for (;;) {
        int e = avcodec_receive_frame(s->codec, s->frame);
        if (e >= 0)
            return 0;
        if (e == AVERROR_EOF || s->draining)
            return ERR_END;
        if (e != AVERROR(EAGAIN)) {
            if (!s->live)
                return err_set(ERR_FAIL, "%s: the video is damaged at frame %lld (%s)", s->name,
                               (long long)s->next, ffmpeg_text(e));
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
        code = stream_decode(s);
    if (code == ERR_END && s->next < s->announced)
        return err_set(ERR_FAIL,
                       "%s: cut short or damaged: it announces %lld frames, but only %lld can be "
                       "read; copy it again, or rewrite it with: ffmpeg -i FILE -c copy NEW",
                       s->name, (long long)s->announced, (long long)s->next);
    s->held = !code; /* until it is converted, so that a second try finds it */
    s->lost = code && code != ERR_END && !s->live;
    if (code)
        return code;
    if ((code = convert_to_bgr(&s->sws, f, s->frame)))
        return err_context(code, "%s", s->name);
    s->held = false;
    int64_t start = s->video->start_time == AV_NOPTS_VALUE ? 0 : s->video->start_time;
    int64_t pts = s->frame->best_effort_timestamp;
    f->index = s->next++;
    f->seconds = pts == AV_NOPTS_VALUE ? NAN : (double)(pts - start) * av_q2d(s->video->time_base);
    f->corrupt = convert_is_damaged(s->frame) || s->damaged;
    s->damaged = false;
    return 0;
}
