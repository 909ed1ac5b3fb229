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

/* ---- time ---- */

static void arm(Input *in) {
    bool remote = in->kind == URL_STREAM || in->kind == URL_CAMERA;
    in->deadline = remote ? clock_seconds() + in->timeout : 0;
    in->bytes = in->format && in->format->pb ? in->format->pb->bytes_read : 0;
}

/* FFmpeg asks this while it waits. Each byte that comes gives more time. */
static int interrupted(void *ctx) {
    Input *in = ctx;
    if (!in->closing && (stop_requested() || *in->cancel))
        return 1;
    if (!in->closing && in->format && in->format->pb && in->format->pb->bytes_read != in->bytes)
        arm(in);
    return in->deadline > 0 && clock_seconds() > in->deadline;
}

int input_fail(Input *in, int e, const char *doing) {
    if (stop_requested() || *in->cancel)
        return err_set(ERR_STOPPED, "%s: stopped", in->name);
    if (e == AVERROR_EXIT || e == AVERROR(ETIMEDOUT)) {
        in->timed_out = true;
        return err_set(ERR_FAIL,
                       "%s: %s timed out after %g s; is the camera or server up? --timeout waits "
                       "longer",
                       in->name, doing, in->timeout);
    }
    bool remote = in->kind == URL_STREAM || in->kind == URL_CAMERA;
    if (remote && in->video)
        return err_set(ERR_FAIL, "%s: the connection was lost (%s)", in->name, ffmpeg_text(e));
    return err_set(ERR_FAIL, "%s: %s failed: %s%s", in->name, doing, ffmpeg_text(e),
                   ffmpeg_hint(e, remote));
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
    if (in->kind != URL_STREAM)
        return;
    if (strncasecmp(in->url, "rtsp", 4) == 0) {
        av_dict_set(options, "rtsp_flags", "prefer_tcp", 0);
        av_dict_set_int(options, "timeout", microseconds, 0);
    } else { /* "timeout" would make RTMP listen */
        av_dict_set_int(options, "rw_timeout", microseconds, 0);
    }
}

static int open_format(Input *in) {
    char *path = in->kind == URL_PATH ? url_path(in->url) : NULL;
    char *url = path ? mem_printf("file:%s", path) /* else a colon in it would end a protocol */
                     : mem_printf("%s", in->kind == URL_STDIN ? "pipe:" : in->url);
    AVDictionary *options = NULL;
    int code = url && (path || in->kind != URL_PATH) ? 0 : ERR_FAIL, e = 0;
    if (!code && (in->kind == URL_STDIN || (path && is_pipe(path))))
        code = open_pipe(in, path);
    if (!code) {
        const AVInputFormat *camera = in->kind == URL_CAMERA ? av_find_input_format("v4l2") : NULL;
        set_options(in, &options);
        arm(in);
        e = avformat_open_input(&in->format, url, camera, &options);
        av_dict_free(&options);
    }
    mem_free(path);
    mem_free(url);
    if (code || e >= 0)
        return code;
    if (e == AVERROR_INVALIDDATA && in->kind != URL_STREAM && in->kind != URL_CAMERA)
        return err_set(ERR_FAIL,
                       "%s: not a video that FFmpeg can read, or cut short; expected a video file, "
                       "a picture or a folder of numbered pictures",
                       in->name);
    return input_fail(in, e, "opening");
}

/* A source that gives no times need not be watched for its rate. */
static int read_header(Input *in) {
    if (in->format->iformat->flags & AVFMT_NOTIMESTAMPS)
        in->format->fps_probe_size = 0;
    arm(in);
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

/* A recording on a server has a duration. So has a single picture, which FFmpeg reads by a demuxer
 * called jpeg_pipe or the like. */
static bool has_end(const Input *in) {
    const char *name = in->format->iformat->name, *end = strstr(name, "_pipe");
    return in->kind == URL_PATH || in->kind == URL_STDIN ||
           (in->kind == URL_STREAM && (in->format->duration > 0 || (end && !end[5])));
}

int input_open(Input *in) {
    ffmpeg_start();
    in->kind = url_kind(in->url);
    in->fd = -1;
    in->closing = in->timed_out = false;
    in->format = avformat_alloc_context();
    if (!in->format)
        return err_set(ERR_FAIL, "out of memory: no demuxer");
    in->format->interrupt_callback = (AVIOInterruptCB){interrupted, in};
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
    for (;;) {
        arm(in);
        int e = av_read_frame(in->format, packet);
        if (e < 0 || packet->stream_index == in->video->index)
            return e;
        av_packet_unref(packet);
    }
}

int input_seek(Input *in, int64_t stamp) {
    arm(in);
    return av_seek_frame(in->format, in->video->index, stamp, AVSEEK_FLAG_BACKWARD);
}
