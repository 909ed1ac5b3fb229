/* From FFmpeg's pictures to ours. */
#ifndef VIDEO_CONVERT_AV_H
#define VIDEO_CONVERT_AV_H

#include <libavutil/frame.h>
#include <libswscale/swscale.h>

#include "video/frame.h"

/* Converts `in` to f's pixels and size. *sws is a context to reuse, at first NULL; the caller frees
 * it. */
int convert_to_bgr(struct SwsContext **sws, Frame *f, const AVFrame *in);

/* Did the decoder report an error in this picture? */
bool convert_is_damaged(const AVFrame *f);

#endif
