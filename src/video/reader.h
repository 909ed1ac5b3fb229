/* Reads a source ahead of its user, on a thread of its own, so that the network need not wait for
 * the decoder. Files and cameras take this same path. */
#ifndef VIDEO_READER_H
#define VIDEO_READER_H

#include "video/source.h"

typedef struct Reader Reader;

/* Takes over *source and starts the thread. On failure *source stays the caller's. */
int reader_open(Reader **out, Source **source);

/* Ends a read that is under way, the thread and the source. Accepts NULL. */
void reader_free(Reader **r);

/* The next frame, as source_read; *f and its buffers are exchanged for it. One thread at a time. */
int reader_next(Reader *r, Frame *f);

/* True where the last frame came from a stream or camera so long ago that its pair should not be
 * scored: the user is slower than the source, and newer frames wait. */
bool reader_is_late(Reader *r);

const SourceInfo *reader_info(const Reader *r); /* of the first frame; borrowed */

#endif
