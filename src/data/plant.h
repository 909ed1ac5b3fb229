/* Planted anomalies. They give labels for choosing settings where there is no test set, or where
 * the test set must not be used. A layer of movement from the footage is laid over a normal clip,
 * in the place where it was seen. A faster or larger layer is abnormal. An unchanged layer is a
 * control: its label is normal, so that a model cannot win by seeing the seams. Nothing about the
 * camera is guessed. */
#ifndef DATA_PLANT_H
#define DATA_PLANT_H

#include "data/dataset.h"
#include "video/frame.h"

enum { PLANT_SHORTEST = 8 }; /* the fewest frames of a clip */

typedef enum { PLANT_CONTROL, PLANT_FAST, PLANT_LARGE } PlantKind;

typedef struct {
    PlantKind kind;
    int64_t start, frames; /* in the clip that gets the layer */
    int source;            /* the clip of the split that the movement comes from */
    int64_t from;          /* the source's frame shown at `start` */
    double speed, scale;
    double x, y, width, height; /* the layer's window, as shares of the frame */
} PlantEvent;

typedef struct Planter Planter;

/* Plans the events of `split`'s clip `clip`: one in about 75 frames, control and abnormal in turn.
 * Movement comes from the clips in sources[source_count]; `clip` itself is used only if it is the
 * only one. A pure function of the footage, seed and `copy`. ERR_FAIL names a clip that cannot be
 * decoded or is too short. `split` is borrowed. */
int planter_open(Planter **out, const Split *split, int clip, const int *sources, int source_count,
                 uint64_t seed, int copy);
void planter_free(Planter **p); /* accepts NULL */

int planter_events(const Planter *p, const PlantEvent **out); /* returns their number; borrowed */

/* Gives the clip's next frame with its layers, as BGR, and the frame's mask: height x width of 0 or
 * 255, all 0 if the frame is normal. Both are borrowed until the next call. ERR_END after the last
 * frame. */
int planter_next(Planter *p, const Frame **frame, const uint8_t **mask);

#endif
