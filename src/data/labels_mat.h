/* Reads MATLAB files: `gt` ranges, vectors of labels and `volLabel` masks. Only labels_mat.c sees
 * matio. */
#ifndef DATA_LABELS_MAT_H
#define DATA_LABELS_MAT_H

#include "data/ranges.h"

/* Reads `gt`: one cell per clip, each empty or 2 x k of [start; end], counted from 1. Without it,
 * reads the labels of all frames from a vector of any type that is called gt or has "label" in its
 * name: *value, which is NULL otherwise; the caller frees it with mem_free. The caller zeroes
 * *ranges before and frees it in any case. */
int labels_read_mat(Ranges *ranges, double **value, int64_t *count, const char *path);

/* Masks of a clip, one bit per pixel. As bytes the longest clip of Avenue would take 330 MB. */
typedef struct {
    int64_t frames;
    int width, height;
    int64_t stride; /* bytes a frame */
    uint8_t *bits;  /* pixel i of a frame is bit i % 8 of its byte i / 8; owned */
} BitMasks;

/* Reads `volLabel`: one cell per frame, each height x width. On failure *out is untouched. The
 * caller frees the bits with mem_free. */
int bit_masks_read_mat(BitMasks *out, const char *path);

#endif
