/* What stream_av.c (reading) and stream_seek_av.c (finding a frame) share. */
#ifndef VIDEO_STREAM_INTERNAL_H
#define VIDEO_STREAM_INTERNAL_H

#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>

#include "video/convert_av.h"
#include "video/input_av.h"
#include "video/stream_av.h"
#include "video/timeline.h"

struct Stream {
    char *url, *name;
    Input input;
    AVCodecContext *codec;
    AVFrame *frame;
    AVPacket *packet;
    struct SwsContext *sws;
    Timeline time;     /* up to `frame` */
    double seconds;    /* of `frame` */
    int orientation;   /* of its pictures: FRAME_MIRRORED and so on */
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

/* Opens the input and its decoder, at the first frame; and closes both. */
int stream_start(Stream *s);
void stream_end(Stream *s);

/* The next packet of the video into s->packet: 0, or FFmpeg's error. */
int stream_packet(Stream *s);

/* Decodes one frame into s->frame and s->seconds. */
int stream_decode(Stream *s);

#endif
