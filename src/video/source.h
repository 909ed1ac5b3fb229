/* Frames from anywhere, by URL:
 *   a folder of numbered images  sorted by number; position counts, the number itself never does
 *   a video file                 whatever FFmpeg reads
 *   rtsp://, http://, ...        streams (TCP for RTSP), with read timeout
 *   /dev/video0                  V4L2
 *   a single image               one frame
 * One thread at a time may use a Source. A blocked read ends when stop_requested() turns true. */
#ifndef VIDEO_SOURCE_H
#define VIDEO_SOURCE_H

#include "video/frame.h"

typedef struct Source Source;

typedef struct {
    int width, height; /* of the first frame */
    int64_t frames;    /* -1 where only reading to the end would tell */
    double fps;        /* 0 where unknown */
    bool live;         /* a stream or camera: no end, no seeking */
} SourceInfo;

/* Whether the URL is a stream or camera: it contains "://" or begins with /dev/video. */
bool source_is_live(const char *url);

/* Opens `url` and decodes nothing yet beyond what its size needs. *out is untouched on failure; the
 * message names the url and what to do. */
int source_open(Source **out, const char *url);

/* Accepts NULL; sets *s to NULL. */
void source_free(Source **s);

const SourceInfo *source_info(const Source *s); /* borrowed */

/* The next frame into *f (reused). 0, ERR_END at the end, ERR_STOPPED, or ERR_FAIL: a file that
 * cannot be decoded, or a frame whose size differs from the first one's; the message names the
 * file and the frame's position. */
int source_read(Source *s, Frame *f);

/* The next read gives frame `index` (not for live sources). Exact, also inside a group of
 * pictures. After a failure, of reading too, a second try begins where the first did. */
int source_seek(Source *s, int64_t index);

/* "FFmpeg 5.1.9, with rtsp, http, v4l2" into buf, for people; returns buf. */
char *source_library(char *buf, int n);

#endif
