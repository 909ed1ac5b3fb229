#include <math.h>
#include <string.h>

#include "video/frame.h"

/* Weights have 11 bits, as in OpenCV. Two passes on 8-bit grey levels need 30 bits. */
enum { BITS = 11, ONE = 1 << BITS };

/* One output position: its two source positions and the weight of the second. */
typedef struct {
    int a, b;
    int weight;
} Tap;

static void make_taps(Tap *taps, int out, int in) {
    double scale = (double)in / out;
    for (int i = 0; i < out; i++) {
        double at = (i + 0.5) * scale - 0.5;
        double whole = floor(at);
        int a = (int)whole;
        taps[i].weight = (int)lrint((at - whole) * ONE);
        taps[i].a = a < 0 ? 0 : a;
        taps[i].b = a + 1 > in - 1 ? in - 1 : a + 1;
    }
}

static void blend_row(int *out, const uint8_t *in, const Tap *taps, int width) {
    for (int x = 0; x < width; x++, out += 3) {
        const uint8_t *a = in + 3 * taps[x].a, *b = in + 3 * taps[x].b;
        int w = taps[x].weight;
        out[0] = (ONE - w) * a[0] + w * b[0];
        out[1] = (ONE - w) * a[1] + w * b[1];
        out[2] = (ONE - w) * a[2] + w * b[2];
    }
}

static void blend_columns(uint8_t *restrict out, const int *restrict a, const int *restrict b,
                          int weight, int n) {
    int keep = ONE - weight, half = 1 << (2 * BITS - 1);
    for (int i = 0; i < n; i++)
        out[i] = (uint8_t)((a[i] * keep + b[i] * weight + half) >> (2 * BITS));
}

void frame_resize(uint8_t *out, int width, int height, const Frame *in) {
    size_t stride = (size_t)in->width * 3;
    if (in->width == width && in->height == height) {
        memcpy(out, in->data, stride * (size_t)height);
        return;
    }
    Tap tx[width], ty[height];
    int rows[2][3 * width], have[2] = {-1, -1}; /* blended source rows, by parity */
    make_taps(tx, width, in->width);
    make_taps(ty, height, in->height);
    for (int y = 0; y < height; y++) {
        int need[2] = {ty[y].a, ty[y].b};
        for (int k = 0; k < 2; k++)
            if (have[need[k] & 1] != need[k]) {
                blend_row(rows[need[k] & 1], in->data + stride * (size_t)need[k], tx, width);
                have[need[k] & 1] = need[k];
            }
        blend_columns(out + (size_t)y * width * 3, rows[need[0] & 1], rows[need[1] & 1],
                      ty[y].weight, 3 * width);
    }
}
