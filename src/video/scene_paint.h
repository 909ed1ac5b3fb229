/* The pictures of the demo scene: a street and the figures on it, antialiased. Coordinates are
 * those of a 160 x 120 picture, whatever the real size; y grows downwards and is where feet stand.
 */
#ifndef VIDEO_SCENE_PAINT_H
#define VIDEO_SCENE_PAINT_H

#include <stdbool.h>
#include <stdint.h>

enum { SCENE_WIDTH = 160, SCENE_HEIGHT = 120 };

/* What is painted on. mask (height x width, or NULL) follows what is visible: a pixel that is
 * covered by at least half becomes 255 where `anomaly` is set and 0 where not. */
typedef struct {
    uint8_t *bgr, *mask;
    int width, height;
    bool anomaly;
} Easel;

typedef struct {
    uint8_t b, g, r;
} Paint;

typedef struct {
    float x, y;    /* between the feet */
    float scale;   /* 1: 26 high */
    int direction; /* +1 walks to the right, -1 to the left */
    float phase;   /* of the gait or the pedals, radians */
    float swing;   /* of the legs, radians: 0.45 walks, 0.85 runs */
    int clothes;   /* number of an outfit, any */
    bool striped;  /* covered with stripes no outfit has */
} Figure;

/* Fills the whole picture. */
void paint_street(Easel *e);

/* Things that stand in the street, at a fixed place: their y, for the order of painting. */
#define LAMP_Y 63.0f
#define PLANTER_Y 71.0f
void paint_lamp(Easel *e);
void paint_planter(Easel *e);

void paint_person(Easel *e, const Figure *f);
void paint_cyclist(Easel *e, const Figure *f);

/* A bag whose lowest point is `height` above the ground at (x, y). */
void paint_bag(Easel *e, float x, float y, float scale, float height);

#endif
