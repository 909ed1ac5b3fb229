/* What stays: how far the places where something stands still are from how they looked in the
 * training footage (method I.4). A thing left behind has neither motion nor an error.
 *
 * This opinion has a memory: a score depends on all frames since the source began. */
#ifndef SCORE_STAYS_H
#define SCORE_STAYS_H

#include "score/calibration.h"
#include "score/movement.h"
#include "video/sampler.h"

/* What training footage taught, by cell (movement.h). */
typedef struct {
    MovementSize picture;
    int rows, cols;    /* of cells */
    float *low, *high; /* [rows][cols]: the levels of what stood still; low > high: nothing did */
    Calibration held_out; /* of training frames, judged by the others */
} StaysModel;

/* Room for a model of this shape, zeroed. */
int stays_model_open(StaysModel **out, MovementSize picture);
void stays_model_free(StaysModel **m); /* accepts NULL */

/* Declares the model to a writer, which borrows it until it saves. */
void stays_model_add(SafeWriter *w, const StaysModel *m);

/* Reads the model in a file; *out is NULL if it has none. ERR_FAIL if it is damaged. */
int stays_model_load(StaysModel **out, const Safetensors *file, const char *path);

/* ---- scores ---- */

typedef struct Stays Stays;

/* `model` is borrowed. */
int stays_open(Stays **out, const StaysModel *model);
void stays_free(Stays **s); /* accepts NULL */

/* Forgets the frames before: between clips. */
void stays_reset(Stays *s);

/* Sees the next frame, whose picture `m` keeps already. */
void stays_add(Stays *s, const Movement *m, const Frame *f);

/* The surprise of the frames so far: how far they are from what stood there, beyond the farthest of
 * the held-out training frames, in mean excesses of these. 0 if one was as far, and while nothing
 * stands still for long enough. */
double stays_surprise(const Stays *s);

/* For pictures: 0 to 1 by cell, 1 is what makes a frame one in a thousand. Cells of a row come one
 * after another; there are stays_cells, *cols in a row. */
int stays_cells(const Stays *s, int *cols);
void stays_heat(const Stays *s, float *out);

/* ---- shared with stays_learn.c ---- */

static const float STAYS_MOST = 1000; /* level */

/* The cells of the frames so far. */
typedef struct {
    int rows, cols;
    Sampler sampler;
    double seconds; /* of the last frame that was taken */
    bool begun;
    float *room;   /* owns all of these: */
    float *level;  /* of the last frame, where the picture's median is 100 */
    float *before; /* of the one before it; scratch */
    float *still;  /* seconds since something moved at the cell */
    float *ground; /* how the cell looks in the long run; negative: not known */
    float *change; /* how far it is from that; negative: it does not stand still */
} Standing;

int standing_open(Standing *s, MovementSize picture);
void standing_free(Standing *s); /* accepts a zeroed one */
void standing_reset(Standing *s);

/* Takes about ten frames a second; false: it left this one out. */
bool standing_add(Standing *s, const Movement *m, const Frame *f);

/* The value of a frame by these levels: the mean of the greatest 4 distances. map[cells] receives
 * all. */
float stays_value(float *map, const float *low, const float *high, const float *level,
                  const float *change, int cells);

/* From the values of training frames, which it changes and sorts. Pictures differ by 6 levels for
 * many reasons, so that smaller values count as 6. What stays does so for many frames that are one
 * event; so only what is above the greatest value is rare. */
int stays_calibrate(Calibration *c, float *values, int count);

#endif
