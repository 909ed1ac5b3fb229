#include "video/planes.h"

#include <math.h>

void planes_from_bgr(float *planes, const uint8_t *bgr, int64_t pixels) {
    for (int c = 0; c < 3; c++)
        for (int64_t i = 0; i < pixels; i++)
            planes[c * pixels + i] = (float)bgr[3 * i + c] / 127.5f - 1;
}

void planes_to_imagenet(float *planes, int64_t pixels) {
    static const float mean[3] = {0.485f, 0.456f, 0.406f}, deviation[3] = {0.229f, 0.224f, 0.225f};
    for (int64_t i = 0; i < pixels; i++) {
        const float rgb[3] = {planes[2 * pixels + i], planes[pixels + i], planes[i]};
        for (int c = 0; c < 3; c++)
            planes[c * pixels + i] = ((rgb[c] + 1) / 2 - mean[c]) / deviation[c];
    }
}

void planes_to_bgr(uint8_t *bgr, const float *planes, int64_t pixels) {
    for (int c = 0; c < 3; c++)
        for (int64_t i = 0; i < pixels; i++) {
            float v = (planes[c * pixels + i] + 1) * 127.5f + 0.5f;
            bgr[3 * i + c] = (uint8_t)fminf(fmaxf(v, 0), 255);
        }
}
