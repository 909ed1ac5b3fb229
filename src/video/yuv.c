#include "video/yuv.h"

/* Computes one row of chroma at full resolution. Each sample is the sum of 9/16, 3/16, 3/16 and
 * 1/16 of its four neighbours, rounded up and down in turn. `out` has room for 2 n. */
static void upsample(uint8_t *restrict out, const uint8_t *restrict near,
                     const uint8_t *restrict far, int n) {
    int here = 3 * near[0] + far[0], last = here;
    for (int i = 0; i < n; i++) {
        int k = i + 1 < n ? i + 1 : i;
        int next = 3 * near[k] + far[k];
        out[2 * i] = (uint8_t)((3 * here + last + 8) >> 4);
        out[2 * i + 1] = (uint8_t)((3 * here + next + 7) >> 4);
        last = here;
        here = next;
    }
}

static uint8_t clamp(int v) {
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* ITU-R 601, 16-bit fixed point. */
static void convert(uint8_t *restrict bgr, const uint8_t *restrict luma, const uint8_t *restrict cb,
                    const uint8_t *restrict cr, int n) {
    const int half = 1 << 15;
    for (int i = 0; i < n; i++) {
        int y = luma[i], u = cb[i] - 128, v = cr[i] - 128;
        bgr[3 * i] = clamp(y + ((116130 * u + half) >> 16));
        bgr[3 * i + 1] = clamp(y + ((-22554 * u - 46802 * v + half) >> 16));
        bgr[3 * i + 2] = clamp(y + ((91881 * v + half) >> 16));
    }
}

void yuv420_to_bgr(uint8_t *bgr, const uint8_t *const plane[3], const int stride[3], int width,
                   int height) {
    int half_width = (width + 1) / 2, half_height = (height + 1) / 2;
    uint8_t chroma[2][2 * half_width];
    for (int y = 0; y < height; y++) {
        int near = y / 2, far = y % 2 ? near + 1 : near - 1;
        if (far < 0 || far == half_height)
            far = near;
        for (int k = 0; k < 2; k++)
            upsample(chroma[k], plane[k + 1] + (int64_t)near * stride[k + 1],
                     plane[k + 1] + (int64_t)far * stride[k + 1], half_width);
        convert(bgr + (int64_t)y * width * 3, plane[0] + (int64_t)y * stride[0], chroma[0],
                chroma[1], width);
    }
}
