/* From FFmpeg's pictures to ours. */
#ifndef VIDEO_CONVERT_AV_H
#define VIDEO_CONVERT_AV_H

#include "video/frame.h"

struct AVFrame;
struct AVStream;
struct SwsContext;

/* Makes f show `in`, by reference where pixels.h can describe its layout; any other is converted to
 * BGR here. `orientation` is the file's; the picture's own takes its place. *sws is a context to
 * reuse, at first NULL; the caller frees it. */
int convert_frame(struct SwsContext **sws, Frame *f, const struct AVFrame *in, int orientation);

/* The same for a picture from a file, in the arithmetic that the literature has: JPEG's usual
 * layout as libjpeg, all others by swscale. */
int convert_picture(struct SwsContext **sws, Frame *f, const struct AVFrame *in, int orientation);

/* How a stream's pictures are shown, by its display matrix: for convert_frame. */
int convert_orientation(const struct AVStream *stream);

/* Did the decoder report an error in this picture? */
bool convert_is_damaged(const struct AVFrame *f);

/* Gives the buffers back to the decoder; accepts NULL. picture_free also frees what held them. */
void picture_release(struct AVFrame *picture);
void picture_free(struct AVFrame **picture);

#endif
