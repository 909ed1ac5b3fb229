/* The pictures of the demo scene: a street and the figures on it, antialiased. Coordinates are
 * those of a 160 x 120 picture at any real size. y grows downwards. A figure's y is that of its
 * feet. */
#ifndef VIDEO_SCENE_PAINT_H
#define VIDEO_SCENE_PAINT_H

#include <stdbool.h>
#include <stdint.h>

enum { SCENE_WIDTH = 160, SCENE_HEIGHT = 120 };

/* The picture to paint on and its mask (height x width, or NULL). The mask marks visible anomalies:
 * a shape that covers at least half of a pixel sets the pixel to 255 if `anomaly` is set, else to
 * 0. */
typedef struct {
    uint8_t *bgr, *mask;
    int width, height;
    bool anomaly;
} Easel;

typedef struct {
    uint8_t b, g, r;
} Paint;

typedef struct {
    float x, y;    /* the point between the feet */
    float scale;   /* at 1 the figure is 26 high */
    int direction; /* +1 walks to the right, -1 to the left */
    float phase;   /* of the gait or the pedals, radians */
    float swing;   /* of the legs, radians: 0.45 walks, 0.85 runs */
    int clothes;   /* number of an outfit; any number is valid */
    bool striped;  /* covered with stripes that no outfit has */
} Figure;

/* Fills the whole picture. */
void paint_street(Easel *e);

/* Things at fixed places in the street. The macros are their y, for the order of painting. */
#define LAMP_Y 63.0f
#define PLANTER_Y 71.0f
void paint_lamp(Easel *e);
void paint_planter(Easel *e);

void paint_person(Easel *e, const Figure *f);
void paint_cyclist(Easel *e, const Figure *f);

/* A bag whose lowest point is `height` above the ground at (x, y). */
void paint_bag(Easel *e, float x, float y, float scale, float height);

#endif
