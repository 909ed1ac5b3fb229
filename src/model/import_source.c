#include "model/import_source.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/model_file.h"

#define SHARED_TABLE "rel_pos_bias.relative_position_bias_table"
#define BLOCK_TABLE "blocks.0.attn.relative_position_bias_table"

static const char normalcy[] = "normalcy", simmim[] = "SimMIM",
                  beit[] = "BEiT, or SimMIM fine-tuned", mae[] = "MAE";

static bool begins(const char *name, const char *with) {
    return strncmp(name, with, strlen(with)) == 0;
}

static bool ends(const char *name, const char *with) {
    size_t n = strlen(name), m = strlen(with);
    return n >= m && strcmp(name + n - m, with) == 0;
}

static int recognise(ImportSource *s, const char *path) {
    const WeightFile *f = s->file;
    bool wrapped = weight_file_find(f, "encoder.blocks.0.attn.qkv.weight");
    bool bare = weight_file_find(f, "blocks.0.attn.qkv.weight");
    bool tables = weight_file_find(f, BLOCK_TABLE) || weight_file_find(f, SHARED_TABLE);
    if (weight_file_metadata(f, "network"))
        s->family = normalcy;
    else if (wrapped)
        s->family = simmim;
    else if (bare)
        s->family = weight_file_find(f, "pos_embed") && !tables ? mae : beit;
    else
        return err_set(ERR_FAIL,
                       "%s: no vision transformer of SimMIM, BEiT or MAE: expected a tensor "
                       "blocks.0.attn.qkv.weight, with or without encoder. before it; the first of "
                       "%d is %s",
                       path, weight_file_count(f),
                       weight_file_count(f) ? weight_file_at(f, 0)->name : "none");
    return 0;
}

/* ---- the index of a position bias is a matter of the grid; some files hold it. */

/* x = root^2; -1 where it is no square. */
static int64_t square_root(int64_t x) {
    if (x < 0 || x > (int64_t)1 << 40)
        return -1;
    int64_t root = llrint(sqrt((double)x));
    return root * root == x ? root : -1;
}

/* Method A.3: row of the table for query a and key b, of which 0 is cls. */
static int64_t table_row(int64_t a, int64_t b, int64_t grid) {
    int64_t span = 2 * grid - 1;
    if (a == 0 || b == 0)
        return span * span + (a == 0 && b == 0 ? 2 : b == 0);
    a--, b--;
    return (a / grid - b / grid + grid - 1) * span + a % grid - b % grid + grid - 1;
}

static int check_index(const SafeTensor *t, const char *path) {
    int64_t tokens = t->rank == 2 && t->shape[0] == t->shape[1] ? t->shape[0] : 0;
    int64_t grid = square_root(tokens - 1);
    if (t->type != SAFE_I64 || grid < 1)
        return err_set(ERR_FAIL, "%s: tensor %s is no index of a square grid and cls", path,
                       t->name);
    for (int64_t i = 0; i < t->count; i++) {
        int64_t a = i / tokens, b = i % tokens, found;
        memcpy(&found, (const char *)t->data + i * (int64_t)sizeof found, sizeof found);
        if (found != table_row(a, b, grid))
            return err_set(
                ERR_FAIL,
                "%s: tensor %s: token %lld looks at token %lld by row %lld of the table, "
                "expected row %lld: another order of positions than SimMIM's",
                path, t->name, (long long)a, (long long)b, (long long)found,
                (long long)table_row(a, b, grid));
    }
    return 0;
}

/* ---- names. */

/* Takes a tensor over under prefix + name. A name too long for one of ours is cut, and stays none.
 */
static void take(ImportSource *s, const SafeTensor *t, const char *prefix, const char *name) {
    char *ours = s->names[s->count];
    snprintf(ours, sizeof *s->names, "%s%s", prefix, name);
    s->theirs[s->count] = t->name;
    s->tensors[s->count] = *t;
    s->tensors[s->count++].name = ours;
}

/* MAE keeps the biases of query, key and value in one vector. */
static void take_qkv_bias(ImportSource *s, const SafeTensor *t, const char *prefix) {
    static const char *const parts[] = {"q_bias", "k_bias", "v_bias"};
    int stem = (int)(strlen(t->name) - strlen("qkv.bias"));
    for (int i = 0; i < 3; i++) {
        char name[64];
        SafeTensor part = *t;
        part.shape[0] = part.count = t->count / 3;
        part.bytes = t->bytes / 3;
        part.data = (const char *)t->data + i * part.bytes;
        snprintf(name, sizeof name, "%.*s%s", stem, t->name, parts[i]);
        take(s, &part, prefix, name);
    }
}

static int translate(ImportSource *s, const SafeTensor *t, const char *path) {
    const char *prefix = s->family == normalcy || s->family == simmim ? "" : "encoder.";
    if (ends(t->name, "relative_position_index"))
        return check_index(t, path);
    if (s->family == normalcy && begins(t->name, "optimizer."))
        return 0;
    if (begins(t->name, "fc_norm.") && !weight_file_find(s->file, "norm.weight")) {
        s->fc_norm = true;
        take(s, t, prefix, t->name + strlen("fc_"));
    } else if (s->family == mae && strcmp(t->name, "mask_token") == 0) {
        take(s, t, "", t->name); /* its decoder's, whatever the width */
    } else if (ends(t->name, ".attn.qkv.bias") && t->rank == 1 && t->count % 3 == 0) {
        take_qkv_bias(s, t, prefix);
    } else {
        take(s, t, prefix, t->name);
    }
    return 0;
}

static int translate_all(ImportSource *s, const char *path) {
    int count = weight_file_count(s->file), code = 0;
    s->names = mem_alloc(3 * (size_t)count, sizeof *s->names);
    s->tensors = mem_alloc(3 * (size_t)count, sizeof *s->tensors);
    s->theirs = mem_alloc(3 * (size_t)count, sizeof *s->theirs);
    if (!s->names || !s->tensors || !s->theirs)
        return ERR_FAIL;
    for (int i = 0; i < count && !code; i++)
        code = translate(s, weight_file_at(s->file, i), path);
    return code;
}

/* ---- the network that the shapes belong to. */

static int64_t count_blocks(const ImportSource *s) {
    int64_t depth = 0;
    for (int i = 0; i < s->count; i++)
        if (begins(s->tensors[i].name, "encoder.blocks.")) {
            long block = strtol(s->tensors[i].name + strlen("encoder.blocks."), NULL, 10);
            if (block >= depth)
                depth = block < 1000 ? block + 1 : 1000; /* more than any option allows */
        }
    return depth;
}

static int derive_positions(VitConfig *c, const ImportSource *s, const char *path) {
    const SafeTensor *shared = import_source_find(s, "encoder." SHARED_TABLE);
    const SafeTensor *block = import_source_find(s, "encoder." BLOCK_TABLE);
    const SafeTensor *table = shared ? shared : block;
    const SafeTensor *embed = import_source_find(s, "encoder.pos_embed");
    int64_t grid = -1;
    c->relpos = shared ? RELPOS_SHARED : block ? RELPOS_BLOCK : RELPOS_NONE;
    c->pos_embed = embed;
    c->heads = c->width < 64 ? 1 : c->width / 64; /* where nothing tells: what ViTs have */
    if (table) {
        int64_t span = table->rank == 2 ? square_root(table->shape[0] - 3) : -1;
        grid = span % 2 == 1 ? (span + 1) / 2 : -1;
        c->heads = table->rank == 2 ? table->shape[1] : 0;
    } else if (embed) {
        grid = embed->rank == 3 ? square_root(embed->shape[1] - 1) : -1;
    }
    if (!table && !embed)
        return err_set(ERR_FAIL, "%s: no table of positions tells the size of its input", path);
    if (grid < 1)
        return err_set(ERR_FAIL, "%s: its positions are not those of a square grid and cls", path);
    c->image = grid * c->patch;
    return 0;
}

/* The ranges that the options have on the command line. */
static int check_ranges(const VitConfig *c) {
    for (const Opt *row = vit_options; row->name; row++) {
        if (row->type != OPT_INT)
            continue;
        int64_t value;
        memcpy(&value, (const char *)c + row->offset, sizeof value);
        if ((double)value < row->min || (double)value > row->max)
            return err_set(ERR_FAIL, "its %s is %lld, expected %g to %g", row->name,
                           (long long)value, row->min, row->max);
    }
    return vit_config_check(c);
}

static int derive(ImportSource *s, const char *path) {
    VitConfig *c = &s->network;
    OptGroup groups[] = {{"", vit_options, c}, {NULL, NULL, NULL}};
    const SafeTensor *patch = import_source_find(s, "encoder.patch_embed.proj.weight");
    int code = opt_defaults(groups);
    if (code)
        return code;
    if (!patch || patch->rank != 4 || patch->shape[1] % VIT_COLOURS ||
        patch->shape[2] != patch->shape[3] || patch->shape[2] > 4096)
        return err_set(ERR_FAIL,
                       "%s: expected a tensor patch_embed.proj.weight of shape (width, 3 x frames, "
                       "patch, patch)",
                       path);
    c->width = patch->shape[0];
    c->frames = patch->shape[1] / VIT_COLOURS;
    c->patch = patch->shape[2];
    c->depth = count_blocks(s);
    c->key_bias = import_source_find(s, "encoder.blocks.0.attn.k_bias");
    if (!import_source_find(s, "encoder.blocks.0.gamma_1"))
        c->layer_scale = 0;
    code = derive_positions(c, s, path);
    if (code)
        return code;
    return check_ranges(c) ? err_context(ERR_FAIL, "%s", path) : 0;
}

/* ---- */

int import_source_open(ImportSource *out, const char *from) {
    char path[4096];
    model_path(path, sizeof path, from);
    int code = weight_file_open(&out->file, path);
    if (!code)
        code = recognise(out, path);
    if (!code)
        code = translate_all(out, path);
    if (!code && out->family == normalcy)
        code = model_network(&out->network, weight_file_metadata(out->file, "network"), path);
    else if (!code)
        code = derive(out, path);
    return code;
}

void import_source_free(ImportSource *s) {
    weight_file_free(&s->file);
    mem_free(s->names);
    mem_free(s->tensors);
    mem_free(s->theirs);
    *s = (ImportSource){0};
}

const SafeTensor *import_source_find(const ImportSource *s, const char *name) {
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->tensors[i].name, name) == 0)
            return &s->tensors[i];
    return NULL;
}
