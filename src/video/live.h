/* A network stream or camera that comes back: a lost one is opened again until it is there. Only
 * source.c calls these functions. One thread at a time may use an object. */
#ifndef VIDEO_LIVE_H
#define VIDEO_LIVE_H

#include "video/source_options.h"
#include "video/stream_av.h"

typedef struct Live Live;

/* Takes over an open stream and the arguments that it was opened with. If reconnecting is off, a
 * loss is an error. */
int live_open(Live **out, Stream **stream, const char *url, const char *name,
              const SourceOptions *options, const atomic_bool *cancel);
void live_free(Live **l);

/* The next frame. After a loss it waits for the source, 1 to 60 seconds between two tries, and says
 * so on stderr. The first frame after a gap says so; indices and seconds go on. ERR_FAIL, or
 * ERR_STOPPED. */
int live_read(Live *l, Frame *f);

#endif
