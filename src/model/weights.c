#include "model/weights.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/params.h"

/* Finds the file's tensor of a parameter and checks its shape. */
static int find_one(const SafeTensor **out, const VitParam *p, const Safetensors *file,
                    const char *path, const char *prefix) {
    char name[128], expected[128], found[128];
    snprintf(name, sizeof name, "%s%s", prefix, p->name);
    const SafeTensor *t = safetensors_find(file, name);
    if (!t)
        return err_set(ERR_FAIL, "%s: tensor %s is missing", path, name);
    if (!safetensors_has_shape(t, p->rank, p->shape))
        return err_set(ERR_FAIL,
                       "%s: tensor %s has shape %s, this network expects %s: it was made with "
                       "another size, patch or input",
                       path, name, safetensors_shape_text(found, sizeof found, t->rank, t->shape),
                       safetensors_shape_text(expected, sizeof expected, p->rank, p->shape));
    *out = t;
    return 0;
}

/* Gives the values of a parameter: in the file if they are floats there, else converted into
 * `host`. */
static int load_one(const float **values, float *host, const VitParam *p, const Safetensors *file,
                    const char *path, const char *prefix) {
    const SafeTensor *t;
    int code = find_one(&t, p, file, path, prefix);
    if (code)
        return code;
    *values = safetensors_floats(t);
    if (!*values) {
        code = safetensors_to_f32(t, host);
        *values = host;
    }
    return code ? err_context(code, "%s", path) : safetensors_check_finite(t, *values, path);
}

int weights_check(const VitConfig *config, const Safetensors *file, const char *path) {
    int count, code = 0;
    int64_t floats;
    const SafeTensor *t;
    VitParam *p = params_layout(config, &count, &floats);
    if (!p)
        return ERR_FAIL;
    for (int i = 0; i < count && !code; i++)
        if (p[i].name[0])
            code = find_one(&t, &p[i], file, path, "");
    mem_free(p);
    return code;
}

/* Reads one parameter after the other into host memory and copies it into `slab`, or into the
 * network itself if `slab` is NULL. */
static int load_all(Vit *v, float *slab, const Safetensors *file, const char *path,
                    const char *prefix) {
    int count, code = 0;
    const VitParam *p = vit_params(v, &count);
    Backend *be = vit_backend(v);
    int64_t most = 0;
    for (int i = 0; i < count; i++)
        most = p[i].count > most ? p[i].count : most;
    float *host = mem_alloc((size_t)most, sizeof *host);
    if (!host)
        return ERR_FAIL;
    for (int i = 0; i < count && !code; i++) {
        if (!p[i].name[0])
            continue;
        const float *values;
        code = load_one(&values, host, &p[i], file, path, prefix);
        if (!code && slab)
            be->upload(be, slab + p[i].offset, values, (size_t)p[i].count * sizeof *values);
        else if (!code)
            code = vit_set(v, i, values);
    }
    mem_free(host);
    return code;
}

int weights_load(Vit *v, const Safetensors *file, const char *path, const char *prefix) {
    return load_all(v, NULL, file, path, prefix);
}

int weights_load_slab(Vit *v, float *slab, const Safetensors *file, const char *path,
                      const char *prefix) {
    return load_all(v, slab, file, path, prefix);
}

int weights_load_ranges(Vit *v, const Safetensors *file, const char *path) {
    const int64_t shape[3] = {vit_config(v)->depth, VIT_SITES, 2};
    char expected[64];
    const SafeTensor *t = safetensors_find(file, INT8_RANGES);
    if (!t)
        return err_set(ERR_FAIL,
                       "%s: no ranges for int8; 'normalcy quantize' makes a model that has them",
                       path);
    if (!safetensors_has_shape(t, 3, shape))
        return err_set(ERR_FAIL, "%s: tensor " INT8_RANGES " does not have the shape %s", path,
                       safetensors_shape_text(expected, sizeof expected, 3, shape));
    VitRange *ranges = mem_alloc((size_t)t->count, sizeof(float));
    int code = ranges ? safetensors_to_f32(t, ranges[0]) : ERR_FAIL;
    if (!code)
        code = vit_set_ranges(v, (const VitRange *)ranges);
    mem_free(ranges);
    return code ? err_context(code, "%s", path) : 0;
}

void weights_add(SafeWriter *w, const Vit *v, const float *host, const char *prefix) {
    int count;
    const VitParam *p = vit_params(v, &count);
    for (int i = 0; i < count; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", prefix, p[i].name);
        if (p[i].name[0])
            safe_writer_add(w, name, p[i].rank, p[i].shape, host + p[i].offset);
    }
}
