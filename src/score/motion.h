/* Motion surprise: how rare the speeds of a frame are at their places, by what the training footage
 * showed (method I.2). A frame's score depends on two frames alone, so live and offline scores have
 * the same bits. */
#ifndef SCORE_MOTION_H
#define SCORE_MOTION_H

#include "score/calibration.h"
#include "score/movement.h"

/* What training footage taught. Windows lie on a lattice, one for every second cell. A window is
 * MOTION_TALL cells tall and MOTION_WIDE wide, times `size` of its row: people far away are small.
 * Its speed is divided by `scale` of its row, and looked up by place; so is its direction. */
enum { MOTION_TALL = 6, MOTION_WIDE = 4, MOTION_TOP = 12 };
enum { MOTION_BINS = 40, MOTION_FIRST = 2, MOTION_SECTORS = 8 };
static const float MOTION_BIN = 0.1F; /* of a speed divided by its row's scale */

typedef struct {
    MovementSize picture;
    int rows, cols;      /* of the lattice */
    float *size, *scale; /* [rows] */
    float *rarity; /* [rows][cols][MOTION_BINS]: -ln of how often a speed is reached; 0 below bin
                      MOTION_FIRST, where nothing moves */
    float *turn;   /* [rows][cols][MOTION_SECTORS]: -ln of how much rarer a direction is than if
                      all were alike; 0 where it is not. Sector 0 is to the right, 2 down */
    Calibration held_out; /* of training frames, judged by the others */
} MotionModel;

/* Room for a model of this shape, zeroed. */
int motion_model_open(MotionModel **out, MovementSize picture);
void motion_model_free(MotionModel **m); /* accepts NULL */

/* Declares the model to a writer, which borrows it until it saves. */
void motion_model_add(SafeWriter *w, const MotionModel *m);

/* Reads the model in a file; *out is NULL if it has none. ERR_FAIL if it is damaged. */
int motion_model_load(MotionModel **out, const Safetensors *file, const char *path);

/* ---- scores ---- */

typedef struct Motion Motion;

/* `model` and `be` are borrowed. */
int motion_open(Motion **out, const MotionModel *model, Backend *be);
void motion_free(Motion **m); /* accepts NULL */

/* Forgets the frames before: between clips. */
void motion_reset(Motion *m);

/* Keeps the next frame, for later ones to be compared with. Forgets those before a gap, and a
 * damaged one. */
void motion_add(Motion *m, const Frame *f);

/* The surprise of the last frame: -ln of the share of held-out training frames that are as rare.
 * NaN if there is no older frame to compare with, or if the camera moved too far. */
int motion_score(Motion *m, double *surprise);

/* The frames that it keeps. Borrowed. */
const Movement *motion_movement(const Motion *m);

/* How far the camera moved before the last score, in pixels of 240 rows, and how far it may. */
float motion_shift(const Motion *m);
static const float MOTION_MOST_SHIFT = 12;

/* Of the last score: the rarity at each place, of the whole picture in side x side cells. 0 where
 * there was no score. */
void motion_map(const Motion *m, float *out, int side);

/* The same from 0 to 1 for pictures: 1 is what makes a frame one in a thousand. The lattice has
 * motion_places values, *cols in a row. */
int motion_places(const Motion *m, int *cols);
void motion_heat(const Motion *m, float *out);

/* ---- shared with motion_learn.c ---- */

/* Means over the windows of a lattice. */
typedef struct {
    float *speed, *right, *down; /* [rows][cols] */
    double *sums;                /* scratch */
} MotionWindows;

int motion_windows_open(MotionWindows *w, const MotionModel *m);
void motion_windows_free(MotionWindows *w); /* accepts a zeroed one */

/* out[rows][cols] = the means of a plane of cells. */
void motion_windows_of(float *out, const MotionModel *m, const float *cells, double *sums);

/* The sector that a direction lies in, and in *share how far it is on the way to the next. */
int motion_sector(float right, float down, float *share);

/* The value of a frame by these tables (rarity, turn): the mean of the greatest MOTION_TOP
 * rarities. map[rows][cols] receives all. */
float motion_value(float *map, const MotionModel *m, const float *rarity, const float *turn,
                   const MotionWindows *w);

#endif
