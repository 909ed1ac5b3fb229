#include "video/picture_file.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "video/frame.h"

static bool starts(const uint8_t *p, int64_t n, const char *with, int64_t bytes) {
    return n >= bytes && memcmp(p, with, (size_t)bytes) == 0;
}

static int find_kind(PictureKind *kind, const uint8_t *p, int64_t n) {
    if (starts(p, n, "\xff\xd8\xff", 3))
        *kind = PICTURE_JPEG;
    else if (starts(p, n, "\x89PNG", 4))
        *kind = PICTURE_PNG;
    else if (starts(p, n, "II*\0", 4) || starts(p, n, "MM\0*", 4))
        *kind = PICTURE_TIFF;
    else if (starts(p, n, "BM", 2))
        *kind = PICTURE_BMP;
    else
        return err_set(ERR_FAIL, "not a JPEG, PNG, BMP or TIFF picture");
    return 0;
}

/* Follows the markers, each of which gives its length, so that bytes that look like an end inside a
 * preview or behind the picture mislead nobody. Coded pixels hold no 0xff that
 * looks like one, but for RST (0xd0 to 0xd7), which has no length. Returns 0 where there
 * is no end. */
static int64_t jpeg_end(const uint8_t *p, int64_t n) {
    for (int64_t i = 2; i + 1 < n;) {
        uint8_t marker = p[i + 1];
        if (p[i] != 0xff || marker == 0xff || marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd8))
            i++;
        else if (marker == 0xd9)
            return i + 2;
        else if (i + 3 < n)
            i += 2 + (p[i + 2] << 8 | p[i + 3]);
        else
            break;
    }
    return 0;
}

/* The decoder emulates a missing end of image, which hides a file cut short by a few bytes. */
static int check_jpeg(int64_t *bytes, const uint8_t *p, int64_t n) {
    *bytes = jpeg_end(p, n);
    return *bytes ? 0
                  : err_set(ERR_FAIL,
                            "the JPEG file is cut short (no end of image in its %lld bytes); copy "
                            "it again",
                            (long long)n);
}

static uint32_t number(const uint8_t *p, bool big, int bytes) {
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint32_t)p[i] << 8 * (big ? bytes - 1 - i : i);
    return v;
}

/* A number of 16 bits in the first directory of a TIFF; -1 where there is none. */
static int tiff_tag(const uint8_t *p, int64_t n, uint32_t tag) {
    bool big = n > 0 && p[0] == 'M';
    int64_t at = n >= 8 ? number(p + 4, big, 4) : n;
    int64_t count = at + 2 <= n ? number(p + at, big, 2) : 0;
    for (int64_t i = 0, entry = at + 2; i < count && entry + 12 <= n; i++, entry += 12)
        if (number(p + entry, big, 2) == tag)
            return (int)number(p + entry + 8, big, 2);
    return -1;
}

/* By the numbers of EXIF, 1 to 8. */
static int orientation(int number) {
    static const int flags[] = {0,
                                FRAME_MIRRORED,
                                FRAME_MIRRORED | FRAME_UPSIDE_DOWN,
                                FRAME_UPSIDE_DOWN,
                                FRAME_TRANSPOSED,
                                FRAME_TRANSPOSED | FRAME_UPSIDE_DOWN,
                                FRAME_TRANSPOSED | FRAME_MIRRORED | FRAME_UPSIDE_DOWN,
                                FRAME_TRANSPOSED | FRAME_MIRRORED};
    return number >= 1 && number <= 8 ? flags[number - 1] : 0;
}

/* Its chunk eXIf has the form of a TIFF without a picture. */
static int png_orientation(const uint8_t *p, int64_t n) {
    for (int64_t at = 8; at + 12 <= n;) {
        int64_t bytes = number(p + at, true, 4);
        if (bytes > n - at - 12)
            return 0;
        if (memcmp(p + at + 4, "eXIf", 4) == 0)
            return orientation(tiff_tag(p + at + 8, bytes, 274));
        at += 12 + bytes;
    }
    return 0;
}

int picture_file_orientation(PictureKind kind, const uint8_t *p, int64_t n) {
    return kind == PICTURE_PNG    ? png_orientation(p, n)
           : kind == PICTURE_TIFF ? orientation(tiff_tag(p, n, 274))
                                  : 0;
}

/* FFmpeg's decoder gives a picture that is black, or wrong in its colours. */
static int check_tiff(const uint8_t *p, int64_t n) {
    int compression = tiff_tag(p, n, 259);
    if (compression != 6 && compression != 7)
        return 0;
    return err_set(
        ERR_FAIL,
        "a TIFF with JPEG inside (compression %d), which FFmpeg decodes wrongly; rewrite "
        "it without loss, by libtiff: tiffcp -c lzw FILE NEW",
        compression);
}

int picture_file_check(PictureKind *kind, int64_t *bytes, const uint8_t *p, int64_t n) {
    int code = find_kind(kind, p, n);
    *bytes = n;
    if (!code && *kind == PICTURE_JPEG)
        code = check_jpeg(bytes, p, n);
    if (!code && *kind == PICTURE_TIFF)
        code = check_tiff(p, n);
    return code;
}
