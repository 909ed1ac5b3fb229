#include "score/frame_pictures.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/masks.h"
#include "video/source.h"
#include "video/window.h"

static int draw_truth(FramePictures *p, const Dataset *data, int clip, int64_t index) {
    Masks *masks = NULL;
    int found = 0, width, height;
    const uint8_t *mask;
    int64_t size = p->size;
    int code = masks_open(&masks, data, clip, &found);
    if (!code && found)
        code = masks_read(masks, index, &mask, &width, &height);
    if (!code && found) {
        p->truth = mem_alloc((size_t)(size * size), 3);
        code = p->truth ? 0 : ERR_FAIL;
        for (int64_t i = 0; !code && i < size * size; i++) {
            bool set = mask[i / size * height / size * width + i % size * width / size];
            for (int c = 0; c < 3; c++) {
                uint8_t value = p->frame[3 * i + c];
                p->truth[3 * i + c] = set ? (uint8_t)((value + (c == 2 ? 510 : 0)) / 3) : value;
            }
        }
    }
    masks_free(&masks);
    return code;
}

/* Scores the frame, which leaves the prediction in the scorer. */
static int score(Scorer *s, Window *w, const char *url, int64_t index) {
    int64_t frames = scorer_info(s)->frames;
    Source *source = NULL;
    Frame f = {0};
    double psnr;
    int code = source_open(&source, url);
    if (!code)
        code = source_seek(source, index - frames);
    for (int64_t i = 0; i <= frames && !code; i++) {
        code = source_read(source, &f);
        if (!code)
            window_push(w, &f);
    }
    if (!code)
        code = scorer_run(s, window_x(w), window_y(w), &psnr);
    frame_free(&f);
    source_free(&source);
    return code;
}

int frame_pictures(FramePictures *out, Scorer *s, const Dataset *data, int clip, int64_t index) {
    FramePictures p = {.size = (int)scorer_info(s)->size};
    size_t pixels = (size_t)p.size * (size_t)p.size;
    Window w = {0};
    int code = window_open(&w, p.size, (int)scorer_info(s)->frames);
    if (!code)
        code = score(s, &w, data->test.clips[clip].url, index);
    if (!code) {
        p.frame = mem_alloc(pixels, 3);
        p.prediction = mem_alloc(pixels, 3);
        p.difference = mem_alloc(pixels, 3);
        code = p.frame && p.prediction && p.difference ? 0 : ERR_FAIL;
    }
    if (!code) {
        memcpy(p.frame, window_y(&w), pixels * 3);
        scorer_pictures(s, p.prediction, p.difference);
        code = draw_truth(&p, data, clip, index);
    }
    window_free(&w);
    if (code)
        frame_pictures_free(&p);
    else
        *out = p;
    return code;
}

void frame_pictures_free(FramePictures *p) {
    mem_free(p->frame);
    mem_free(p->prediction);
    mem_free(p->difference);
    mem_free(p->truth);
    *p = (FramePictures){0};
}
