/* Where in the frame the anomaly is: error maps of some models against masks and tracks.
 *
 * Maps are taken at two levels: "token", the mean squared error of each patch of 16 pixels of the
 * input, and "pixel", the mean over a window of about a patch (20 pixels) that moves by 4; where
 * these do not divide the input, the divisors nearest to them (14 at 168). Without a window single
 * pixels decide, and the rules that ask for a share of an object mean nothing. Pixel figures
 * (pixel.h) need masks; region figures (region.h) take the boxes of boxes.h and tracks: published
 * ones, or made from the masks (mask_tracks.h).
 *
 * Frames without a score, the first of each clip, have no part in the pixel figures; in the region
 * figures they count as frames without detection. */
#ifndef EVAL_LOCALISE_H
#define EVAL_LOCALISE_H

#include "data/tracks.h"
#include "eval/pixel.h"
#include "score/scorer.h"
#include "video/frame.h"

enum { LOCALISE_TOKEN, LOCALISE_PIXEL, LOCALISE_LEVELS };

extern const char *const localise_level_names[LOCALISE_LEVELS];

typedef struct {
    PixelFigures pixel; /* NaN where there are no masks */
    double rbdc, tbdc;  /* from 0 to 1; NaN where there is no box to find */
} Localisation;

typedef struct Localiser Localiser;

/* `tracks` is a folder of track files, or NULL: those beside the data, else made from masks.
 * ERR_FAIL where the data has neither, or nothing near 16 divides the input. data and scorers are
 * borrowed; these are of one input size. */
int localiser_open(Localiser **out, const Dataset *data, const char *tracks, Scorer *const *scorer,
                   int models);
void localiser_free(Localiser **l); /* accepts NULL */

/* Takes the maps of all scorers' last call: it scored the pair that ends in frame f of test clip
 * `clip`. Clips come one after the other. */
int localiser_add(Localiser *l, int clip, const Frame *f);

/* After the last frame, for any model and level. */
int localiser_figures(Localiser *l, int model, int level, Localisation *out);

/* The truth that boxes are compared with; borrowed. */
const Tracks *localiser_tracks(const Localiser *l);

#endif
