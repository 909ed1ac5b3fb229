/* A generated fixed-camera scene: walkers on a street, and planted anomalies with exact truth. It
 * serves `normalcy demo` and tests; every frame is a pure function of (seed, clip, index). */
#ifndef VIDEO_SCENE_H
#define VIDEO_SCENE_H

#include <stdbool.h>

#include "video/frame.h"

typedef enum {
    SCENE_NORMAL, /* walkers only: training clips */
    SCENE_RUNNER, /* much faster than the walkers */
    SCENE_CYCLIST,
    SCENE_WRONG_WAY, /* against the direction of its lane */
    SCENE_DROPPED,   /* an object left behind */
    SCENE_INTRUDER,  /* a moving texture that training never shows */
    SCENE_KINDS,
} SceneKind;

extern const char *const scene_kind_names[SCENE_KINDS]; /* "normal", "runner", ... */

typedef struct {
    uint64_t seed;
    int width, height;
    int clip;   /* number of the clip; clips share the street and differ in walkers */
    int frames; /* length; the anomaly happens in the middle part */
    SceneKind kind;
} SceneClip;

/* Whether anything of an anomaly shows in a mask of so many pixels, in which 128 and more is made
 * 255 and the rest 0. */
bool scene_mask(uint8_t *mask, int64_t pixels);

/* Paints the clip's street at any time, in frames, without light and noise: of its walkers the
 * share `walkers` comes. `odd` is a clip whose anomaly shows as at its time `at`; NULL: none.
 * `mask` as in scene_draw, but with covered parts of pixels from 0 to 255. */
void scene_paint(const SceneClip *clip, double time, double walkers, const SceneClip *odd,
                 double at, uint8_t *bgr, uint8_t *mask);

/* Draws frame `index` into *f. `mask` (height x width, 0 or 255) receives the anomaly's visible
 * pixels and may be NULL. Returns 1 if the anomaly shows in at least one pixel, 0 if not, and a
 * negative code when memory is out. Any thread. */
int scene_draw(const SceneClip *clip, int64_t index, Frame *f, uint8_t *mask);

#endif
