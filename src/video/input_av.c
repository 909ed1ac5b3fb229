#include "video/input_av.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "video/ffmpeg.h"

enum { PIPE_BUFFER = 1 << 16, PIPE_WAIT = 50 /* milliseconds */ };

/* Seconds for the goodbye to a server or camera; a dead one has had its time. */
static const double GOODBYE = 1, GOODBYE_DEAD = 0.1;

/* Seconds that the longest part of a live playlist may take. */
static const double PART = 30;

/* ---- time ---- */

static bool is_remote(const Input *in) {
    return in->kind == URL_STREAM || in->kind == URL_CAMERA;
}

static void arm(Input *in) {
    in->deadline = is_remote(in) || in->parted ? clock_seconds() + in->timeout : 0;
    in->bytes = in->format && in->format->pb ? in->format->pb->bytes_read : 0;
}

/* Before each call that may wait. */
static void begin_call(Input *in) {
    arm(in);
    in->timed_out = false;
    in->latest = in->parted ? in->deadline + (is_remote(in) ? PART : 0) : 0;
}

/* Each byte that comes gives more time. So does a playlist that waits for its next part: it has no
 * connection open then. */
static void extend(Input *in) {
    const AVIOContext *pb = in->format ? in->format->pb : NULL;
    if (!(pb && pb->bytes_read != in->bytes) && !(in->parted && !in->parts))
        return;
    arm(in);
    if (in->latest > 0 && in->deadline > in->latest)
        in->deadline = in->latest;
}

/* FFmpeg asks this while it waits. */
static int interrupted(void *ctx) {
    Input *in = ctx;
    if (!in->closing && (stop_requested() || *in->cancel))
        return 1;
    if (!in->closing)
        extend(in);
    bool late = in->deadline > 0 && clock_seconds() > in->deadline;
    in->timed_out |= late;
    return late;
}

static int open_part(AVFormatContext *format, AVIOContext **pb, const char *url, int flags,
                     AVDictionary **options) {
    Input *in = format->opaque;
    in->parts++; /* while it is being opened, too */
    int e = in->open_part(format, pb, url, flags, options);
    in->parts -= e < 0 || pb == &format->pb;
    in->answered |= e >= 0;
    return e;
}

static int close_part(AVFormatContext *format, AVIOContext *pb) {
    Input *in = format->opaque;
    in->parts--;
    return in->close_part(format, pb);
}

/* An MP4 whose index stands at its end, and no way to go back from there. */
static bool lacks_seeking(const Input *in) {
    const AVIOContext *pb = in->video && !in->begun ? in->format->pb : NULL;
    return pb && !(pb->seekable & AVIO_SEEKABLE_NORMAL) &&
           strncmp(in->format->iformat->name, "mov,", 4) == 0;
}

int input_fail(Input *in, int e, const char *doing) {
    if (stop_requested() || *in->cancel)
        return err_set(ERR_STOPPED, "%s: stopped", in->name);
    in->timed_out |= e == AVERROR_EXIT || e == AVERROR(ETIMEDOUT);
    if (in->timed_out) /* also where FFmpeg makes another error of it */
        return err_set(ERR_FAIL,
                       "%s: %s timed out after %g s; is the camera or server up? --timeout waits "
                       "longer",
                       in->name, doing, in->timeout);
    if (lacks_seeking(in))
        return err_set(ERR_FAIL,
                       "%s: its index stands at its end, and a pipe or such a server cannot seek; "
                       "give the file itself, or rewrite it with: ffmpeg -i FILE -c copy -movflags "
                       "+faststart NEW",
                       in->name);
    if (is_remote(in) && in->video)
        return err_set(ERR_FAIL, "%s: the connection was lost (%s)", in->name, ffmpeg_text(e));
    bool wrong = in->answered && e == AVERROR(EIO); /* the host is there */
    return err_set(ERR_FAIL, "%s: %s failed: %s%s", in->name, doing, ffmpeg_text(e),
                   ffmpeg_hint(wrong ? AVERROR_INVALIDDATA : e, is_remote(in)));
}

/* ---- pipes: FFmpeg's own reading of them cannot be interrupted ---- */

static int read_pipe(void *ctx, uint8_t *to, int n) {
    Input *in = ctx;
    for (;;) {
        struct pollfd wait = {.fd = in->fd, .events = POLLIN};
        int ready = poll(&wait, 1, PIPE_WAIT);
        if (interrupted(in))
            return AVERROR_EXIT;
        if (ready < 0 && errno != EINTR)
            return AVERROR(errno);
        if (ready <= 0)
            continue;
        ssize_t got = read(in->fd, to, (size_t)n);
        if (got >= 0 || (errno != EAGAIN && errno != EINTR))
            return got > 0 ? (int)got : got == 0 ? AVERROR_EOF : AVERROR(errno);
    }
}

static int open_pipe(Input *in, const char *path) {
    in->fd = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : STDIN_FILENO;
    if (in->fd < 0)
        return err_sys(ERR_FAIL, "cannot open %s", in->name);
    uint8_t *buffer = av_malloc(PIPE_BUFFER);
    in->pipe =
        buffer ? avio_alloc_context(buffer, PIPE_BUFFER, 0, in, read_pipe, NULL, NULL) : NULL;
    if (in->pipe) {
        in->format->pb = in->pipe;
        return 0;
    }
    av_free(buffer);
    return err_set(ERR_FAIL, "out of memory: no buffer for %s", in->name);
}

static void close_pipe(Input *in) {
    if (in->pipe)
        av_freep(&in->pipe->buffer);
    avio_context_free(&in->pipe);
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    in->fd = -1;
}

/* ---- opening ---- */

static bool is_pipe(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

/* RTSP goes by TCP where the server has it: UDP loses packets, which smears pictures. */
static void set_options(const Input *in, AVDictionary **options) {
    int64_t microseconds = (int64_t)(in->timeout * 1e6);
    if (in->kind == URL_PATH) /* a playlist without an end: from its first part */
        av_dict_set(options, "live_start_index", "0", 0);
    if (in->kind != URL_STREAM)
        return;
    if (strncasecmp(in->url, "rtsp", 4) == 0) {
        av_dict_set(options, "rtsp_flags", "prefer_tcp", 0);
        av_dict_set_int(options, "timeout", microseconds, 0);
    } else { /* "timeout" would make RTMP listen */
        av_dict_set_int(options, "rw_timeout", microseconds, 0);
        av_dict_set(options, "http_persistent", "0", 0); /* of HLS: see `parts` */
    }
}

/* The file's path; NULL where it is none. Standard input is one if the shell opened a file: FFmpeg
 * can seek in it then. */
static char *path_of(const Input *in) {
    return in->kind == URL_PATH    ? url_path(in->url)
           : in->kind == URL_STDIN ? mem_printf("/dev/stdin")
                                   : NULL;
}

static int open_format(Input *in) {
    char *path = path_of(in);
    char *url = path ? mem_printf("file:%s", path) /* else a colon in it would end a protocol */
                     : mem_printf("%s", in->url);
    AVDictionary *options = NULL;
    int code = url && (path || is_remote(in)) ? 0 : ERR_FAIL, e = 0;
    if (!code && path && is_pipe(path))
        code = open_pipe(in, in->kind == URL_STDIN ? NULL : path);
    if (!code) {
        const AVInputFormat *camera = in->kind == URL_CAMERA ? av_find_input_format("v4l2") : NULL;
        set_options(in, &options);
        begin_call(in);
        e = avformat_open_input(&in->format, url, camera, &options);
        av_dict_free(&options);
    }
    mem_free(path);
    mem_free(url);
    if (code || e >= 0)
        return code;
    if (e == AVERROR_INVALIDDATA && !is_remote(in))
        return err_set(ERR_FAIL,
                       "%s: not a video that FFmpeg can read, or cut short; expected a video file, "
                       "a picture or a folder of numbered pictures",
                       in->name);
    return input_fail(in, e, "opening");
}

/* A recording on a server has a duration, or at least a size. So has a single picture, which FFmpeg
 * reads by a demuxer called jpeg_pipe or the like. */
static bool has_end(const Input *in) {
    const char *name = in->format->iformat->name, *end = strstr(name, "_pipe");
    bool pictures = strcmp(name, "mpjpeg") == 0; /* some cameras give a size all the same */
    if (!is_remote(in))
        return true;
    return in->kind == URL_STREAM &&
           (in->format->duration > 0 || (end && !end[5]) ||
            (!pictures && !in->parted && in->format->pb && avio_size(in->format->pb) > 0));
}

/* What is live need not be watched for its rate, which would take seconds. */
static int read_header(Input *in) {
    const char *name = in->format->iformat->name;
    in->parted = strcmp(name, "hls") == 0 || strcmp(name, "dash") == 0;
    if (!has_end(in)) {
        in->format->fps_probe_size = 0;
        if (strcmp(name, "flv") == 0) /* RTMP: FFmpeg waits five seconds for further streams */
            in->format->max_analyze_duration = AV_TIME_BASE / 2;
    }
    begin_call(in);
    if (!in->format->pb) /* RTSP: several packets in one call */
        in->deadline += in->timeout;
    int e = avformat_find_stream_info(in->format, NULL);
    return e < 0 ? input_fail(in, e, "reading the header") : 0;
}

static int find_video(Input *in) {
    int i = av_find_best_stream(in->format, AVMEDIA_TYPE_VIDEO, -1, -1, &in->decoder, 0);
    if (i == AVERROR_DECODER_NOT_FOUND)
        return err_set(ERR_FAIL, "%s: this FFmpeg cannot decode its video", in->name);
    if (i < 0)
        return err_set(ERR_FAIL, "%s: there is no video in it", in->name);
    in->video = in->format->streams[i];
    for (unsigned k = 0; k < in->format->nb_streams; k++)
        if (k != (unsigned)i)
            in->format->streams[k]->discard = AVDISCARD_ALL;
    return 0;
}

int input_open(Input *in) {
    ffmpeg_start();
    in->kind = url_kind(in->url);
    in->fd = -1;
    in->closing = in->timed_out = in->parted = in->answered = in->begun = false;
    in->parts = 0;
    in->format = avformat_alloc_context();
    if (!in->format)
        return err_set(ERR_FAIL, "out of memory: no demuxer");
    in->format->interrupt_callback = (AVIOInterruptCB){interrupted, in};
    in->open_part = in->format->io_open;
    in->close_part = in->format->io_close2;
    in->format->opaque = in;
    in->format->io_open = open_part;
    in->format->io_close2 = close_part;
    int code = open_format(in);
    if (!code)
        code = read_header(in);
    if (!code)
        code = find_video(in);
    if (code)
        input_close(in);
    else
        in->live = !has_end(in);
    return code;
}

void input_close(Input *in) {
    in->closing = true;
    in->deadline = clock_seconds() + (in->timed_out ? GOODBYE_DEAD : GOODBYE);
    if (in->pipe && in->format) /* FFmpeg leaves what it did not open */
        in->format->pb = NULL;
    avformat_close_input(&in->format);
    close_pipe(in);
    in->video = NULL;
}

int input_packet(Input *in, AVPacket *packet) {
    while (!in->timed_out) { /* FFmpeg may return what it kept, and wait as long once more */
        begin_call(in);
        int e = av_read_frame(in->format, packet);
        if (e < 0 && in->timed_out)
            break;
        if (e < 0 || packet->stream_index == in->video->index) {
            in->begun |= e >= 0;
            return e;
        }
        av_packet_unref(packet);
    }
    return is_remote(in) ? AVERROR_EXIT : AVERROR_EOF; /* a playlist on disk that lacks its end */
}

int input_seek(Input *in, int64_t stamp) {
    begin_call(in);
    return av_seek_frame(in->format, in->video->index, stamp, AVSEEK_FLAG_BACKWARD);
}
