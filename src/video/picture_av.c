#include "video/picture_av.h"

#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>

#include "base/err.h"
#include "base/mem.h"
#include "video/bytes.h"
#include "video/convert_av.h"
#include "video/ffmpeg.h"
#include "video/picture_file.h"

enum { MAX_IMAGE_BYTES = 256 << 20 };

struct ImageDecoder {
    AVCodecContext *codec; /* of the last file's kind */
    AVFrame *frame;
    AVPacket *packet; /* points into bytes */
    struct SwsContext *sws;
    Bytes bytes;
};

_Static_assert(BYTES_PADDING >= AV_INPUT_BUFFER_PADDING_SIZE, "decoders read beyond the content");

int image_decoder_open(ImageDecoder **out) {
    ffmpeg_start();
    ImageDecoder *d = mem_alloc(1, sizeof *d);
    if (!d)
        return ERR_FAIL;
    d->frame = av_frame_alloc();
    d->packet = av_packet_alloc();
    if (!d->frame || !d->packet) {
        image_decoder_free(&d);
        return err_set(ERR_FAIL, "out of memory: no picture decoder");
    }
    *out = d;
    return 0;
}

void image_decoder_free(ImageDecoder **out) {
    ImageDecoder *d = *out;
    if (!d)
        return;
    avcodec_free_context(&d->codec);
    av_frame_free(&d->frame);
    av_packet_free(&d->packet);
    sws_freeContext(d->sws);
    bytes_free(&d->bytes);
    mem_free(d);
    *out = NULL;
}

static int use_codec(ImageDecoder *d, enum AVCodecID id) {
    if (d->codec && d->codec->codec_id == id)
        return 0;
    const AVCodec *codec = avcodec_find_decoder(id);
    avcodec_free_context(&d->codec);
    d->codec = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!d->codec)
        return err_set(ERR_FAIL, "this FFmpeg has no decoder for %s", avcodec_get_name(id));
    d->codec->thread_count = 1;
    d->codec->err_recognition = AV_EF_CRCCHECK;
    if (id != AV_CODEC_ID_TIFF) /* there it refuses harmless tags; strips are checked anyway */
        d->codec->err_recognition |= AV_EF_EXPLODE;
    int e = avcodec_open2(d->codec, codec, NULL);
    if (e < 0) {
        avcodec_free_context(&d->codec);
        return err_set(ERR_FAIL, "the decoder for %s does not start: %s", avcodec_get_name(id),
                       ffmpeg_text(e));
    }
    return 0;
}

static enum AVCodecID codec_of(PictureKind kind) {
    static const enum AVCodecID id[] = {[PICTURE_JPEG] = AV_CODEC_ID_MJPEG,
                                        [PICTURE_PNG] = AV_CODEC_ID_PNG,
                                        [PICTURE_TIFF] = AV_CODEC_ID_TIFF,
                                        [PICTURE_BMP] = AV_CODEC_ID_BMP};
    return id[kind];
}

static int decode(ImageDecoder *d, int64_t bytes) {
    d->packet->data = d->bytes.data;
    d->packet->size = (int)bytes;
    d->packet->flags = AV_PKT_FLAG_KEY;
    int e = avcodec_send_packet(d->codec, d->packet);
    if (e >= 0)
        e = avcodec_receive_frame(d->codec, d->frame);
    return e >= 0 && convert_is_damaged(d->frame) ? AVERROR_INVALIDDATA : e;
}

int image_decoder_read(ImageDecoder *d, const char *path, Frame *f) {
    int64_t bytes;
    PictureKind kind;
    int code = bytes_read(&d->bytes, path, MAX_IMAGE_BYTES);
    if (code)
        return code;
    code = picture_file_check(&kind, &bytes, d->bytes.data, d->bytes.count);
    if (!code)
        code = use_codec(d, codec_of(kind));
    if (code)
        return err_context(code, "%s", path);
    int e = decode(d, bytes);
    if (e < 0) {
        avcodec_free_context(&d->codec); /* no state of a damaged file may reach the next */
        return err_set(ERR_FAIL, "%s: the picture is damaged or cut short (%s); copy it again",
                       path, ffmpeg_text(e));
    }
    code =
        convert_picture(&d->sws, f, d->frame, picture_file_orientation(kind, d->bytes.data, bytes));
    av_frame_unref(d->frame);
    return code ? err_context(code, "%s", path) : 0;
}
