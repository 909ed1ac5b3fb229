#include "video/ffmpeg.h"

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
