/* Marks on pictures: filled rectangles, lines, text and a heat map. All clip at the border. */
#ifndef VIDEO_DRAW_H
#define VIDEO_DRAW_H

#include "video/frame.h"

typedef struct {
    uint8_t b, g, r;
} Colour;

typedef struct {
    uint8_t *bgr; /* height x width x 3, borrowed */
    int width, height;
} Canvas;

void draw_fill(Canvas c, int x, int y, int w, int h, Colour colour);
void draw_line(Canvas c, int x0, int y0, int x1, int y1, Colour colour);

/* The border of a rectangle, 1 pixel wide, inside it. */
void draw_outline(Canvas c, int x, int y, int w, int h, Colour colour);

/* ASCII in a built-in 5x7 font, each dot `scale` pixels wide. */
void draw_text(Canvas c, int x, int y, int scale, Colour colour, const char *text);

/* Colours values in [0, 1] by a perceptual map (dark to bright: inferno-like), one BGR a value. */
void draw_heat(uint8_t *bgr, const float *values, int64_t n);

/* Blends a heat map of map_w x map_h values in [0, 1] over the whole canvas (bilinear), stronger
 * where the value is higher; 0 leaves the picture as it is. */
void draw_overlay(Canvas c, const float *values, int map_w, int map_h);

#endif
