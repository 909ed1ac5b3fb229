/* An input that FFmpeg reads packets from: a file, standard input, a network stream or a camera,
 * with what keeps a dead one from holding the program. */
#ifndef VIDEO_INPUT_AV_H
#define VIDEO_INPUT_AV_H

#include <stdatomic.h>

#include <libavformat/avformat.h>

#include "video/url.h"

typedef struct {
    const char *url, *name;    /* name: for messages; both borrowed */
    double timeout;            /* seconds without a byte until a stream or camera counts as gone */
    const atomic_bool *cancel; /* when true, reading ends; borrowed */

    /* Set by input_open. */
    UrlKind kind;
    bool live;   /* it has no end of its own */
    bool parted; /* a playlist: its parts come as they are complete, each at once */
    AVFormatContext *format;
    AVIOContext *pipe;      /* standard input or a named pipe; else NULL */
    int fd;                 /* of the pipe */
    AVStream *video;        /* borrowed from format */
    const AVCodec *decoder; /* for it */

    double deadline; /* of the running call, on the monotonic clock; 0: none */
    double latest;   /* for all deadlines of this call; 0: none */
    int64_t bytes;   /* read when the deadline was set */
    int parts;       /* files of a playlist that are open */
    bool answered;   /* the server sent something */
    bool begun;      /* a packet came */
    bool closing;    /* a request to stop does not interrupt the goodbye */
    bool timed_out;
    int (*open_part)(AVFormatContext *, AVIOContext **, const char *, int, AVDictionary **);
    int (*close_part)(AVFormatContext *, AVIOContext *);
} Input;

/* Opens in->url and finds its video. The caller sets the first fields, the others are zero. On
 * failure nothing is left open. */
int input_open(Input *in);

/* Ends the session with the server or camera, which takes a second at most. Accepts a closed
 * input. */
void input_close(Input *in);

/* The next packet of the video: 0, or FFmpeg's error. */
int input_packet(Input *in, AVPacket *packet);

/* Seeks to the key frame at this time stamp: 0, or FFmpeg's error. */
int input_seek(Input *in, int64_t stamp);

/* Sets the message for FFmpeg's error `e` while `doing` something. */
int input_fail(Input *in, int e, const char *doing);

#endif
