/* A rectangle of pixels in a frame. */
#ifndef VIDEO_BOX_H
#define VIDEO_BOX_H

#include <stdint.h>

/* In pixels. Both corners are inside: a box of one pixel has x0 == x1. */
typedef struct {
    int32_t x0, y0, x1, y1;
} Box;

static inline int64_t box_area(Box b) {
    return ((int64_t)b.x1 - b.x0 + 1) * ((int64_t)b.y1 - b.y0 + 1);
}

/* Intersection over union. */
static inline double box_iou(Box a, Box b) {
    Box c = {a.x0 > b.x0 ? a.x0 : b.x0, a.y0 > b.y0 ? a.y0 : b.y0, a.x1 < b.x1 ? a.x1 : b.x1,
             a.y1 < b.y1 ? a.y1 : b.y1};
    if (c.x0 > c.x1 || c.y0 > c.y1)
        return 0;
    int64_t both = box_area(c);
    return (double)both / (double)(box_area(a) + box_area(b) - both);
}

#endif
