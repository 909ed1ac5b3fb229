/* Localisation: compares the maps of some models with masks and tracks.
 *
 * There are three levels of maps, two of errors. "token" is the mean squared error of each patch of
 * 16 x 16 input pixels. "pixel" is the mean over a window of about a patch (20 pixels) that moves
 * by 4. If 16 or 4 does not divide the input, the nearest divisor is used (14 at 168). Without a
 * window, single pixels would decide, and rules that ask for a share of an object would mean
 * nothing. "motion" is the rarity of motion (score/motion.h) in cells of 4 input pixels, of models
 * that know motion.
 *
 * Pixel figures (pixel.h) need masks. Region figures (region.h) compare the boxes of boxes.h with
 * tracks; the tracks are published ones or made from the masks (mask_tracks.h).
 *
 * Frames without a score (the first of each clip) are left out of the pixel figures. In the region
 * figures they count as frames without detection. */
#ifndef EVAL_LOCALISE_H
#define EVAL_LOCALISE_H

#include "data/tracks.h"
#include "eval/pixel.h"
#include "score/scorer.h"
#include "video/frame.h"

enum { LOCALISE_TOKEN, LOCALISE_PIXEL, LOCALISE_MOTION, LOCALISE_LEVELS };

extern const char *const localise_level_names[LOCALISE_LEVELS];

typedef struct {
    PixelFigures pixel; /* NaN if there are no masks */
    double rbdc, tbdc;  /* from 0 to 1; NaN if there is no box to find */
} Localisation;

typedef struct Localiser Localiser;

/* `tracks` is a folder of track files. NULL: the track files beside the data, else tracks made from
 * the masks. ERR_FAIL if the data has neither, or no number near 16 divides the input. `data` and
 * `scorer` are borrowed; all scorers have one input size. */
int localiser_open(Localiser **out, const Dataset *data, const char *tracks, Scorer *const *scorer,
                   int models);
void localiser_free(Localiser **l); /* accepts NULL */

/* Does this model have maps of this level? */
bool localiser_has(const Localiser *l, int model, int level);

/* Adds the maps of each scorer's last scorer_run and scorer_judge, which must have scored the pair
 * that ends in frame f of test clip `clip`. Clips come one after the other. */
int localiser_add(Localiser *l, int clip, const Frame *f);

/* The figures of one model at a level that it has; call it after the last frame. */
int localiser_figures(Localiser *l, int model, int level, Localisation *out);

/* The true tracks that boxes are compared with; borrowed. */
const Tracks *localiser_tracks(const Localiser *l);

#endif
