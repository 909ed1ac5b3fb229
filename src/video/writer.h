/* Writes videos as MP4: H.264, or MPEG-4 where FFmpeg has no encoder for H.264.
 *
 * A video of a file is written beside its name and takes it at the end, whole. A video of a live
 * source is in its file while the source goes on, in fragments of two seconds: a program that is
 * killed leaves a file that plays up to there. */
#ifndef VIDEO_WRITER_H
#define VIDEO_WRITER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct VideoWriter VideoWriter;

typedef struct {
    int width, height;
    double
        fps; /* of pictures without a time; outside 0.01 to 1000 it is unknown, and 25 is taken */
    double aspect; /* a pixel's width, divided by its height; unknown where it is not above 0 */
    bool live;
} VideoWriterOptions;

/* Opens a temporary file beside `path`, which must end in .mp4. Odd sides grow by one pixel. The
 * file takes its name, and replaces an old file, in video_writer_close; where `live`, it does so as
 * soon as the first picture is in it. One thread at a time may use a writer. */
int video_writer_open(VideoWriter **out, const char *path, const VideoWriterOptions *options);

/* Appends a picture of height x width x 3 that is shown from `seconds` on. The video begins with
 * its first picture, and the others keep their distance from it, to a 10000th of a second. The last
 * one is shown as long as the shorter of the two before. A picture comes 1 / fps after the one
 * before if its time is NaN, not above that one's, or more than a year away; a time below that
 * one's begins the next video of several. Where nothing came for longer than the format can say (1
 * to 30 hours, by encoder and fps), the picture before is repeated.
 *
 * After a failure (a full disk) a video of a file cannot be saved. A live one stays as it was after
 * the last fragment. */
int video_writer_add(VideoWriter *w, const uint8_t *bgr, double seconds);

/* Finishes and syncs the file, and renames it unless it is live; frees *w in any case. Fails also
 * if no picture was added or one failed. After a failure an old file of that name is unchanged
 * unless it was replaced by a live one, and no temporary file is left behind. */
int video_writer_close(VideoWriter **w);

/* Drops the file, or the live file's last unfinished fragment; accepts NULL. */
void video_writer_free(VideoWriter **w);

#endif
