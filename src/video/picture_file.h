/* What the bytes of a picture file say before it is decoded. */
#ifndef VIDEO_PICTURE_FILE_H
#define VIDEO_PICTURE_FILE_H

#include <stdint.h>

typedef enum { PICTURE_JPEG, PICTURE_PNG, PICTURE_TIFF, PICTURE_BMP } PictureKind;

/* Tells the kind of the file p[n], and how many bytes of it are the picture: phones and cameras put
 * films and data behind a JPEG. Refuses what is no picture, a JPEG that is cut short, and a TIFF
 * that the decoder gets wrong. */
int picture_file_check(PictureKind *kind, int64_t *bytes, const uint8_t *p, int64_t n);

/* How a PNG or TIFF says that it is shown: FRAME_MIRRORED and so on (video/frame.h). 0 for the
 * others: of a JPEG the decoder tells it. */
int picture_file_orientation(PictureKind kind, const uint8_t *p, int64_t n);

#endif
