#include "video/ffmpeg.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libavdevice/avdevice.h>
#include <libavformat/avformat.h>

static void set_up(void) {
    av_log_set_level(AV_LOG_QUIET);
    avdevice_register_all();
}

void ffmpeg_start(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up);
}

const char *ffmpeg_text(int av_error) {
    static _Thread_local char text[AV_ERROR_MAX_STRING_SIZE];
    return av_make_error_string(text, sizeof text, av_error);
}

const char *ffmpeg_hint(int e, bool remote) {
    static const struct {
        int error;
        const char *text;
    } hints[] = {
        {AVERROR(ECONNREFUSED), "; nothing listens there: check host and port"},
        {AVERROR(EHOSTUNREACH), "; check the host's address and the network"},
        {AVERROR(ENETUNREACH), "; check the host's address and the network"},
        {AVERROR(EIO), "; check the host's name and port, and that camera and network are up"},
        {AVERROR(ECONNRESET), "; the server closed the connection: is it busy, or the wrong port?"},
        {AVERROR(EPIPE), "; the server closed the connection: is it busy, or the wrong port?"},
        {AVERROR(ENODEV), "; is the camera plugged in?"},
        {AVERROR(EBUSY), "; another program uses the camera"},
        {AVERROR_HTTP_UNAUTHORIZED,
         "; check user and password: PROTOCOL://USER:PASSWORD@HOST/PATH"},
        {AVERROR_HTTP_FORBIDDEN, "; the user may not see it"},
        {AVERROR_HTTP_NOT_FOUND, "; check the path behind the host: each maker has its own"},
        {AVERROR_HTTP_BAD_REQUEST, "; check the path behind the host: each maker has its own"},
        {AVERROR_HTTP_OTHER_4XX, "; the server refuses it: too many users, or another transport?"},
        {AVERROR_HTTP_SERVER_ERROR,
         "; the server has a fault or is busy: try again, or restart it"},
        {AVERROR_PROTOCOL_NOT_FOUND, "; 'normalcy doctor' tells what this FFmpeg can read"},
        {AVERROR_INVALIDDATA, "; what answers there sends no video"},
        {AVERROR(EINVAL), "; check the address: PROTOCOL://HOST:PORT/PATH"},
        {AVERROR_EOF, "; it ended before the first picture"},
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints && remote; i++)
        if (e == hints[i].error)
            return hints[i].text;
    if (e == AVERROR(EACCES))
        return "";
    return remote ? "; check the address: does ffplay show it?"
                  : "; if ffplay cannot show it either, copy it again";
}

static bool has_protocol(const char *wanted) {
    void *state = NULL;
    const char *name;
    while ((name = avio_enum_protocols(&state, 0)))
        if (strcmp(name, wanted) == 0)
            return true;
    return false;
}

char *ffmpeg_about(char *buf, int n) {
    ffmpeg_start();
    snprintf(buf, (size_t)n, "FFmpeg %s%s%s%s", av_version_info(),
             av_find_input_format("rtsp") ? ", rtsp" : "", has_protocol("http") ? ", http" : "",
             av_find_input_format("v4l2") ? ", v4l2 cameras" : "");
    return buf;
}
