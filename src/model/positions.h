/* Learned positions for another number of patches: what a network of one input size learned, as a
 * start for another. Grids are square; numbers of patches are those of a side. */
#ifndef MODEL_POSITIONS_H
#define MODEL_POSITIONS_H

#include <stdint.h>

/* Rows of a table of relative positions: offsets row by row, then three for cls (method A.3). */
int64_t positions_table_rows(int64_t patches);

/* A table (rows, heads) for `to` patches out of one for `from`, as SimMIM and BEiT fine-tune at
 * another size (method A.10): the old offsets stand at distances that grow geometrically, so that
 * neighbours stay neighbours, and a bicubic spline runs through them. cls keeps its three rows.
 * ERR_FAIL where `from` is below 3, too few for a spline, or memory is out. */
int positions_resize_table(float *out, const float *in, int64_t from, int64_t to, int64_t heads);

/* An embedding (1 + patches^2, width) for `to` patches out of one for `from`, as MAE fine-tunes at
 * another size: PyTorch's interpolate(mode="bicubic", align_corners=False). cls keeps its row.
 * ERR_FAIL where memory is out. */
int positions_resize_embed(float *out, const float *in, int64_t from, int64_t to, int64_t width);

#endif
