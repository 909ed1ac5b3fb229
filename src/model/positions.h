/* Resizes learned positions to another number of patches, so that a network can start from one of
 * another input size. Grids are square; a number of patches is that of one side. */
#ifndef MODEL_POSITIONS_H
#define MODEL_POSITIONS_H

#include <stdint.h>

/* The number of rows of a table of relative positions: first the offsets row by row, then three
 * rows for cls (method A.3). */
int64_t positions_table_rows(int64_t patches);

/* Resizes a table (rows, heads) from `from` to `to` patches, as SimMIM and BEiT do to fine-tune at
 * another size (method A.10). The old offsets are placed at distances that grow geometrically, so
 * that neighbours stay neighbours, and a bicubic spline runs through them. cls keeps its three
 * rows. ERR_FAIL if `from` is below 3, too few for a spline, or memory is out. */
int positions_resize_table(float *out, const float *in, int64_t from, int64_t to, int64_t heads);

/* Resizes an embedding (1 + patches^2, width) from `from` to `to` patches, as MAE does to fine-tune
 * at another size: PyTorch's interpolate(mode="bicubic", align_corners=False). cls keeps its row.
 * ERR_FAIL if memory is out. */
int positions_resize_embed(float *out, const float *in, int64_t from, int64_t to, int64_t width);

#endif
