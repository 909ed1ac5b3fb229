/* Writes videos as MP4: H.264, or MPEG-4 where FFmpeg has no encoder for H.264. */
#ifndef VIDEO_WRITER_H
#define VIDEO_WRITER_H

#include <stdint.h>

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
