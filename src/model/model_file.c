#include "model/model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "model/weights.h"

void model_path(char *buf, size_t n, const char *model) {
    snprintf(buf, n, "%s%s", model, file_is_folder(model) ? "/" CHECKPOINT_NAME : "");
}

bool model_is(const char *model) {
    char path[4096], head[9] = ""; /* the length of the header, and the header */
    model_path(path, sizeof path, model);
    if (!file_is_regular(path))
        return false;
    FILE *f = fopen(path, "rbe");
    bool is = f && fread(head, 1, sizeof head, f) == sizeof head && head[8] == '{';
    if (f)
        fclose(f);
    return is;
}

static Json *parse_settings(const char *text, const char *path, const char *key) {
    if (!text) {
        err_set(ERR_FAIL, "%s: no normalcy model: its metadata has no \"%s\" settings", path, key);
        return NULL;
    }
    Json *j = js_parse(text, strlen(text));
    if (!j)
        err_context(ERR_FAIL, "%s: metadata \"%s\"", path, key);
    return j;
}

int model_network(VitConfig *out, const char *text, const char *path) {
    Json *settings = parse_settings(text, path, "network");
    if (!settings)
        return ERR_FAIL;
    OptGroup groups[] = {{"", vit_options, out}, {NULL, NULL, NULL}};
    int code = opt_defaults(groups);
    if (!code)
        code = opt_from_json(groups, "network: ", settings);
    js_free(settings);
    if (!code)
        code = vit_config_check(out);
    return code ? err_context(ERR_FAIL, "%s", path) : 0;
}

enum { MOST = 1000000000 }; /* of a count: two of them multiply */

/* A number up to `most`; else 0. */
static int64_t number(const char *text, int64_t most) {
    long long value = text ? strtoll(text, NULL, 10) : 0;
    return value > 0 && value <= most ? value : 0;
}

/* Seconds between frames, up to an hour; else 0: every frame. */
static double seconds(const char *text) {
    double value = text ? strtod(text, NULL) : 0;
    return value > 0 && value <= 3600 ? value : 0;
}

int model_info_and_training(ModelInfo *out, Json **training, const Safetensors *file,
                            const char *path) {
    *out = (ModelInfo){0};
    int code = model_network(&out->network, safetensors_metadata(file, "network"), path);
    if (code)
        return code;
    Json *settings = parse_settings(safetensors_metadata(file, "training"), path, "training");
    if (!settings)
        return ERR_FAIL;
    out->epochs = number(js_text_of(js_get(settings, "epochs")), MOST);
    out->seed = number(js_text_of(js_get(settings, "seed")), UINT32_MAX);
    *training = settings;
    out->interval = seconds(safetensors_metadata(file, "interval"));
    out->step = number(safetensors_metadata(file, "step"), MOST);
    out->steps_per_epoch = number(safetensors_metadata(file, "steps_per_epoch"), MOST);
    const char *compute = safetensors_metadata(file, "compute");
    snprintf(out->compute, sizeof out->compute, "%s", compute ? compute : "");
    const char *version = safetensors_metadata(file, "version");
    const char *data = safetensors_metadata(file, "data");
    snprintf(out->version, sizeof out->version, "%s", version ? version : "");
    snprintf(out->data, sizeof out->data, "%s", data ? data : "");
    return 0;
}

int model_info(ModelInfo *out, const Safetensors *file, const char *path) {
    Json *training;
    int code = model_info_and_training(out, &training, file, path);
    if (!code)
        js_free(training);
    return code;
}

int model_add_settings(SafeWriter *w, const char *key, const Opt *rows, const void *object) {
    OptGroup groups[] = {{"", rows, (void *)(uintptr_t)object}, {NULL, NULL, NULL}};
    Json *json = opt_to_json(groups);
    char *text = js_text(json, false);
    js_free(json);
    if (!text)
        return ERR_FAIL;
    safe_writer_metadata(w, key, text);
    mem_free(text);
    return 0;
}

/* Every tensor of a scoring model as f32; `values` takes ownership of the copies. */
static int copy_tensors(SafeWriter *w, const Safetensors *file, const char *path, float **values) {
    for (int i = 0; i < safetensors_count(file); i++) {
        const SafeTensor *t = safetensors_at(file, i);
        if (strncmp(t->name, "optimizer.", 10) == 0 || strcmp(t->name, INT8_RANGES) == 0)
            continue;
        values[i] = mem_alloc((size_t)t->count, sizeof(float));
        int code = values[i] ? safetensors_to_f32(t, values[i]) : ERR_FAIL;
        if (code)
            return err_context(code, "%s", path);
        safe_writer_add(w, t->name, t->rank, t->shape, values[i]);
    }
    return 0;
}

int model_with_ranges(const char *from, const VitRange *ranges, const char *to) {
    static const char *const keys[] = {"format",          "version", "data",     "compute", "step",
                                       "steps_per_epoch", "network", "training", "interval"};
    Safetensors *file = NULL;
    SafeWriter *w = NULL;
    ModelInfo info;
    int code = safetensors_open(&file, from);
    if (!code)
        code = model_info(&info, file, from);
    int count = code ? 0 : safetensors_count(file);
    float **values = mem_alloc((size_t)count, sizeof *values);
    if (!code)
        code = values ? safe_writer_open(&w) : ERR_FAIL;
    if (!code)
        code = copy_tensors(w, file, from, values);
    for (size_t i = 0; !code && i < sizeof keys / sizeof *keys; i++)
        if (safetensors_metadata(file, keys[i]))
            safe_writer_metadata(w, keys[i], safetensors_metadata(file, keys[i]));
    if (!code) {
        safe_writer_add(w, INT8_RANGES, 3, (const int64_t[]){info.network.depth, VIT_SITES, 2},
                        ranges[0]);
        code = safe_writer_save(&w, to);
    }
    safe_writer_free(&w);
    for (int i = 0; values && i < count; i++)
        mem_free(values[i]);
    mem_free(values);
    safetensors_free(&file);
    return code;
}
