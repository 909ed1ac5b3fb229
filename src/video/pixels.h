/* The pixels of a picture as its decoder left them, and their conversion to 8-bit BGR: row by row,
 * and only at the columns that are wanted. A resize reads few of a large picture's pixels. */
#ifndef VIDEO_PIXELS_H
#define VIDEO_PIXELS_H

#include <stdbool.h>
#include <stdint.h>

/* One of the values of all pixels: the first sample, and how many bytes are between samples and
 * between rows. A stride may be negative. */
typedef struct {
    const uint8_t *from;
    int step, stride;
} Samples;

typedef enum { PIXELS_BGR, PIXELS_GREY, PIXELS_YUV } PixelKind;

typedef struct {
    PixelKind kind;
    Samples part[3]; /* B, G and R; or Y alone; or Y, U and V. B, G and R (U and V) share a step */
    int width, height; /* as stored */
    int depth, shift;  /* bits of a sample, 8 to 16 (to 12 for YUV), and unused bits below them. A
                          sample of more than 8 bits is two bytes, the low one first */
    int narrow[2];     /* U and V have 1 / 2^narrow of the columns (0 to 2), of the rows (0 or 1) */
    bool full;         /* the range: 0 to 255, not 16 to 235 */
    bool jpeg;         /* as libjpeg has it, not swscale: U and V lie amid their rows, not on the
                          last of them, and are rounded to whole levels before the matrix */
    int matrix[4];     /* V to R, U to B, U to -G, V to -G, for the short range: times 2^16 */
} Pixels;

/* BGR of 8 bits, rows without padding. */
Pixels pixels_of_bgr(const uint8_t *bgr, int width, int height);

enum { PIXELS_TILE = 256 }; /* the most pairs of columns at a time */

/* Reads rows at some pairs of columns. Callers have it on the stack and leave its content alone. */
typedef struct {
    const Pixels *pixels; /* borrowed */
    int pairs;
    uint32_t at[PIXELS_TILE]; /* where in a row the sample of a left column is */
    /* For U and V, of left columns and then of right ones: where the first of two samples is, their
     * weights, and what is added where results are rounded. */
    uint32_t chroma_at[2 * PIXELS_TILE];
    uint16_t weight[2][2 * PIXELS_TILE], rounding[2 * PIXELS_TILE];
    uint16_t chroma[2][2][2 * PIXELS_TILE]; /* an even and an odd row of U and V at the columns */
    int have[2];                            /* which rows these are; -1: none */
    float luma, offset, factor[4];          /* the matrix */
    int grey;                               /* what U and V are where there is no colour */
} PixelReader;

/* Levels of B, G and R: of the pairs' left columns, then of their right ones. */
typedef uint8_t PixelRow[3][2 * PIXELS_TILE];

/* Chooses columns of the picture: those in left[pairs], each with the next one to the right (where
 * the picture has one column, with itself). */
void pixels_begin(PixelReader *r, const Pixels *p, const int *left, int pairs);

/* Converts row y at these columns. U and V lie amid their columns and are linear in between.
 * Results are rounded once. */
void pixels_read(PixelReader *r, int y, PixelRow out);

#endif
