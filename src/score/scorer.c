#include "score/scorer.h"

#include <math.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/weights.h"
#include "score/psnr.h"
#include "video/draw.h"
#include "video/planes.h"

struct Scorer {
    ScorerInfo info;
    Vit *vit; /* NULL: persistence, or a model without a network */
    Judgement judgement;
    Motion *motion;             /* NULL: not learned */
    Stays *stays;               /* NULL: not learned; sees the frames that `motion` keeps */
    float *host_x, *x;          /* input planes: host, backend */
    float *target, *prediction; /* planes, host */
};

static int64_t frame_floats(const Scorer *s) {
    return VIT_COLOURS * s->info.size * s->info.size;
}

static int open_buffers(Scorer *s) {
    size_t count = (size_t)frame_floats(s), inputs = count * (size_t)s->info.frames;
    s->host_x = mem_alloc(inputs, sizeof(float));
    s->target = mem_alloc(count, sizeof(float));
    s->prediction = mem_alloc(count, sizeof(float));
    if (s->vit)
        s->x = vit_backend(s->vit)->alloc(vit_backend(s->vit), inputs * sizeof(float));
    return s->host_x && s->target && s->prediction && (!s->vit || s->x) ? 0 : ERR_FAIL;
}

static int open_network(Scorer *s, Backend *be, const Safetensors *file) {
    const char *path = s->info.path;
    int code = vit_open(&s->vit, be, &s->info.model.network, 1, false);
    if (!code)
        code = weights_load(s->vit, file, path, "");
    return !code && be->type == U8 ? weights_load_ranges(s->vit, file, path) : code;
}

static int open_model(Scorer *s, Backend *be) {
    Safetensors *file = NULL;
    ModelInfo *model = &s->info.model;
    const char *path = s->info.path;
    int code = safetensors_open(&file, path);
    if (!code)
        code = model_info(model, file, path);
    if (!code)
        code = weights_check(&model->network, file, path);
    if (!code && model->network.depth)
        code = open_network(s, be, file);
    if (!code)
        code = judgement_load(&s->judgement, file, path);
    if (!code && s->judgement.motion)
        code = motion_open(&s->motion, s->judgement.motion, be);
    if (!code && s->judgement.stays)
        code = stays_open(&s->stays, s->judgement.stays);
    safetensors_free(&file);
    if (code)
        return code;
    int tensors;
    int64_t decayed;
    vit_census(&model->network, &tensors, &s->info.parameters, &decayed);
    s->info.size = model->network.image;
    s->info.frames = model->network.frames;
    s->info.interval = model->interval;
    return 0;
}

/* Reports a missing model, so that a wrong path does not look like a damaged file. */
static int check_there(const char *model, const char *path) {
    if (file_exists(path))
        return 0;
    return file_is_folder(model)
               ? err_set(ERR_FAIL,
                         "%s: there is no " CHECKPOINT_NAME " in it; a model is the folder of a "
                         "run of 'normalcy train', or a checkpoint file",
                         model)
               : err_sys(ERR_FAIL,
                         "cannot read the model %s, expected the folder of a run or a checkpoint "
                         "file",
                         model);
}

int scorer_open(Scorer **out, const char *model, Backend *be) {
    Scorer *s = mem_alloc(1, sizeof *s);
    if (!s)
        return ERR_FAIL;
    model_path(s->info.path, sizeof s->info.path, model);
    int code = check_there(model, s->info.path);
    if (!code)
        code = open_model(s, be);
    if (!code)
        code = open_buffers(s);
    if (code) {
        scorer_free(&s);
        return code;
    }
    *out = s;
    return 0;
}

int scorer_open_persistence(Scorer **out, int64_t size, int64_t frames) {
    Scorer *s = mem_alloc(1, sizeof *s);
    if (!s)
        return ERR_FAIL;
    s->info = (ScorerInfo){.path = "persistence", .size = size, .frames = frames};
    if (open_buffers(s)) {
        scorer_free(&s);
        return ERR_FAIL;
    }
    *out = s;
    return 0;
}

void scorer_free(Scorer **ps) {
    Scorer *s = ps ? *ps : NULL;
    if (!s)
        return;
    if (s->vit)
        vit_backend(s->vit)->release(vit_backend(s->vit), s->x);
    vit_free(&s->vit);
    motion_free(&s->motion);
    stays_free(&s->stays);
    judgement_free(&s->judgement);
    mem_free(s->host_x);
    mem_free(s->target);
    mem_free(s->prediction);
    mem_free(s);
    *ps = NULL;
}

const ScorerInfo *scorer_info(const Scorer *s) {
    return &s->info;
}

bool scorer_has_surprise(const Scorer *s) {
    return s->motion || s->judgement.error.count;
}

void scorer_reset(Scorer *s) {
    if (s->motion)
        motion_reset(s->motion);
    if (s->stays)
        stays_reset(s->stays);
}

void scorer_add(Scorer *s, const Frame *f) {
    if (s->motion)
        motion_add(s->motion, f);
    if (s->stays)
        stays_add(s->stays, motion_movement(s->motion), f);
}

int scorer_judge(Scorer *s, double psnr, Opinions *out) {
    const Calibration *error = &s->judgement.error;
    for (int i = 0; i < OPINIONS; i++)
        out->opinion[i] = NAN;
    if (error->count && !isnan(psnr))
        out->opinion[OPINION_ERROR] = calibration_surprise(error, -psnr_shown(psnr));
    if (s->stays)
        out->opinion[OPINION_STAYS] = stays_surprise(s->stays);
    return s->motion ? motion_score(s->motion, &out->opinion[OPINION_MOTION]) : 0;
}

const Motion *scorer_motion(const Scorer *s) {
    return s->motion;
}

const Stays *scorer_stays(const Scorer *s) {
    return s->stays;
}

const Ignore *scorer_ignore(const Scorer *s) {
    return s->judgement.ignore;
}

void scorer_set_interval(Scorer *s, double seconds) {
    s->info.interval = seconds;
}

void scorer_observe(Scorer *s, VitRange *ranges) {
    vit_observe(s->vit, ranges);
}

static int predict(Scorer *s, const uint8_t *x) {
    int64_t pixels = s->info.size * s->info.size, count = frame_floats(s);
    if (!s->vit) {
        planes_from_bgr(s->prediction, x + (s->info.frames - 1) * count, pixels);
        return 0;
    }
    Backend *be = vit_backend(s->vit);
    for (int64_t i = 0; i < s->info.frames; i++) {
        planes_from_bgr(s->host_x + i * count, x + i * count, pixels);
        if (vit_config(s->vit)->colours == COLOURS_IMAGENET)
            planes_to_imagenet(s->host_x + i * count, pixels);
    }
    be->upload(be, s->x, s->host_x, (size_t)(s->info.frames * count) * sizeof(float));
    vit_forward(s->vit, s->x, 1, 1, NULL, NULL);
    be->download(be, s->prediction, vit_prediction(s->vit), (size_t)count * sizeof(float));
    return be->sync(be);
}

int scorer_run(Scorer *s, const uint8_t *x, const uint8_t *y, double *psnr) {
    int code = predict(s, x);
    if (code)
        return code;
    planes_from_bgr(s->target, y, s->info.size * s->info.size);
    double sum = 0;
    for (int64_t i = 0; i < frame_floats(s); i++) {
        double e = ((double)s->prediction[i] - s->target[i]) / 2; /* from [-1, 1] to [0, 1] */
        sum += e * e;
    }
    double mse = sum / (double)frame_floats(s);
    if (!isfinite(mse))
        return err_set(ERR_FAIL, "%s: the prediction is not finite", s->info.path);
    *psnr = -10 * log10(mse);
    return 0;
}

const float *scorer_prediction(const Scorer *s) {
    return s->prediction;
}

void scorer_error_map(const Scorer *s, float *out, int64_t cell) {
    int64_t size = s->info.size, side = size / cell, pixels = size * size;
    for (int64_t i = 0; i < side * side; i++) {
        double sum = 0;
        for (int64_t c = 0; c < VIT_COLOURS; c++)
            for (int64_t y = 0; y < cell; y++)
                for (int64_t x = 0; x < cell; x++) {
                    int64_t at = c * pixels + (i / side * cell + y) * size + i % side * cell + x;
                    double e = ((double)s->prediction[at] - s->target[at]) / 2;
                    sum += e * e;
                }
        out[i] = (float)(sum / (double)(VIT_COLOURS * cell * cell));
    }
}

void scorer_pictures(const Scorer *s, uint8_t *prediction, uint8_t *difference) {
    int64_t size = s->info.size, pixels = size * size;
    if (prediction)
        planes_to_bgr(prediction, s->prediction, pixels);
    for (int64_t i = 0; difference && i < pixels; i++) {
        float sum = 0;
        for (int64_t c = 0; c < VIT_COLOURS; c++)
            sum += fabsf(s->prediction[c * pixels + i] - s->target[c * pixels + i]);
        float share = fminf(sum / (2 * VIT_COLOURS) * 4, 1);
        draw_heat(difference + 3 * i, &share, 1);
    }
}
