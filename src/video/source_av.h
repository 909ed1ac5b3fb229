/* FFmpeg behind two types: a decoder of single pictures, and a stream of frames. Only source.c
 * calls these functions. One thread at a time may use an object. FFmpeg's own log stays silent. */
#ifndef VIDEO_SOURCE_AV_H
#define VIDEO_SOURCE_AV_H

#include "video/source.h"

/* Reads JPEG, PNG, BMP and TIFF files, recognised by content. Buffers are reused. */
typedef struct ImageDecoder ImageDecoder;

int image_decoder_open(ImageDecoder **out);

/* Decodes one file into f's pixels and size. Any damage is ERR_FAIL; the message names the file. */
int image_decoder_read(ImageDecoder *d, const char *path, Frame *f);
void image_decoder_free(ImageDecoder **d);

/* A video file (live = false), or a network stream or camera (live = true). */
typedef struct Stream Stream;

/* Messages show `name` in place of the url; borrowed. */
int stream_open(Stream **out, const char *url, const char *name, bool live, SourceInfo *info);
int stream_read(Stream *s, Frame *f);
int stream_seek(Stream *s, int64_t index);
void stream_free(Stream **s);

#endif
