/* Parts of a picture that nobody is to look at: a painted clock, a screen, a neighbour's window.
 * Frames carry them (Frame.ignore), and every resized picture of a frame is black there. So nothing
 * of them is learned, and they have no motion and next to no error. */
#ifndef VIDEO_IGNORE_H
#define VIDEO_IGNORE_H

#include <stdint.h>

enum { IGNORE_SIDE = 160, IGNORE_POINTS = 64 };

/* The picture in cells; one that is touched counts whole. */
typedef struct Ignore {
    float cell[IGNORE_SIDE][IGNORE_SIDE]; /* rows from the top; 1: ignored, 0: not */
} Ignore;

/* Reads `text`: the path of a picture, in which what is light is ignored, or polygons "X,Y X,Y ...;
 * X,Y ..." in shares of the picture's width and height. Two points are the corners of a rectangle.
 * A polygon has at most IGNORE_POINTS. ERR_USAGE where it is neither, and where nothing or nearly
 * all of the picture is ignored; ERR_FAIL where a picture cannot be read. */
int ignore_parse(Ignore *out, const char *text);

/* Blackens what is ignored in a picture of width x height pixels of so many bytes, and all that
 * depends on it, where the picture was resized from another size. */
void ignore_paint(const Ignore *ignore, uint8_t *pixels, int width, int height, int bytes,
                  int from_width, int from_height);

/* The share of the picture that is ignored. */
double ignore_share(const Ignore *ignore);

#endif
