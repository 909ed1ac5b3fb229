/* What all users of FFmpeg share. FFmpeg's own log stays silent; messages are ours. */
#ifndef VIDEO_FFMPEG_H
#define VIDEO_FFMPEG_H

/* Registers devices and silences the log, once. Any thread. */
void ffmpeg_start(void);

/* FFmpeg's words for its error code; valid until this thread's next call. */
const char *ffmpeg_text(int av_error);

/* Writes a text for people like "FFmpeg 5.1.9, rtsp, http, v4l2 cameras" into buf; returns buf. */
char *ffmpeg_about(char *buf, int n);

#endif
