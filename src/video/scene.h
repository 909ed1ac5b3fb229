/* A generated fixed-camera scene: walkers on a street, and planted anomalies with exact truth. It
 * serves `normalcy demo` and tests; every frame is a pure function of (seed, clip, index). */
#ifndef VIDEO_SCENE_H
#define VIDEO_SCENE_H

#include "video/frame.h"

typedef enum {
    SCENE_NORMAL, /* walkers only: training clips */
    SCENE_RUNNER, /* much faster than the walkers */
    SCENE_CYCLIST,
    SCENE_WRONG_WAY, /* against the direction of its lane */
    SCENE_DROPPED,   /* an object left behind */
    SCENE_INTRUDER,  /* a moving texture never seen */
    SCENE_KINDS,
} SceneKind;

extern const char *const scene_kind_names[SCENE_KINDS]; /* "normal", "runner", ... */

typedef struct {
    uint64_t seed;
    int width, height;
    int clip;   /* number of the clip: other walkers, same street */
    int frames; /* length; the anomaly lives in a middle part of it */
    SceneKind kind;
} SceneClip;

/* Draws frame `index` into *f. `mask` (height x width, 0 or 255) gets the anomaly's visible pixels
 * and may be NULL. Returns 1 where the frame is abnormal (at least one pixel), 0 where not,
 * negative when memory is out. Any thread. */
int scene_draw(const SceneClip *clip, int64_t index, Frame *f, uint8_t *mask);

#endif
