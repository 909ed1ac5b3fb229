/* Pictures and videos out: PNG, and H.264 (else MPEG-4) in MP4, whichever encoder FFmpeg has. */
#ifndef VIDEO_WRITER_H
#define VIDEO_WRITER_H

#include "video/frame.h"

/* One PNG, atomically (temporary file, rename) but not synced to the disk. `bgr` is
 * height x width x 3. Any thread. */
int png_write(const char *path, const uint8_t *bgr, int width, int height);

/* The same PNG as bytes in memory; *data is owned by the caller (mem_free). */
int png_encode(uint8_t **data, int64_t *bytes, const uint8_t *bgr, int width, int height);

typedef struct VideoWriter VideoWriter;

/* Opens a temporary file beside `path`, which must end in .mp4; video_writer_close gives it that
 * name. Odd sides grow by one pixel. One thread at a time may use a writer. */
int video_writer_open(VideoWriter **out, const char *path, int width, int height, double fps);

/* Appends a picture of height x width x 3. After a failure (a full disk) the file cannot be saved.
 */
int video_writer_add(VideoWriter *w, const uint8_t *bgr);

/* Finishes the file, syncs and renames it; frees *w in any case. On failure, also when no frame was
 * added, nothing is left behind and an old file of that name is as it was. */
int video_writer_close(VideoWriter **w);

/* Drops the file; accepts NULL. */
void video_writer_free(VideoWriter **w);

#endif
