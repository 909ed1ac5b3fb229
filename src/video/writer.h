/* Writes pictures as PNG and videos as MP4: H.264, or MPEG-4 where FFmpeg has no encoder for
 * H.264. */
#ifndef VIDEO_WRITER_H
#define VIDEO_WRITER_H

#include "video/frame.h"

/* Writes a PNG atomically (temporary file, rename), without syncing it to the disk. `bgr` is height
 * x width x 3. Any thread. */
int png_write(const char *path, const uint8_t *bgr, int width, int height);

/* Writes the same PNG to memory. The caller owns *data and frees it with mem_free. */
int png_encode(uint8_t **data, int64_t *bytes, const uint8_t *bgr, int width, int height);

typedef struct VideoWriter VideoWriter;

/* Opens a temporary file beside `path`, which must end in .mp4. video_writer_close renames it to
 * `path`. Odd sides grow by one pixel. One thread at a time may use a writer. */
int video_writer_open(VideoWriter **out, const char *path, int width, int height, double fps);

/* Appends a picture of height x width x 3. After a failure (a full disk) the file cannot be saved.
 */
int video_writer_add(VideoWriter *w, const uint8_t *bgr);

/* Finishes the file, syncs and renames it; frees *w in any case. Fails also if no frame was added.
 * After a failure no file is left behind, and an old file of that name is unchanged. */
int video_writer_close(VideoWriter **w);

/* Drops the file; accepts NULL. */
void video_writer_free(VideoWriter **w);

#endif
