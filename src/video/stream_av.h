/* A video file, network stream or camera as a row of frames. Only source.c calls these functions.
 * One thread at a time may use a stream. */
#ifndef VIDEO_STREAM_AV_H
#define VIDEO_STREAM_AV_H

#include "video/source.h"

typedef struct Stream Stream;

/* Opens a video file (live = false), or a network stream or camera (live = true). Messages show
 * `name` in place of the url; borrowed. */
int stream_open(Stream **out, const char *url, const char *name, bool live, SourceInfo *info);

/* As source_read and source_seek, but for the check of sizes. */
int stream_read(Stream *s, Frame *f);
int stream_seek(Stream *s, int64_t index);
void stream_free(Stream **s);

#endif
