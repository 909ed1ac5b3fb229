#include "train/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "model/weights.h"

static const char moment1[] = "optimizer.exp_avg.", moment2[] = "optimizer.exp_avg_sq.";

static void add_real(SafeWriter *w, const char *key, double number) {
    char text[32];
    snprintf(text, sizeof text, "%.9g", number);
    safe_writer_metadata(w, key, text);
}

static void add_number(SafeWriter *w, const char *key, int64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    safe_writer_metadata(w, key, text);
}

/* Declares a slab under a prefix: as it lies, or by a copy in host memory, the caller's to free. */
static int add_slab(SafeWriter *w, const Trainer *t, const float *slab, const char *prefix,
                    float **copy) {
    Backend *be = vit_backend(t->vit);
    size_t count = (size_t)vit_slab_count(t->vit);
    if (!be->host_memory) {
        *copy = mem_alloc(count, sizeof **copy);
        if (!*copy)
            return ERR_FAIL;
        be->download(be, *copy, slab, count * sizeof **copy);
    }
    weights_add(w, t->vit, be->host_memory ? slab : *copy, prefix);
    return 0;
}

void checkpoint_compute(char *buf, size_t n, const Backend *be) {
    snprintf(buf, n, "%s, %s, %s", be->name, be->description, backend_precision(be));
}

int checkpoint_save(const Trainer *t, const char *data, bool moments, const char *path) {
    SafeWriter *w = NULL;
    float *copy[3] = {NULL};
    char compute[64];
    checkpoint_compute(compute, sizeof compute, vit_backend(t->vit));
    int code = safe_writer_open(&w);
    if (code)
        return code;
    safe_writer_metadata(w, "format", "normalcy");
    safe_writer_metadata(w, "version", NORMALCY_VERSION);
    safe_writer_metadata(w, "data", data);
    safe_writer_metadata(w, "compute", compute);
    add_number(w, "step", t->step);
    add_real(w, "interval", t->interval);
    add_number(w, "steps_per_epoch", t->steps_per_epoch);
    code = model_add_settings(w, "network", vit_options, vit_config(t->vit));
    if (!code)
        code = model_add_settings(w, "training", train_options, &t->settings);
    if (!code)
        code = add_slab(w, t, vit_weights(t->vit), "", &copy[0]);
    if (!code && moments)
        code = add_slab(w, t, t->optimizer.m, moment1, &copy[1]);
    if (!code && moments)
        code = add_slab(w, t, t->optimizer.v, moment2, &copy[2]);
    if (!code && t->judgement)
        judgement_add(w, t->judgement);
    if (!code)
        code = safe_writer_save(&w, path);
    else
        safe_writer_free(&w);
    for (int i = 0; i < 3; i++)
        mem_free(copy[i]);
    return code;
}

int checkpoint_info(CheckpointInfo *out, const Safetensors *file, const char *path) {
    *out = (CheckpointInfo){0};
    Json *settings;
    int code = model_info_and_training(&out->model, &settings, file, path);
    if (code)
        return code;
    OptGroup groups[] = {{"", train_options, &out->training}, {NULL, NULL, NULL}};
    code = opt_defaults(groups);
    if (!code)
        code = opt_from_json(groups, "training: ", settings);
    js_free(settings);
    return code ? err_context(ERR_FAIL, "%s", path) : 0;
}

void checkpoint_info_free(CheckpointInfo *info) {
    OptGroup groups[] = {{"", train_options, &info->training}, {NULL, NULL, NULL}};
    opt_free(groups);
}

/* Quantized models and those of --keep have none. */
static bool has_moments(const Safetensors *file) {
    for (int i = 0; i < safetensors_count(file); i++)
        if (strncmp(safetensors_at(file, i)->name, moment1, strlen(moment1)) == 0)
            return true;
    return false;
}

/* Of tensors that are there and fit. AdamW divides by the roots of their values. */
static int check_second_moments(const Trainer *t, const Safetensors *file, const char *path) {
    int count, code = 0;
    const VitParam *p = vit_params(t->vit, &count);
    for (int i = 0; i < count && !code; i++) {
        if (!p[i].name[0])
            continue;
        char name[128];
        snprintf(name, sizeof name, "%s%s", moment2, p[i].name);
        float *x = mem_alloc((size_t)p[i].count, sizeof *x);
        code = x ? safetensors_to_f32(safetensors_find(file, name), x) : ERR_FAIL;
        for (int64_t k = 0; k < p[i].count && !code; k++)
            if (x[k] < 0)
                code = err_set(ERR_FAIL,
                               "%s: tensor %s holds %g at %lld; a second moment is a mean of "
                               "squares, so the file is damaged",
                               path, name, (double)x[k], (long long)k);
        mem_free(x);
    }
    return code;
}

/* The updates done, which are no more than the run's. */
static int read_step(int64_t *step, const CheckpointInfo *info, const Safetensors *file,
                     const char *path) {
    const char *text = safetensors_metadata(file, "step");
    if (!text)
        return err_set(ERR_FAIL, "%s: metadata \"step\" is missing: no run to resume", path);
    int64_t last = info->training.epochs * info->model.steps_per_epoch;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || value < 0 || value > last)
        return err_set(ERR_FAIL,
                       "%s: metadata \"step\" is \"%s\", expected 0 to %lld, the run's %lld epochs "
                       "of %lld steps",
                       path, text, (long long)last, (long long)info->training.epochs,
                       (long long)info->model.steps_per_epoch);
    *step = value;
    return 0;
}

int checkpoint_load(Trainer *t, const CheckpointInfo *info, const Safetensors *file,
                    const char *path) {
    int64_t step = 0;
    int code = read_step(&step, info, file, path);
    if (!code && vit_slab_count(t->vit) && !has_moments(file))
        code = err_set(ERR_FAIL,
                       "%s holds a model without the optimizer's state: it scores, and --init "
                       "starts a new run from it, but it cannot be resumed",
                       path);
    if (!code)
        code = weights_load(t->vit, file, path, "");
    if (!code)
        code = weights_load_slab(t->vit, t->optimizer.m, file, path, moment1);
    if (!code)
        code = weights_load_slab(t->vit, t->optimizer.v, file, path, moment2);
    if (!code)
        code = check_second_moments(t, file, path);
    if (!code)
        t->step = step;
    return code;
}
