/* What all users of FFmpeg share. FFmpeg's own log stays silent; messages are ours. */
#ifndef VIDEO_FFMPEG_H
#define VIDEO_FFMPEG_H

#include <stdbool.h>

/* Registers devices and silences the log, once. Any thread. */
void ffmpeg_start(void);

/* FFmpeg's words for its error code; valid until this thread's next call. */
const char *ffmpeg_text(int av_error);

/* What to do about such an error, to append to the message: "; ..." or "". `remote`: the input is a
 * stream or camera. */
const char *ffmpeg_hint(int av_error, bool remote);

/* Writes a text for people like "FFmpeg 5.1.9, rtsp, http, v4l2 cameras" into buf; returns buf. */
char *ffmpeg_about(char *buf, int n);

#endif
