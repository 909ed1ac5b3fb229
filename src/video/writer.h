/* Pictures and videos out: PNG, and H.264/MPEG-4 in MP4 (whatever encoder FFmpeg has). */
#ifndef VIDEO_WRITER_H
#define VIDEO_WRITER_H

#include "video/frame.h"

/* One PNG, atomically (temporary file, rename). `bgr` is height x width x 3. */
int png_write(const char *path, const uint8_t *bgr, int width, int height);

/* The same PNG as bytes in memory; *data is owned by the caller (mem_free). */
int png_encode(uint8_t **data, int64_t *bytes, const uint8_t *bgr, int width, int height);

typedef struct VideoWriter VideoWriter;

/* Opens path.tmp..., renamed to `path` by video_writer_close. Odd sizes are allowed. */
int video_writer_open(VideoWriter **out, const char *path, int width, int height, double fps);
int video_writer_add(VideoWriter *w, const uint8_t *bgr);

/* Finishes the file and renames it; frees *w in any case. */
int video_writer_close(VideoWriter **w);

/* Drops the file; accepts NULL. */
void video_writer_free(VideoWriter **w);

#endif
