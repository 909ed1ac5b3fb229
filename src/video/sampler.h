/* Takes frames at an interval, from their times alone: a camera of 30 frames a second and one of 15
 * then show a network the same movement between two frames. */
#ifndef VIDEO_SAMPLER_H
#define VIDEO_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    double interval; /* seconds between frames that are taken; 0: every frame is */
    double due;      /* when the next one should be */
    double last;     /* seconds of the last frame */
    bool begun;
} Sampler;

/* Starts at the next frame, which is taken. After a gap too. */
void sampler_start(Sampler *s, double interval);

/* Is this the frame to take? It is if no later one will be nearer to the time that is due, judged
 * by the distance to the frame before. Frames without a time (NaN) are all taken. The answer
 * depends on the times of the frames up to this one alone. */
bool sampler_take(Sampler *s, double seconds);

/* The interval for a source whose frames are `spacing` seconds apart: the least multiple of it that
 * is not below `wanted`, so that every k-th frame is taken; 0 where either is 0. */
double sampler_fit(double wanted, double spacing);

/* Marks the frames to take in seconds[0 .. n): take[i] is the position of the i-th of them. Returns
 * how many there are. */
int64_t sampler_list(int64_t *take, const double *seconds, int64_t n, double interval);

#endif
