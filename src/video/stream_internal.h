/* What stream_av.c (reading) and stream_seek_av.c (finding a frame) share. */
#ifndef VIDEO_STREAM_INTERNAL_H
#define VIDEO_STREAM_INTERNAL_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "video/convert_av.h"
#include "video/stream_av.h"

struct Stream {
    char *url;
    const char *name; /* for messages, borrowed */
    bool live;
    AVFormatContext *format;
    AVCodecContext *codec;
    AVStream *video; /* borrowed from format */
    AVFrame *frame;
    AVPacket *packet;
    struct SwsContext *sws;
    double deadline;   /* of the running I/O call, on the monotonic clock; 0: none */
    int64_t announced; /* frames by the container; -1 unknown */
    int64_t next;      /* position of the next frame */
    bool damaged;      /* a packet was lost since the last frame */
    bool draining;     /* the file is read; the decoder still holds frames */
    bool held;         /* `frame` was decoded while seeking and is the next one */
    bool wait_key;     /* packets before the next key frame are dropped */
    bool lost;         /* something failed: the place in the file is not that of `next` */
    bool indexed;      /* the rest is known */
    int64_t *pts;      /* of every frame in order of presentation; none where they do not tell */
    int64_t *key;      /* of frames where decoding can start, ascending */
    int64_t frames, keys;
};

/* Gives the I/O calls that follow their time. */
void stream_arm(Stream *s);

/* The message for FFmpeg's error `e` while `doing` something. */
int stream_fail(const Stream *s, int e, const char *doing);

int stream_open_input(Stream *s);
int stream_open_codec(Stream *s);
void stream_close_input(Stream *s);

/* The next packet of the video into s->packet: 0, or FFmpeg's error. */
int stream_next_packet(Stream *s);

/* Decodes one frame into s->frame. */
int stream_decode(Stream *s);

#endif
