/* From a decoder's picture to BGR: against swscale, against libjpeg's definition in doubles, and
 * a resize of the picture as it is against one of its BGR. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

#include "base/mem.h"
#include "random.h"
#include "video/convert_av.h"

static const int sizes[][2] = {{64, 48}, {66, 46}, {67, 45}, {1, 1}, {1, 9}, {10, 1}, {2, 2}};
enum { SIZES = sizeof sizes / sizeof *sizes };

static uint8_t random_byte(void) {
    static Rng rng;
    static uint64_t at;
    if (!at)
        rng = rng_stream(21, RNG_TEST, 0, 0);
    return (uint8_t)(rng_uniform(&rng, at++) * 256);
}

static AVFrame *allocate(enum AVPixelFormat format, int width, int height) {
    AVFrame *f = av_frame_alloc();
    assert_non_null(f);
    f->format = format;
    f->width = width;
    f->height = height;
    assert_true(av_frame_get_buffer(f, 0) >= 0);
    return f;
}

/* Noise in every byte that a sample can have. */
static AVFrame *noise(enum AVPixelFormat format, int width, int height) {
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    AVFrame *f = allocate(format, width, height);
    int depth = d->comp[0].depth, mask = ((1 << depth) - 1) << d->comp[0].shift;
    for (int k = 0; k < AV_NUM_DATA_POINTERS && f->buf[k]; k++)
        for (size_t i = 0; i < f->buf[k]->size; i++) {
            uint8_t keep = depth <= 8 ? 255 : (uint8_t)(i & 1 ? mask >> 8 : mask);
            f->buf[k]->data[i] = random_byte() & keep;
        }
    return f;
}

/* What FFmpeg's own conversion makes of it, as BGR. */
static uint8_t *by_swscale(const AVFrame *in) {
    struct SwsContext *sws = sws_getContext(
        in->width, in->height, in->format, in->width, in->height, AV_PIX_FMT_BGR24,
        SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INP | SWS_FULL_CHR_H_INT,
        NULL, NULL, NULL);
    assert_non_null(sws);
    sws_setColorspaceDetails(sws, sws_getCoefficients(in->colorspace),
                             in->color_range == AVCOL_RANGE_JPEG,
                             sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
    uint8_t *bgr = calloc((size_t)in->width * (size_t)in->height + 64, 3);
    sws_scale(sws, (const uint8_t *const *)in->data, in->linesize, 0, in->height,
              (uint8_t *[]){bgr, NULL, NULL, NULL}, (int[]){3 * in->width, 0, 0, 0});
    sws_freeContext(sws);
    return bgr;
}

static void show(Frame *f, const AVFrame *in, int orientation) {
    struct SwsContext *sws = NULL;
    assert_int_equal(convert_frame(&sws, f, in, orientation), 0);
    sws_freeContext(sws);
}

/* Sums above 511 run over in swscale, which then gives 0 for 255. */
static int distance(const uint8_t *own, const uint8_t *other, int64_t n) {
    int worst = 0;
    for (int64_t i = 0; i < n; i++) {
        int d = own[i] == 255 && other[i] == 0 ? 0 : abs(own[i] - other[i]);
        worst = d > worst ? d : worst;
    }
    return worst;
}

static void compare(enum AVPixelFormat format, int width, int height, int range, int space) {
    AVFrame *in = noise(format, width, height);
    in->color_range = range;
    in->colorspace = space;
    Frame f = {0};
    show(&f, in, 0);
    uint8_t *want = by_swscale(in);
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    /* RGB of more than 8 bits takes a way through YUV there. */
    int bound = d->flags & AV_PIX_FMT_FLAG_RGB && d->comp[0].depth > 8 ? 2 : 1;
    int worst = distance(frame_bgr(&f), want, 3LL * width * height);
    if (worst > bound)
        fail_msg("%s, %d x %d, range %d, space %d: %d levels off", d->name, width, height, range,
                 space, worst);
    free(want);
    frame_free(&f);
    av_frame_free(&in);
}

/* Every layout that is read in place differs by one grey level at most; others are swscale's. */
static void test_against_swscale(void **state) {
    (void)state;
    static const int space[] = {AVCOL_SPC_UNSPECIFIED, AVCOL_SPC_BT709, AVCOL_SPC_BT2020_NCL};
    for (int format = 0; format < AV_PIX_FMT_NB; format++) {
        const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
        const uint64_t other = AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT |
                               AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_PAL |
                               AV_PIX_FMT_FLAG_BAYER;
        bool rgb = d && d->flags & AV_PIX_FMT_FLAG_RGB;
        if (!d || !sws_isSupportedInput(format) || d->flags & other ||
            strncmp(d->name, "yuvj", 4) == 0) /* the range is in their name */
            continue;
        for (int k = 0; k < SIZES; k++)
            for (int i = 0; i < (rgb ? 1 : 3); i++) {
                compare(format, sizes[k][0], sizes[k][1], AVCOL_RANGE_JPEG, space[i]);
                if (format != AV_PIX_FMT_GRAY8) /* whose short range swscale does not know */
                    compare(format, sizes[k][0], sizes[k][1], AVCOL_RANGE_MPEG, space[i]);
            }
    }
}

static const enum AVPixelFormat layouts[] = {
    AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P,  AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV444P,
    AV_PIX_FMT_YUV411P, AV_PIX_FMT_YUV440P,   AV_PIX_FMT_NV12,    AV_PIX_FMT_YUYV422,
    AV_PIX_FMT_P010LE,  AV_PIX_FMT_YUV420P10, AV_PIX_FMT_GRAY8,   AV_PIX_FMT_GRAY12,
    AV_PIX_FMT_RGB24,   AV_PIX_FMT_BGRA,      AV_PIX_FMT_GBRP10,  AV_PIX_FMT_YUV410P,
    AV_PIX_FMT_PAL8};

static void check_resize(Frame *f, int width, int height) {
    size_t bytes = (size_t)width * (size_t)height * 3;
    uint8_t *sparse = malloc(bytes + 1), *whole = malloc(bytes);
    sparse[bytes] = 0xa5;
    frame_resize(sparse, width, height, f);
    assert_int_equal(sparse[bytes], 0xa5);
    Frame copy = {0};
    assert_int_equal(frame_reserve(&copy, f->width, f->height), 0);
    frame_resize(copy.bgr, f->width, f->height, f);
    frame_resize(whole, width, height, &copy);
    assert_memory_equal(sparse, whole, bytes);
    frame_free(&copy);
    free(sparse);
    free(whole);
}

/* Without colour, grey is what the colours are: it reads the luma alone. */
static void test_luma(void **state) {
    (void)state;
    static const enum AVPixelFormat formats[] = {AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P,
                                                 AV_PIX_FMT_YUV444P, AV_PIX_FMT_NV12};
    for (size_t l = 0; l < sizeof formats / sizeof *formats; l++)
        for (int turn = 0; turn < 8; turn++) {
            uint8_t colour[24 * 18 * 3], grey[24 * 18];
            AVFrame *in = noise(formats[l], 60, 44);
            for (int c = 1; c < 3 && in->data[c]; c++)
                for (int y = 0; y < (formats[l] == AV_PIX_FMT_YUV444P ? 44 : 22); y++)
                    memset(in->data[c] + y * in->linesize[c], 128,
                           formats[l] == AV_PIX_FMT_YUV420P || formats[l] == AV_PIX_FMT_YUVJ420P
                               ? 30
                               : 60);
            Frame f = {0};
            show(&f, in, turn);
            frame_resize(colour, 24, 18, &f);
            frame_resize_grey(grey, 24, 18, &f);
            for (int k = 0; k < 24 * 18; k++)
                assert_true(abs(grey[k] - colour[3 * k + 1]) <= 1); /* rounded once or twice */
            frame_free(&f);
            av_frame_free(&in);
        }
}

/* A resize reads the same levels as frame_bgr gives, however the picture is stored and shown. */
static void test_resize(void **state) {
    (void)state;
    static const int to[][2] = {{24, 24}, {7, 31}, {300, 5}, {600, 3}, {1, 1}};
    for (size_t l = 0; l < sizeof layouts / sizeof *layouts; l++)
        for (int k = 0; k < SIZES; k++)
            for (int turn = 0; turn < 8; turn++) {
                AVFrame *in = noise(layouts[l], sizes[k][0], sizes[k][1]);
                Frame f = {0};
                show(&f, in, turn);
                for (size_t i = 0; i < sizeof to / sizeof *to; i++)
                    check_resize(&f, to[i][0], to[i][1]);
                check_resize(&f, f.height, f.width);
                frame_free(&f);
                av_frame_free(&in);
            }
}

/* Also wider than what is converted at a time. (Of 4 and 6 rows, swscale blends U and V otherwise.)
 */
static void test_wide(void **state) {
    (void)state;
    AVFrame *in = noise(AV_PIX_FMT_YUV420P, 1310, 16);
    Frame f = {0};
    uint8_t *want = by_swscale(in);
    show(&f, in, 0);
    check_resize(&f, 700, 4);
    check_resize(&f, 1400, 7);
    assert_true(distance(frame_bgr(&f), want, 3LL * 1310 * 16) <= 1);
    free(want);
    frame_free(&f);
    av_frame_free(&in);
}

/* ---- orientation ---- */

/* The pixel of the stored picture that is shown at x, y. */
static const uint8_t *stored(const AVFrame *in, int orientation, int x, int y) {
    int sx = orientation & FRAME_TRANSPOSED ? y : x, sy = orientation & FRAME_TRANSPOSED ? x : y;
    sx = orientation & FRAME_MIRRORED ? in->width - 1 - sx : sx;
    sy = orientation & FRAME_UPSIDE_DOWN ? in->height - 1 - sy : sy;
    return in->data[0] + (ptrdiff_t)sy * in->linesize[0] + (ptrdiff_t)3 * sx;
}

static void test_orientation(void **state) {
    (void)state;
    for (int k = 0; k < SIZES; k++)
        for (int turn = 0; turn < 8; turn++) {
            AVFrame *in = noise(AV_PIX_FMT_BGR24, sizes[k][0], sizes[k][1]);
            Frame f = {0};
            show(&f, in, turn);
            const uint8_t *p = frame_bgr(&f);
            assert_int_equal(f.width, turn & FRAME_TRANSPOSED ? in->height : in->width);
            for (int y = 0; y < f.height; y++)
                for (int x = 0; x < f.width; x++, p += 3)
                    assert_memory_equal(p, stored(in, turn, x, y), 3);
            frame_free(&f);
            av_frame_free(&in);
        }
}

/* FFmpeg's words for the turn (it counts against the clock), and then a mirror. */
static const struct {
    double angle;
    int mirrored, flipped, want;
} turns[] = {{0, 0, 0, 0},
             {0, 1, 0, FRAME_MIRRORED},
             {0, 0, 1, FRAME_UPSIDE_DOWN},
             {180, 0, 0, FRAME_MIRRORED | FRAME_UPSIDE_DOWN},
             {-90, 0, 0, FRAME_TRANSPOSED | FRAME_UPSIDE_DOWN}, /* by the clock: the lower left
                                                                    corner goes to the upper left */
             {90, 0, 0, FRAME_TRANSPOSED | FRAME_MIRRORED},
             {-88, 0, 0, FRAME_TRANSPOSED | FRAME_UPSIDE_DOWN}};

static void set_matrix(int32_t *m, int i) {
    av_display_rotation_set(m, -turns[i].angle); /* which takes the angle by the clock */
    av_display_matrix_flip(m, turns[i].mirrored, turns[i].flipped);
}

static void test_display_matrix(void **state) {
    (void)state;
    AVFormatContext *format = avformat_alloc_context();
    AVStream *stream = avformat_new_stream(format, NULL);
    assert_int_equal(convert_orientation(stream), 0);
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++) {
        AVFrame *in = noise(AV_PIX_FMT_YUV420P, 6, 4);
        int32_t *m = (int32_t *)(void *)av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX,
                                                                9 * sizeof *m);
        set_matrix(m, (int)i);
        assert_int_equal(convert_orientation(stream), turns[i].want);
        AVFrameSideData *own =
            av_frame_new_side_data(in, AV_FRAME_DATA_DISPLAYMATRIX, 9 * sizeof *m);
        set_matrix((int32_t *)(void *)own->data, (int)i);
        Frame f = {0};
        show(&f, in, FRAME_MIRRORED); /* the picture's own takes its place */
        assert_int_equal(f.orientation, turns[i].want);
        frame_free(&f);
        av_frame_free(&in);
    }
    avformat_free_context(format);
}

/* ---- JPEG ---- */

enum { MAX = 32, STRIDE = 40 };

static uint8_t plane[3][MAX * STRIDE];

static Frame jpeg(int width, int height) {
    Frame f = {.width = width, .height = height};
    f.pixels = (Pixels){.kind = PIXELS_YUV,
                        .width = width,
                        .height = height,
                        .depth = 8,
                        .narrow = {1, 1},
                        .full = true,
                        .jpeg = true,
                        .matrix = {104597, 132201, 25675, 53279}};
    for (int k = 0; k < 3; k++)
        f.pixels.part[k] = (Samples){plane[k], 1, STRIDE};
    return f;
}

static double chroma(int k, int x, int y, int w, int h) {
    x = x < 0 ? 0 : x >= w ? w - 1 : x;
    y = y < 0 ? 0 : y >= h ? h - 1 : y;
    return plane[k][y * STRIDE + x];
}

/* Linear between the centres of the chroma samples, which lie amid four pixels. libjpeg rounds
 * halves up and down in turn: 8/16 and 7/16 are added before it cuts. */
static double interpolate(int k, int x, int y, int w, int h) {
    int dx = x % 2 ? 1 : -1, dy = y % 2 ? 1 : -1, odd = x % 2;
    x /= 2, y /= 2;
    double sum = 9 * chroma(k, x, y, w, h) + 3 * chroma(k, x + dx, y, w, h) +
                 3 * chroma(k, x, y + dy, w, h) + chroma(k, x + dx, y + dy, w, h);
    return floor((sum + 8 - odd) / 16) - 128;
}

static double clamped(double v) {
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

/* In its integers, and so to the bit. */
static void check_jpeg(int w, int h) {
    for (size_t i = 0; i < sizeof plane; i++)
        ((uint8_t *)plane)[i] = random_byte();
    uint8_t out[MAX * MAX * 3 + 8];
    memset(out, 0xa5, sizeof out);
    Frame f = jpeg(w, h);
    frame_resize(out, w, h, &f);
    int cw = (w + 1) / 2, ch = (h + 1) / 2;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double luma = plane[0][y * STRIDE + x];
            double u = interpolate(1, x, y, cw, ch), v = interpolate(2, x, y, cw, ch);
            double want[3] = {luma + floor((116130 * u + 32768) / 65536),
                              luma + floor((-22554 * u - 46802 * v + 32768) / 65536),
                              luma + floor((91881 * v + 32768) / 65536)};
            for (int c = 0; c < 3; c++)
                assert_int_equal(out[(y * w + x) * 3 + c], (int)clamped(want[c]));
        }
    for (int i = 0; i < 8; i++)
        assert_int_equal(out[w * h * 3 + i], 0xa5);
}

static void test_jpeg(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++)
        check_jpeg(32, 32);
    check_jpeg(31, 17);
    check_jpeg(1, 1);
    check_jpeg(2, 9);
}

/* Grey stored in three channels, as in Ped2: the luma comes through unchanged. */
static void test_grey(void **state) {
    (void)state;
    uint8_t out[16 * 16 * 3];
    memset(plane[1], 128, sizeof plane[1]);
    memset(plane[2], 128, sizeof plane[2]);
    for (int i = 0; i < 256; i++)
        plane[0][i / 16 * STRIDE + i % 16] = (uint8_t)i;
    Frame f = jpeg(16, 16);
    frame_resize(out, 16, 16, &f);
    for (int i = 0; i < 256 * 3; i++)
        assert_int_equal(out[i], i / 3);
}

/* ---- frames ---- */

static void test_move(void **state) {
    (void)state;
    AVFrame *in = noise(AV_PIX_FMT_YUV420P, 64, 48);
    Frame a = {0}, b = {0};
    uint8_t before[3 * 16 * 16], after[3 * 16 * 16];
    show(&a, in, FRAME_TRANSPOSED);
    show(&b, in, 0);
    frame_resize(before, 16, 16, &a);
    a.index = 7;
    frame_move(&b, &a);
    frame_free(&a);
    av_frame_free(&in);
    frame_resize(after, 16, 16, &b);
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(b.index, 7);
    assert_int_equal(b.width, 48);
    frame_free(&b);
}

/* A frame that is shown again and again allocates nothing of ours. */
static void test_steady(void **state) {
    (void)state;
    AVFrame *in = noise(AV_PIX_FMT_YUV420P, 64, 48), *odd = noise(AV_PIX_FMT_PAL8, 64, 48);
    Frame f = {0};
    uint8_t out[3 * 16 * 16];
    int64_t count = 0;
    for (int i = 0; i < 4; i++) {
        show(&f, in, 0);
        frame_resize(out, 16, 16, &f);
        assert_non_null(frame_bgr(&f));
        show(&f, odd, 0);
        count = i ? count : mem_count();
    }
    assert_int_equal(mem_count(), count);
    frame_free(&f);
    av_frame_free(&in);
    av_frame_free(&odd);
}

int main(void) {
    av_log_set_level(AV_LOG_QUIET);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_swscale),
        cmocka_unit_test(test_resize),
        cmocka_unit_test(test_luma),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_orientation),
        cmocka_unit_test(test_display_matrix),
        cmocka_unit_test(test_jpeg),
        cmocka_unit_test(test_grey),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_steady),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
