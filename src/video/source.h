/* Frames from anywhere, by URL:
 *   a folder of images       sorted by name, numbers in it by value; position counts, no number
 * does a video file             whatever FFmpeg reads; also as file://...; "-" is standard input
 *   rtsp://, http://, ...    streams, and recordings on a server
 *   /dev/video0              V4L2
 *   a single image           one frame
 * One thread at a time may use a Source. A blocked read ends when stop_requested() turns true, or
 * when source_cancel is called. */
#ifndef VIDEO_SOURCE_H
#define VIDEO_SOURCE_H

#include "video/frame.h"
#include "video/source_options.h"

typedef struct Source Source;

typedef struct {
    int width, height; /* of the first frame */
    int64_t frames;    /* -1 where only reading to the end can tell */
    double fps;        /* 0 where unknown */
    double aspect;     /* width of a pixel, divided by its height */
    bool live;         /* a stream or camera: no end, no seeking */
    bool in_parts;     /* seconds of it come at once, as from a playlist */
} SourceInfo;

/* Opens `url`. Decodes only as much as it takes to learn the frame size. On failure *out is
 * untouched, and the message names the url, without secrets, and tells what to do. source_open
 * takes the default options, and so does NULL. `options` is copied. */
int source_open(Source **out, const char *url);
int source_open_with(Source **out, const char *url, const SourceOptions *options);

/* Accepts NULL; sets *s to NULL. */
void source_free(Source **s);

const SourceInfo *source_info(const Source *s); /* borrowed */
const char *source_name(const Source *s);       /* the url without secrets; borrowed */

/* Frames that are read from now on carry `ignore`, which is borrowed; NULL: nothing. */
void source_ignore(Source *s, const Ignore *ignore);

/* Ends a read that another thread is in, and all later ones, with ERR_STOPPED. Any thread. */
void source_cancel(Source *s);

/* Reads the next frame into *f, whose buffer is reused. Returns 0, ERR_END at the end, ERR_STOPPED,
 * or ERR_FAIL. ERR_FAIL means that a file cannot be decoded, that a frame's size differs from the
 * first one's, or that a stream or camera is lost and options.no_reconnect is set. The message
 * names the file and the frame's position. A stream or camera may change its size; the frame then
 * comes after a gap. */
int source_read(Source *s, Frame *f);

/* The seconds of all frames, *n of them, NULL where they have none; the caller frees them with
 * mem_free. Reads all packets of a file, and decodes it where they do not tell. Reading goes on at
 * the first frame. Not for live sources. */
int source_times(Source *s, double **seconds, int64_t *n);

/* Makes the next read return frame `index`. Exact, also inside a group of pictures. Not for live
 * sources. */
int source_seek(Source *s, int64_t index);

#endif
