#include "video/convert_av.h"

#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

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

/* A picture without colour and without a tag has the full range, as TIFF's and PNG's. */
static bool is_full(const AVFrame *in) {
    bool grey = av_pix_fmt_desc_get(in->format)->nb_components < 3;
    return in->color_range == AVCOL_RANGE_JPEG ||
           (grey && in->color_range == AVCOL_RANGE_UNSPECIFIED);
}

static int convert_by_swscale(struct SwsContext **sws, Frame *f, const AVFrame *in) {
    int code = frame_reserve(f, in->width, in->height);
    if (code)
        return code;
    bool full = is_full(in);
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
    uint8_t *plane[4] = {f->bgr};
    int stride[4] = {3 * in->width};
    sws_scale(*sws, (const uint8_t *const *)in->data, in->linesize, 0, in->height, plane, stride);
    return 0;
}

/* ---- layouts ---- */

/* Are samples whole bytes, the low one first, at equal distances? */
static bool is_plain(const AVPixFmtDescriptor *d) {
    const uint64_t odd = AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_HWACCEL |
                         AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_BAYER;
    const AVComponentDescriptor *c = d->comp;
    bool deep = c[0].depth > 8;
    if (d->flags & odd || c[0].depth < 8 || c[0].depth + c[0].shift > (deep ? 16 : 8))
        return false;
    for (int k = 1; k < 3 && d->nb_components >= 3; k++)
        if (c[k].depth != c[0].depth || c[k].shift != c[0].shift || c[k].step != c[1].step)
            return false;
    bool xyz = strncmp(d->name, "xyz", 3) == 0;
    return !xyz && !(deep && d->flags & AV_PIX_FMT_FLAG_BE) && strcmp(d->name, "uyyvyy411") != 0;
}

/* Can pixels.h describe it? swscale stretches U and V where they do not fit the size, and is
 * followed in that by having it do so. */
static bool is_known(const AVFrame *in) {
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(in->format);
    if (!is_plain(d))
        return false;
    bool yuv = d->nb_components >= 3 && !(d->flags & AV_PIX_FMT_FLAG_RGB);
    int w = d->log2_chroma_w, h = d->log2_chroma_h;
    return !yuv || (d->comp[0].depth <= 12 && w <= 2 && h <= 1 && in->width % (1 << w) == 0 &&
                    in->height % (1 << h) == 0);
}

static Samples samples(const AVFrame *in, const AVComponentDescriptor *c) {
    return (Samples){in->data[c->plane] + c->offset, c->step, in->linesize[c->plane]};
}

static void describe(Pixels *p, const AVFrame *in) {
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(in->format);
    bool full = is_full(in), rgb = d->flags & AV_PIX_FMT_FLAG_RGB;
    plain_format(in->format, &full);
    *p = (Pixels){.kind = rgb                     ? PIXELS_BGR
                          : d->nb_components >= 3 ? PIXELS_YUV
                                                  : PIXELS_GREY,
                  .width = in->width,
                  .height = in->height,
                  .depth = d->comp[0].depth,
                  .shift = d->comp[0].shift,
                  .full = full || rgb};
    int parts = p->kind == PIXELS_GREY ? 1 : 3;
    for (int k = 0; k < parts; k++)
        p->part[k] = samples(in, &d->comp[rgb ? 2 - k : k]);
    if (p->kind == PIXELS_YUV) {
        p->narrow[0] = d->log2_chroma_w;
        p->narrow[1] = d->log2_chroma_h;
        memcpy(p->matrix, sws_getCoefficients(in->colorspace), sizeof p->matrix);
    }
}

/* ---- orientations ---- */

/* The matrix has (a, b, u, c, d, v, ...): the picture's x and y go to a x + c y and b x + d y. It
 * is taken as the nearest quarter turn, with a reflection or without. */
static int by_matrix(const int32_t *m) {
    int64_t a = m[0], b = m[1], c = m[3], d = m[4];
    if (llabs(a) + llabs(d) >= llabs(b) + llabs(c))
        return (a < 0 ? FRAME_MIRRORED : 0) | (d < 0 ? FRAME_UPSIDE_DOWN : 0);
    return FRAME_TRANSPOSED | (b < 0 ? FRAME_MIRRORED : 0) | (c < 0 ? FRAME_UPSIDE_DOWN : 0);
}

int convert_orientation(const AVStream *stream) {
    size_t size = 0;
    const uint8_t *data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    return data && size >= 9 * sizeof(int32_t) ? by_matrix((const int32_t *)data) : 0;
}

static void orient(Frame *f, const AVFrame *in, int orientation) {
    const AVFrameSideData *own = av_frame_get_side_data(in, AV_FRAME_DATA_DISPLAYMATRIX);
    if (own && own->size >= 9 * sizeof(int32_t))
        orientation = by_matrix((const int32_t *)own->data);
    f->orientation = orientation;
    if (orientation & FRAME_TRANSPOSED) {
        f->width = in->height;
        f->height = in->width;
    }
}

/* ---- */

static int refer(Frame *f, const AVFrame *in) {
    if (!f->picture && !(f->picture = av_frame_alloc()))
        return err_set(ERR_FAIL, "out of memory: no place for a picture");
    av_frame_unref(f->picture);
    if (av_frame_ref(f->picture, in) < 0)
        return err_set(ERR_FAIL, "out of memory: a picture of %d x %d pixels", in->width,
                       in->height);
    describe(&f->pixels, f->picture);
    f->width = in->width;
    f->height = in->height;
    return 0;
}

int convert_frame(struct SwsContext **sws, Frame *f, const AVFrame *in, int orientation) {
    int code = is_known(in) ? refer(f, in) : convert_by_swscale(sws, f, in);
    if (!code)
        orient(f, in, orientation);
    return code;
}

int convert_picture(struct SwsContext **sws, Frame *f, const AVFrame *in, int orientation) {
    bool usual = in->format == AV_PIX_FMT_YUVJ420P;
    int code = usual ? refer(f, in) : convert_by_swscale(sws, f, in);
    if (code)
        return code;
    if (usual) {
        memcpy(f->pixels.matrix, sws_getCoefficients(SWS_CS_DEFAULT), sizeof f->pixels.matrix);
        f->pixels.jpeg = true;
    }
    orient(f, in, orientation);
    return 0;
}

bool convert_is_damaged(const AVFrame *f) {
    return f->decode_error_flags || (f->flags & AV_FRAME_FLAG_CORRUPT);
}

void picture_release(AVFrame *picture) {
    if (picture)
        av_frame_unref(picture);
}

void picture_free(AVFrame **picture) {
    av_frame_free(picture);
}
