/* A video file, network stream or camera as a row of frames. One thread at a time may use a
 * stream. */
#ifndef VIDEO_STREAM_AV_H
#define VIDEO_STREAM_AV_H

#include <stdatomic.h>

#include "video/source.h"

typedef struct Stream Stream;

/* Opens `url` (url.h). Messages show `name` in place of it. `timeout`: seconds without a byte until
 * a stream or camera counts as gone. Once *cancel (borrowed) is true, calls return ERR_STOPPED. */
int stream_open(Stream **out, const char *url, const char *name, double timeout,
                const atomic_bool *cancel, SourceInfo *info);

/* As source_read, source_seek and source_times, but for the check of sizes. A camera or server that
 * goes away is ERR_FAIL or ERR_END. */
int stream_read(Stream *s, Frame *f);
int stream_seek(Stream *s, int64_t index);
int stream_times(Stream *s, double **seconds, int64_t *n);
void stream_free(Stream **s);

#endif
