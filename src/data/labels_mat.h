/* MATLAB files: `gt` ranges and `volLabel` masks. matio stays in labels_mat.c. */
#ifndef DATA_LABELS_MAT_H
#define DATA_LABELS_MAT_H

#include "data/ranges.h"

/* `gt`: a cell a clip, each 2 x k of [start; end] from 1 (or empty). *out is freed by the caller in
 * any case. */
int ranges_read_mat(Ranges *out, const char *path);

/* Masks of a clip, one bit a pixel: as bytes the longest clip of Avenue would take 330 MB. */
typedef struct {
    int64_t frames;
    int width, height;
    int64_t stride; /* bytes a frame */
    uint8_t *bits;  /* pixel i of a frame is bit i % 8 of its byte i / 8; owned */
} BitMasks;

/* `volLabel`: a cell a frame, each height x width. *out is untouched on failure; its bits are freed
 * with mem_free. */
int bit_masks_read_mat(BitMasks *out, const char *path);

#endif
