#include "data/demo_scene.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/npy.h"
#include "base/progress.h"
#include "base/stop.h"
#include "video/png.h"
#include "video/scene.h"

typedef struct {
    const DemoScene *scene;
    const char *root;
    Frame frame;
    uint8_t *mask, *mask_bgr;
    uint8_t *label; /* labels of all test frames */
    int64_t labels, done;
} Work;

static int write_picture(const Work *w, const char *folder, const char *clip, int64_t index,
                         const uint8_t *bgr) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s/%s", w->root, folder, clip);
    int code = index == 0 ? file_make_folder(path) : 0;
    snprintf(path, sizeof path, "%s/%s/%s/%03d.png", w->root, folder, clip, (int)index);
    return code ? code : png_write(path, bgr, w->scene->width, w->scene->height);
}

/* `masks` is NULL for training, whose frames need no truth. */
static int write_clip(Work *w, const SceneClip *c, const char *clip, const char *frames,
                      const char *masks) {
    int64_t pixels = (int64_t)c->width * c->height;
    int64_t total = (int64_t)w->scene->train_clips * w->scene->train_frames +
                    (int64_t)w->scene->test_clips * w->scene->test_frames;
    int code = 0;
    for (int64_t i = 0; i < c->frames && !code; i++) {
        if (stop_requested())
            return ERR_STOPPED;
        int abnormal = scene_draw(c, i, &w->frame, w->mask);
        if (abnormal < 0)
            return abnormal;
        code = write_picture(w, frames, clip, i, w->frame.bgr);
        for (int64_t p = 0; p < pixels && masks; p++)
            memset(w->mask_bgr + 3 * p, w->mask[p], 3);
        if (masks && !code) {
            code = write_picture(w, masks, clip, i, w->mask_bgr);
            w->label[w->labels++] = (uint8_t)abnormal;
        }
        progress_draw("scene", ++w->done, total, "frames");
    }
    return code;
}

static int write_all(Work *w) {
    const DemoScene *s = w->scene;
    char path[4096], name[32];
    int code = 0;
    for (int i = 0; i < s->train_clips && !code; i++) {
        SceneClip clip = {s->seed, s->width, s->height, i, s->train_frames, SCENE_NORMAL};
        snprintf(name, sizeof name, "%02d", i + 1);
        code = write_clip(w, &clip, name, "training/frames", NULL);
    }
    for (int i = 0; i < s->test_clips && !code; i++) {
        SceneKind kind = (SceneKind)(SCENE_RUNNER + i % (SCENE_KINDS - SCENE_RUNNER));
        SceneClip clip = {s->seed, s->width, s->height, s->train_clips + i, s->test_frames, kind};
        snprintf(name, sizeof name, "%02d_%s", i + 1, scene_kind_names[kind]);
        code = write_clip(w, &clip, name, "testing/frames", "testing/masks");
    }
    progress_end();
    snprintf(path, sizeof path, "%s/frame_labels_demo.npy", w->root);
    return code ? code : npy_write_u8(path, w->label, 1, &w->labels);
}

int demo_scene_write(const DemoScene *s, const char *root) {
    Work w = {.scene = s, .root = root};
    size_t pixels = (size_t)s->width * (size_t)s->height;
    w.mask = mem_alloc(pixels, 1);
    w.mask_bgr = mem_alloc(pixels, 3);
    w.label = mem_alloc((size_t)s->test_clips * (size_t)s->test_frames, 1);
    int code = w.mask && w.mask_bgr && w.label ? write_all(&w) : ERR_FAIL;
    frame_free(&w.frame);
    mem_free(w.mask);
    mem_free(w.mask_bgr);
    mem_free(w.label);
    return code;
}
