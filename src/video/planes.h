/* Converts between 8-bit BGR pictures and the network's planes (3, height, width) in [-1, 1]
 * (method B.1). */
#ifndef VIDEO_PLANES_H
#define VIDEO_PLANES_H

#include <stdint.h>

/* Computes x / 127.5 - 1 for each channel. */
void planes_from_bgr(float *planes, const uint8_t *bgr, int64_t pixels);

/* Converts planes from planes_from_bgr, in place, to the input of networks trained on ImageNet:
 * RGB, minus the mean of ImageNet's pixels, divided by their deviation. */
void planes_to_imagenet(float *planes, int64_t pixels);

/* The inverse of planes_from_bgr, rounded and clamped to 8 bits. */
void planes_to_bgr(uint8_t *bgr, const float *planes, int64_t pixels);

#endif
