#include "video/picture_av.h"

#include <string.h>

#include <libavcodec/avcodec.h>

#include "base/err.h"
#include "base/mem.h"
#include "video/bytes.h"
#include "video/convert_av.h"
#include "video/ffmpeg.h"
#include "video/yuv.h"

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

static enum AVCodecID codec_of(const uint8_t *p, int64_t n) {
    if (n >= 3 && memcmp(p, "\xff\xd8\xff", 3) == 0)
        return AV_CODEC_ID_MJPEG;
    if (n >= 4 && memcmp(p, "\x89PNG", 4) == 0)
        return AV_CODEC_ID_PNG;
    if (n >= 4 && (memcmp(p, "II*\0", 4) == 0 || memcmp(p, "MM\0*", 4) == 0))
        return AV_CODEC_ID_TIFF;
    return n >= 2 && memcmp(p, "BM", 2) == 0 ? AV_CODEC_ID_BMP : AV_CODEC_ID_NONE;
}

/* The decoder emulates a missing end of image, which hides a file cut short by a few bytes. */
static bool jpeg_is_complete(const uint8_t *p, int64_t n) {
    for (int64_t i = n - 2; i >= 0; i--)
        if (p[i] == 0xff && (p[i + 1] == 0xd9 || p[i + 1] == 0xda))
            return p[i + 1] == 0xd9; /* the end after the last start of scan */
    return false;
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

static int picture_to_bgr(ImageDecoder *d, Frame *f) {
    const AVFrame *in = d->frame;
    if (in->format != AV_PIX_FMT_YUVJ420P)
        return convert_to_bgr(&d->sws, f, in);
    int code = frame_reserve(f, in->width, in->height);
    if (!code)
        yuv420_to_bgr(f->data, (const uint8_t *const *)in->data, in->linesize, in->width,
                      in->height);
    return code;
}

int image_decoder_read(ImageDecoder *d, const char *path, Frame *f) {
    int code = bytes_read(&d->bytes, path, MAX_IMAGE_BYTES);
    if (code)
        return code;
    int64_t n = d->bytes.count;
    enum AVCodecID id = codec_of(d->bytes.data, n);
    if (id == AV_CODEC_ID_NONE)
        return err_set(ERR_FAIL, "%s: not a JPEG, PNG, BMP or TIFF picture", path);
    if ((code = use_codec(d, id)))
        return err_context(code, "%s", path);
    if (id == AV_CODEC_ID_MJPEG && !jpeg_is_complete(d->bytes.data, n))
        return err_set(ERR_FAIL,
                       "%s: the JPEG file is cut short (no end of image in its %lld bytes); copy "
                       "it again",
                       path, (long long)n);
    d->packet->data = d->bytes.data;
    d->packet->size = (int)n;
    d->packet->flags = AV_PKT_FLAG_KEY;
    int e = avcodec_send_packet(d->codec, d->packet);
    if (e >= 0)
        e = avcodec_receive_frame(d->codec, d->frame);
    if (e >= 0 && convert_is_damaged(d->frame))
        e = AVERROR_INVALIDDATA;
    if (e < 0) {
        avcodec_free_context(&d->codec); /* no state of a damaged file may reach the next */
        return err_set(ERR_FAIL, "%s: the picture is damaged or cut short (%s); copy it again",
                       path, ffmpeg_text(e));
    }
    code = picture_to_bgr(d, f);
    av_frame_unref(d->frame);
    return code ? err_context(code, "%s", path) : 0;
}
