/* Writes the generated scene as a data set in a common layout: training/frames, testing/frames,
 * testing/masks and frame labels. */
#ifndef DATA_DEMO_SCENE_H
#define DATA_DEMO_SCENE_H

#include <stdint.h>

typedef struct {
    uint64_t seed;
    int width, height;
    int train_clips, train_frames;
    int test_clips, test_frames; /* the kinds of anomaly take turns */
} DemoScene;

/* Creates folder `root` and writes the data set into it. Shows progress. ERR_STOPPED when the user
 * asks to stop. */
int demo_scene_write(const DemoScene *s, const char *root);

#endif
