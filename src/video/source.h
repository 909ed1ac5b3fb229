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
    int64_t frames;    /* -1 where only reading to the end can tell */
    double fps;        /* 0 where unknown */
    bool live;         /* a stream or camera: no end, no seeking */
} SourceInfo;

/* Whether the URL is a stream or camera: it contains "://" or begins with /dev/video. */
bool source_is_live(const char *url);

/* Opens `url`. Decodes only as much as it takes to learn the frame size. On failure *out is
 * untouched, and the message names the url and tells what to do. */
int source_open(Source **out, const char *url);

/* Accepts NULL; sets *s to NULL. */
void source_free(Source **s);

const SourceInfo *source_info(const Source *s); /* borrowed */

/* Reads the next frame into *f, whose buffer is reused. Returns 0, ERR_END at the end, ERR_STOPPED,
 * or ERR_FAIL. ERR_FAIL means that a file cannot be decoded or that a frame's size differs from the
 * first one's. The message names the file and the frame's position. */
int source_read(Source *s, Frame *f);

/* Makes the next read return frame `index`. Exact, also inside a group of pictures. Not for live
 * sources. */
int source_seek(Source *s, int64_t index);

#endif
