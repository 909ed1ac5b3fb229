#include "video/convert_av.h"

#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>

#include "base/err.h"

/* The deprecated yuvj formats are the plain ones with full range. */
static enum AVPixelFormat plain_format(enum AVPixelFormat format, bool *full) {
    static const enum AVPixelFormat pair[][2] = {{AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P},
                                                 {AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV422P},
                                                 {AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUV444P},
                                                 {AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUV440P},
                                                 {AV_PIX_FMT_YUVJ411P, AV_PIX_FMT_YUV411P}};
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
        if (format == pair[i][0]) {
            *full = true;
            return pair[i][1];
        }
    return format;
}

int convert_to_bgr(struct SwsContext **sws, Frame *f, const AVFrame *in) {
    int code = frame_reserve(f, in->width, in->height);
    if (code)
        return code;
    bool grey = av_pix_fmt_desc_get(in->format)->nb_components < 3; /* TIFF's has no range */
    bool full =
        in->color_range == AVCOL_RANGE_JPEG || (grey && in->color_range == AVCOL_RANGE_UNSPECIFIED);
    enum AVPixelFormat format = plain_format(in->format, &full);
    *sws = sws_getCachedContext(
        *sws, in->width, in->height, format, in->width, in->height, AV_PIX_FMT_BGR24,
        SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INP | SWS_FULL_CHR_H_INT,
        NULL, NULL, NULL);
    if (!*sws)
        return err_set(ERR_FAIL, "pixel format %s cannot be converted to BGR",
                       av_get_pix_fmt_name(in->format));
    /* Fails for formats without a colour matrix, where nothing needs to be set. */
    sws_setColorspaceDetails(*sws, sws_getCoefficients(in->colorspace), full,
                             sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
    uint8_t *plane[4] = {f->data};
    int stride[4] = {3 * in->width};
    sws_scale(*sws, (const uint8_t *const *)in->data, in->linesize, 0, in->height, plane, stride);
    return 0;
}

bool convert_is_damaged(const AVFrame *f) {
    return f->decode_error_flags || (f->flags & AV_FRAME_FLAG_CORRUPT);
}
