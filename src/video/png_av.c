#include "video/png.h"

#include <string.h>

#include <libavcodec/avcodec.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "video/ffmpeg.h"

static int encode_picture(AVCodecContext *codec, AVFrame *frame, AVPacket *packet,
                          const uint8_t *bgr) {
    int rc = av_frame_get_buffer(frame, 0);
    if (rc < 0)
        return rc;
    for (int y = 0; y < frame->height; y++) {
        uint8_t *row = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];
        for (int x = 0; x < frame->width; x++, bgr += 3, row += 3) {
            row[0] = bgr[2];
            row[1] = bgr[1];
            row[2] = bgr[0];
        }
    }
    rc = avcodec_open2(codec, NULL, NULL);
    if (rc >= 0)
        rc = avcodec_send_frame(codec, frame);
    if (rc >= 0)
        rc = avcodec_send_frame(codec, NULL);
    return rc < 0 ? rc : avcodec_receive_packet(codec, packet);
}

int png_encode(uint8_t **data, int64_t *bytes, const uint8_t *bgr, int width, int height) {
    if (width < 1 || height < 1 || width > 16384 || height > 16384)
        return err_set(ERR_FAIL, "cannot write a PNG of %d x %d; sides of 1 to 16384 expected",
                       width, height);
    const AVCodec *png = avcodec_find_encoder(AV_CODEC_ID_PNG);
    AVCodecContext *codec = png ? avcodec_alloc_context3(png) : NULL;
    AVFrame *frame = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    uint8_t *copy = NULL;
    int code = 0, rc = png ? AVERROR(ENOMEM) : AVERROR_ENCODER_NOT_FOUND;
    if (codec && frame && packet) {
        codec->width = frame->width = width;
        codec->height = frame->height = height;
        codec->pix_fmt = frame->format = AV_PIX_FMT_RGB24;
        codec->time_base = (AVRational){1, 25}; /* required, but has no effect */
        codec->thread_count = 1;
        rc = encode_picture(codec, frame, packet, bgr);
    }
    if (rc < 0)
        code = err_set(ERR_FAIL, "cannot write a PNG: encoding: %s", ffmpeg_text(rc));
    else if (!(copy = mem_alloc((size_t)packet->size, 1)))
        code = ERR_FAIL;
    if (!code) {
        memcpy(copy, packet->data, (size_t)packet->size);
        *data = copy;
        *bytes = packet->size;
    }
    av_packet_free(&packet);
    av_frame_free(&frame);
    avcodec_free_context(&codec);
    return code;
}

int png_write(const char *path, const uint8_t *bgr, int width, int height) {
    uint8_t *data;
    int64_t bytes;
    FileOut *f;
    int code = png_encode(&data, &bytes, bgr, width, height);
    if (code)
        return err_context(code, "%s", path);
    code = file_create(&f, path);
    if (!code) {
        file_write(f, data, (size_t)bytes);
        code = file_publish(&f);
    }
    mem_free(data);
    return code;
}
