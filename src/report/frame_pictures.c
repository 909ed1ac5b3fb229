#include "report/frame_pictures.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/mask_tracks.h"
#include "data/masks.h"
#include "score/annotate.h"
#include "video/draw.h"
#include "video/sampler.h"
#include "video/source.h"
#include "video/window.h"

/* Scales the mask to the size of the pictures. */
static void scale_mask(uint8_t *to, int64_t size, const uint8_t *mask, int64_t width,
                       int64_t height) {
    for (int64_t i = 0; i < size * size; i++)
        to[i] = mask[i / size * height / size * width + i % size * width / size] != 0;
}

/* Draws a red box around each part of the mask. */
static int draw_boxes(FramePictures *p, const uint8_t *mask, int width, int height) {
    size_t pixels = (size_t)p->size * (size_t)p->size;
    Tracks parts = {0};
    uint8_t *scaled = mem_alloc(pixels, 1);
    int32_t *queue = mem_alloc(pixels, sizeof *queue);
    p->truth = mem_alloc(pixels, 3);
    int code = scaled && queue && p->truth ? 0 : ERR_FAIL;
    if (!code) {
        scale_mask(scaled, p->size, mask, width, height);
        code = mask_tracks_add(&parts, 0, 0, scaled, p->size, p->size, queue);
    }
    if (!code)
        memcpy(p->truth, p->frame, 3 * pixels);
    Canvas canvas = {p->truth, p->size, p->size};
    for (int64_t i = 0; !code && i < parts.count; i++) {
        Box b = parts.item[i].box;
        for (int k = 1; k <= 2; k++) /* two pixels wide, outside the box */
            draw_outline(canvas, b.x0 - k, b.y0 - k, b.x1 - b.x0 + 1 + 2 * k,
                         b.y1 - b.y0 + 1 + 2 * k, (Colour){40, 40, 255});
    }
    tracks_free(&parts);
    mem_free(scaled);
    mem_free(queue);
    return code;
}

static int draw_truth(FramePictures *p, const Dataset *data, int clip, int64_t index) {
    Masks *masks = NULL;
    int found = 0, width, height;
    const uint8_t *mask;
    int code = masks_open(&masks, data, clip, &found);
    if (!code && found)
        code = masks_read(masks, index, &mask, &width, &height);
    if (!code && found)
        code = draw_boxes(p, mask, width, height);
    masks_free(&masks);
    return code;
}

/* Fills the window up to the frame. Which frames an interval takes depends on all before it, and so
 * may the opinions. */
static int fill(Window *w, Scorer *s, Source *source, int64_t index, bool odd) {
    double interval = scorer_info(s)->interval;
    Frame f = {0};
    Sampler sampler;
    sampler_start(&sampler, interval);
    scorer_reset(s);
    int code = source_seek(source, odd || interval > 0 ? 0 : index - w->frames);
    do {
        code = code ? code : source_read(source, &f);
        if (!code && odd)
            scorer_add(s, &f);
        if (!code && sampler_take(&sampler, f.seconds))
            window_push(w, &f);
    } while (!code && f.index < index);
    frame_free(&f);
    return code;
}

/* Scores the frame; the scorer keeps the prediction and the maps. */
static int score(FrameScore *out, Scorer *s, Window *w, const char *url, int64_t index, bool odd) {
    Source *source = NULL;
    Opinions o;
    int code = source_open(&source, url);
    *out = (FrameScore){NAN, NAN, OPINION_ERROR};
    if (!code)
        source_ignore(source, scorer_ignore(s));
    if (!code)
        code = fill(w, s, source, index, odd);
    if (!code)
        code = scorer_run(s, window_x(w), window_y(w), &out->psnr);
    if (!code && odd)
        code = scorer_judge(s, out->psnr, &o);
    if (!code && odd)
        out->surprise = surprise_of(&o, &out->by);
    source_free(&source);
    return code;
}

static int draw_odd(FramePictures *p, const Scorer *s) {
    size_t bytes = 3 * (size_t)p->size * (size_t)p->size;
    float *map = mem_alloc((size_t)annotate_room(s), sizeof *map);
    p->odd = mem_alloc(bytes, 1);
    int code = map && p->odd ? 0 : ERR_FAIL;
    if (!code) {
        memcpy(p->odd, p->frame, bytes);
        annotate_map((Canvas){p->odd, p->size, p->size}, s, map, p->score);
    }
    mem_free(map);
    return code;
}

int frame_pictures(FramePictures *out, Scorer *s, const Dataset *data, int clip, int64_t index,
                   bool odd) {
    FramePictures p = {.size = (int)scorer_info(s)->size};
    size_t pixels = (size_t)p.size * (size_t)p.size;
    Window w = {0};
    int code = window_open(&w, p.size, (int)scorer_info(s)->frames);
    if (!code)
        code = score(&p.score, s, &w, data->test.clips[clip].url, index, odd);
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
    if (!code && !isnan(p.score.surprise))
        code = draw_odd(&p, s);
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
    mem_free(p->odd);
    mem_free(p->truth);
    *p = (FramePictures){0};
}
