/* Planted anomalies: labels for choosing settings without looking at a test set. A layer of the
 * footage's own movement is laid over a normal clip, in the place where it was seen. It is abnormal
 * where it is faster or larger than it was. A layer as it was is a control: it is labelled normal,
 * so that a model cannot win by seeing the seams. Nothing about the camera is guessed. */
#ifndef DATA_PLANT_H
#define DATA_PLANT_H

#include "data/dataset.h"
#include "video/frame.h"

enum { PLANT_SHORTEST = 8 }; /* frames of a clip */

typedef enum { PLANT_CONTROL, PLANT_FAST, PLANT_LARGE } PlantKind;

typedef struct {
    PlantKind kind;
    int64_t start, frames; /* of the clip that gets the layer */
    int source;            /* clip of the split whose movement it is */
    int64_t from;          /* the source's frame under `start` */
    double speed, scale;
    double x, y, width, height; /* the window that is laid over, as shares of the frame */
} PlantEvent;

typedef struct Planter Planter;

/* Plans the events of `split`'s clip `clip`: one in about 75 frames, control and abnormal in turn.
 * Their movement comes from the clips in sources[source_count], from another than `clip` where
 * there is one. A pure function of the footage, seed and `copy`. ERR_FAIL names a clip that cannot
 * be decoded or is too short. `split` is borrowed. */
int planter_open(Planter **out, const Split *split, int clip, const int *sources, int source_count,
                 uint64_t seed, int copy);
void planter_free(Planter **p); /* accepts NULL */

int planter_events(const Planter *p, const PlantEvent **out); /* how many; borrowed */

/* The next frame of the clip with its layers, and its truth: height x width of 0 or 255, all 0
 * where the frame is normal. Both borrowed until the next call. ERR_END behind the last frame. */
int planter_next(Planter *p, const Frame **frame, const uint8_t **mask);

#endif
