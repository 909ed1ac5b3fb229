#include "model/import.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/import_source.h"
#include "model/model_file.h"
#include "model/params.h"
#include "model/positions.h"

/* ---- the report. */

__attribute__((format(printf, 2, 3))) static int add(ImportList *l, const char *fmt, ...) {
    if ((l->count & (l->count - 1)) == 0) { /* the list is full at powers of two */
        int wanted = l->count ? 2 * l->count : 1;
        char **p = mem_grow(l->item, (size_t)l->count, (size_t)wanted, sizeof *p);
        if (!p)
            return ERR_FAIL;
        l->item = p;
    }
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    l->item[l->count] = mem_printf("%s", text);
    return l->item[l->count++] ? 0 : ERR_FAIL;
}

static void free_list(ImportList *l) {
    for (int i = 0; i < l->count; i++)
        mem_free(l->item[i]);
    mem_free(l->item);
}

void import_report_free(ImportReport *r) {
    free_list(&r->matched);
    free_list(&r->missing);
    free_list(&r->misshaped);
    free_list(&r->adapted);
    free_list(&r->unexpected);
    *r = (ImportReport){0};
}

/* ---- matching. */

/* More input frames, or MNAD's memory, make a weight wider than in the file. The file's values then
 * go where they mean the same: to the newest frames, or to the features. */
static bool is_wider(const VitParam *p, const SafeTensor *t, const VitConfig *theirs) {
    int64_t inputs = strcmp(p->name, "encoder.patch_embed.proj.weight") == 0
                         ? VIT_COLOURS * theirs->frames
                     : strcmp(p->name, "decoder.0.weight") == 0 ? vit_decoded(theirs)
                                                                : -1;
    return t->rank == 4 && t->shape[0] == p->shape[0] && t->shape[1] == inputs &&
           t->shape[1] < p->shape[1] && t->shape[2] == p->shape[2] && t->shape[3] == p->shape[3];
}

static int64_t patches_of(const VitConfig *c) {
    return c->image / c->patch;
}

static bool is_table(const VitParam *p) {
    static const char end[] = "relative_position_bias_table";
    size_t n = strlen(p->name);
    return n >= sizeof end && strcmp(p->name + n - (sizeof end - 1), end) == 0;
}

/* Is this a weight of positions, for another number of patches? */
static bool is_resized(const VitParam *p, const SafeTensor *t, const VitConfig *theirs) {
    int64_t from = patches_of(theirs);
    if (is_table(p))
        return t->rank == 2 && t->shape[1] == p->shape[1] &&
               t->shape[0] == positions_table_rows(from) && t->shape[0] != p->shape[0];
    return strcmp(p->name, "encoder.pos_embed") == 0 && t->rank == 3 && t->shape[0] == 1 &&
           t->shape[2] == p->shape[2] && t->shape[1] == from * from + 1 &&
           t->shape[1] != p->shape[1];
}

/* A table that all blocks share in the file serves for each block's own table. */
static const SafeTensor *find_for(const ImportSource *s, const VitParam *p) {
    const SafeTensor *t = import_source_find(s, p->name);
    return t || p->block < 0 || !is_table(p) ? t : import_source_find(s, IMPORT_SHARED_TABLE);
}

static int tell_adapted(ImportReport *r, const VitParam *p, const SafeTensor *t,
                        const VitConfig *theirs, const VitConfig *ours) {
    bool resized = is_resized(p, t, theirs), wider = is_wider(p, t, theirs);
    bool copied = strcmp(t->name, p->name) != 0;
    char how[128] = "";
    if (resized)
        snprintf(how, sizeof how, "interpolated from %lld x %lld to %lld x %lld patches",
                 (long long)patches_of(theirs), (long long)patches_of(theirs),
                 (long long)patches_of(ours), (long long)patches_of(ours));
    else if (wider)
        snprintf(how, sizeof how, "widened from %lld to %lld inputs, by zeros",
                 (long long)t->shape[1], (long long)p->shape[1]);
    if (!copied && !how[0])
        return 0;
    return add(&r->adapted, "%s: %s%s%s", p->name, copied ? "a copy of the shared table" : "",
               copied && how[0] ? ", " : "", how);
}

/* Finds the file's tensor of every weight (NULL if none) and reports about it. */
static int match(const SafeTensor **tensors, ImportReport *r, const ImportSource *s,
                 const VitConfig *network, const VitParam *params, int count) {
    char found[192], expected[192];
    int code = 0;
    r->family = s->family;
    r->network = s->network;
    r->fc_norm = s->fc_norm;
    r->heads_guessed = s->heads_guessed && network->heads == s->network.heads;
    for (int i = 0; i < count && !code; i++) {
        const VitParam *p = &params[i];
        if (!p->name[0])
            continue;
        const SafeTensor *t = tensors[i] = find_for(s, p);
        if (!t)
            code = add(&r->missing, "%s", p->name);
        else if (!safetensors_has_shape(t, p->rank, p->shape) && !is_wider(p, t, &s->network) &&
                 !is_resized(p, t, &s->network))
            code = add(&r->misshaped, "%s has shape %s, expected %s", p->name,
                       safetensors_shape_text(found, sizeof found, t->rank, t->shape),
                       safetensors_shape_text(expected, sizeof expected, p->rank, p->shape));
        else if (!(code = add(&r->matched, "%s", p->name)))
            code = tell_adapted(r, p, t, &s->network, network);
    }
    for (int i = 0; i < s->count && !code; i++) {
        bool taken = false;
        for (int k = 0; k < count && !taken; k++)
            taken = tensors[k] == &s->tensors[i];
        if (!taken)
            code = add(&r->unexpected, "%s", s->theirs[i]);
    }
    return code;
}

/* Gives all values as float: in the file if they are aligned floats there, else in a new block that
 * *owned takes. */
static int values_of(const float **values, float **owned, const SafeTensor *t, const char *path) {
    int code = 0;
    *values = safetensors_floats(t);
    if (!*values) {
        *values = *owned = mem_alloc((size_t)t->count, sizeof **owned);
        code = *owned ? safetensors_to_f32(t, *owned) : ERR_FAIL;
    }
    if (code)
        return *owned ? err_context(code, "%s", path) : code;
    return safetensors_check_finite(t, *values, path);
}

static char *options_text(char *buf, size_t n, const VitConfig *c) {
    size_t used = 0;
    buf[0] = 0;
    for (const Opt *row = vit_options; row->name && used < n; row++) {
        char value[OPT_VALUE];
        used += (size_t)snprintf(buf + used, n - used, "%s--%s=%s", used ? " " : "", row->name,
                                 opt_value_text(row, c, value));
    }
    return buf;
}

int import_network(VitConfig *out, const char *path) {
    ImportSource s = {0};
    int code = import_source_open(&s, path);
    if (!code)
        *out = s.network;
    import_source_free(&s);
    return code;
}

/* ---- import into a network. */

/* Does this setting of ours (a) make another kind of network than the file's (b)? Such settings are
 * the number and parts of the blocks, the positions, the patch size (a patch embedding is not
 * resized), and the number of heads, if the file says it. Other sizes show in the shapes. */
static bool differs(const Opt *row, const VitConfig *a, const ImportSource *s) {
    const VitConfig *b = &s->network;
    switch (row->offset) {
    case offsetof(VitConfig, heads):
        return a->heads != b->heads && s->heads_told;
    case offsetof(VitConfig, patch):
        return a->patch != b->patch;
    case offsetof(VitConfig, depth):
        return a->depth != b->depth;
    case offsetof(VitConfig, relpos):
        return a->relpos != b->relpos && !(a->relpos == RELPOS_BLOCK && b->relpos == RELPOS_SHARED);
    case offsetof(VitConfig, pos_embed):
        return a->pos_embed != b->pos_embed;
    case offsetof(VitConfig, key_bias):
        return a->key_bias != b->key_bias;
    case offsetof(VitConfig, layer_scale):
        return (a->layer_scale > 0) != (b->layer_scale > 0);
    default:
        return false;
    }
}

static int check_settings(const VitConfig *network, const ImportSource *s, const char *path) {
    char ours[256] = "", theirs[256] = "", value[OPT_VALUE];
    if (network->relpos == RELPOS_SHARED && s->network.relpos == RELPOS_BLOCK)
        return err_set(ERR_FAIL,
                       "%s (%s) has a table of relative positions in each block; they differ, so "
                       "none can stand for all: give --relpos block",
                       path, s->family);
    for (const Opt *row = vit_options; row->name; row++) {
        if (!differs(row, network, s))
            continue;
        size_t a = strlen(ours), b = strlen(theirs);
        snprintf(ours + a, sizeof ours - a, " --%s=%s", row->name,
                 opt_value_text(row, network, value));
        snprintf(theirs + b, sizeof theirs - b, " --%s=%s", row->name,
                 opt_value_text(row, &s->network, value));
    }
    if (theirs[0])
        return err_set(ERR_FAIL, "%s (%s) needs%s; this network has%s", path, s->family, theirs,
                       ours);
    return 0;
}

static int refuse_misshaped(const ImportReport *r, const char *path) {
    char options[256];
    return err_set(ERR_FAIL, "%s: tensor %s; the file was made with %s", path, r->misshaped.item[0],
                   options_text(options, sizeof options, &r->network));
}

/* Copies each row of the file's weight into a wider row; the rest is zero. */
static float *widen(const VitParam *p, const SafeTensor *t, const float *values) {
    int64_t rows = p->shape[0], have = t->count / rows, want = p->count / rows;
    int64_t at = strcmp(p->name, "decoder.0.weight") == 0 ? 0 : want - have;
    float *wide = mem_alloc((size_t)p->count, sizeof *wide);
    for (int64_t r = 0; wide && r < rows; r++)
        memcpy(wide + r * want + at, values + r * have, (size_t)have * sizeof *wide);
    return wide;
}

static int resize(float **out, const VitParam *p, const float *values, int64_t from, int64_t to) {
    *out = mem_alloc((size_t)p->count, sizeof **out);
    if (!*out)
        return ERR_FAIL;
    return is_table(p) ? positions_resize_table(*out, values, from, to, p->shape[1])
                       : positions_resize_embed(*out, values, from, to, p->shape[2]);
}

static int load(Vit *v, int i, const SafeTensor *t, const VitConfig *theirs, const char *path) {
    int count;
    const VitParam *p = &vit_params(v, &count)[i];
    const float *values;
    float *owned = NULL, *fitted = NULL;
    int code = values_of(&values, &owned, t, path);
    if (!code && is_resized(p, t, theirs)) {
        code = resize(&fitted, p, values, patches_of(theirs), patches_of(vit_config(v)));
        if (code)
            err_context(code, "%s", path);
        values = fitted;
    } else if (!code && is_wider(p, t, theirs)) {
        values = fitted = widen(p, t, values);
        code = fitted ? 0 : ERR_FAIL;
    }
    if (!code)
        code = vit_set(v, i, values);
    mem_free(owned);
    mem_free(fitted);
    return code;
}

int import_init(Vit *v, const char *path, ImportReport *report) {
    int count;
    const VitParam *params = vit_params(v, &count);
    const SafeTensor **tensors = mem_alloc((size_t)count, sizeof *tensors);
    ImportSource s = {0};
    *report = (ImportReport){0};
    int code = tensors ? import_source_open(&s, path) : ERR_FAIL;
    if (!code)
        code = match(tensors, report, &s, vit_config(v), params, count);
    if (!code)
        code = check_settings(vit_config(v), &s, path);
    if (!code && report->misshaped.count)
        code = refuse_misshaped(report, path);
    for (int i = 0; i < count && !code; i++)
        if (tensors[i])
            code = load(v, i, tensors[i], &s.network, path);
    import_source_free(&s);
    mem_free(tensors);
    return code;
}

/* ---- import into a file. */

static int add_metadata(SafeWriter *w, const ImportSource *s, const char *path) {
    char *source = mem_printf("%s (%s)", file_name(path), s->family);
    if (!source)
        return ERR_FAIL;
    safe_writer_metadata(w, "format", IMPORTED_FORMAT);
    safe_writer_metadata(w, "version", NORMALCY_VERSION);
    int code = model_add_settings(w, "network", vit_options, &s->network);
    safe_writer_metadata(w, "source", source);
    mem_free(source);
    return code;
}

static int write_matched(const SafeTensor *const *tensors, float **owned, int count,
                         const ImportSource *s, const char *path, const char *to) {
    SafeWriter *w = NULL;
    int code = safe_writer_open(&w);
    for (int i = 0; i < count && !code; i++) {
        const float *values;
        const SafeTensor *t = tensors[i];
        if (t)
            code = values_of(&values, &owned[i], t, path);
        if (t && !code)
            safe_writer_add(w, t->name, t->rank, t->shape, values);
    }
    if (!code)
        code = add_metadata(w, s, path);
    if (!code)
        code = safe_writer_save(&w, to);
    safe_writer_free(&w);
    return code;
}

int import_weights(const char *path, const char *to, ImportReport *report) {
    ImportSource s = {0};
    int count = 0;
    int64_t floats;
    *report = (ImportReport){0};
    int code = import_source_open(&s, path);
    VitParam *params = code ? NULL : params_layout(&s.network, &count, &floats);
    const SafeTensor **tensors = mem_alloc((size_t)count, sizeof *tensors);
    float **owned = mem_alloc((size_t)count, sizeof *owned);
    if (!code)
        code = params && tensors && owned ? match(tensors, report, &s, &s.network, params, count)
                                          : ERR_FAIL;
    if (!code && report->misshaped.count)
        code = refuse_misshaped(report, path);
    if (!code)
        code = write_matched(tensors, owned, count, &s, path, to);
    for (int i = 0; i < count && owned; i++)
        mem_free(owned[i]);
    mem_free(owned);
    mem_free(tensors);
    mem_free(params);
    import_source_free(&s);
    return code;
}
