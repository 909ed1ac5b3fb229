/* Writes the generated scene as a data set: training/frames, testing/frames, testing/masks and
 * frame labels, as any other footage comes. */
#ifndef DATA_DEMO_SCENE_H
#define DATA_DEMO_SCENE_H

#include <stdint.h>

typedef struct {
    uint64_t seed;
    int width, height;
    int train_clips, train_frames;
    int test_clips, test_frames; /* the kinds of anomaly take turns */
} DemoScene;

/* Into folder `root`, which is made. Shows progress. ERR_STOPPED when the user asks to stop. */
int demo_scene_write(const DemoScene *s, const char *root);

#endif
