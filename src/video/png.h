/* Writes pictures as PNG. */
#ifndef VIDEO_PNG_H
#define VIDEO_PNG_H

#include <stdint.h>

/* Writes a PNG atomically (temporary file, rename), without syncing it to the disk. `bgr` is height
 * x width x 3. Any thread. */
int png_write(const char *path, const uint8_t *bgr, int width, int height);

/* Writes the same PNG to memory. The caller owns *data and frees it with mem_free. */
int png_encode(uint8_t **data, int64_t *bytes, const uint8_t *bgr, int width, int height);

#endif
