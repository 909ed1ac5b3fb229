/* Decodes single pictures: JPEG, PNG, BMP and TIFF files, recognised by content. Only source.c
 * calls it. One thread at a time may use a decoder. */
#ifndef VIDEO_PICTURE_AV_H
#define VIDEO_PICTURE_AV_H

#include "video/frame.h"

/* Buffers are reused. */
typedef struct ImageDecoder ImageDecoder;

int image_decoder_open(ImageDecoder **out);

/* Decodes one file into f's pixels and size. Any damage is ERR_FAIL; the message names the file. */
int image_decoder_read(ImageDecoder *d, const char *path, Frame *f);
void image_decoder_free(ImageDecoder **d);

#endif
