/* Whether a file is a video, by what is in it and not by its name. */
#ifndef VIDEO_PROBE_AV_H
#define VIDEO_PROBE_AV_H

#include <stdbool.h>

/* True for a regular file that FFmpeg takes for a recording with at least one stream of pictures
 * that it can decode and whose size it knows. Pictures, texts and the covers in sound files are
 * none. What has the first bytes of something else is told from those alone. Sets no message. */
bool probe_is_video(const char *path);

#endif
