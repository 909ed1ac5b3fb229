/* Converts JPEG's usual pixels to BGR in libjpeg's arithmetic, as the literature does. swscale
 * interpolates chroma differently (up to 100 grey levels at coloured edges). */
#ifndef VIDEO_YUV_H
#define VIDEO_YUV_H

#include <stdint.h>

/* `plane`: Y, Cb and Cr of full range, 4:2:0 with centred chroma, rows `stride` bytes apart. `bgr`:
 * height x width x 3. */
void yuv420_to_bgr(uint8_t *bgr, const uint8_t *const plane[3], const int stride[3], int width,
                   int height);

#endif
