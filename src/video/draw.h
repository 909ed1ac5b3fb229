/* Marks on pictures: filled rectangles, lines, text and a heat map. All functions clip at the
 * border. */
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

/* Draws a border 1 pixel wide just inside a rectangle. */
void draw_outline(Canvas c, int x, int y, int w, int h, Colour colour);

/* Draws ASCII text in a built-in 5x7 font. Each dot is `scale` pixels wide. */
void draw_text(Canvas c, int x, int y, int scale, Colour colour, const char *text);

/* Turns each value in [0, 1] into a BGR pixel by a perceptual map from dark to bright
 * (inferno-like). */
void draw_heat(uint8_t *bgr, const float *values, int64_t n);

/* Blends a heat map of map_w x map_h values in [0, 1] over the whole canvas (bilinear). Higher
 * values cover the picture more; 0 leaves it unchanged. */
void draw_overlay(Canvas c, const float *values, int map_w, int map_h);

#endif
