#include "model/import_source.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/model_file.h"

#define SHARED_TABLE "rel_pos_bias.relative_position_bias_table"
#define BLOCK_TABLE "blocks.0.attn.relative_position_bias_table"

static const char normalcy[] = "normalcy", simmim[] = "SimMIM",
                  beit[] = "BEiT, or SimMIM fine-tuned", mae[] = "MAE, or a plain ViT";

static bool begins(const char *name, const char *with) {
    return strncmp(name, with, strlen(with)) == 0;
}

static bool ends(const char *name, const char *with) {
    size_t n = strlen(name), m = strlen(with);
    return n >= m && strcmp(name + n - m, with) == 0;
}

/* ---- the file's names, without wrappers' prefixes. */

/* Skips one prefix of DataParallel, torch.compile, Lightning (or similar) or SimMIM. They come in
 * any order. */
static bool skip_wrapper(const char **name, bool *encoder) {
    static const char *const wrappers[] = {"encoder.", "module.", "_orig_mod.", "model.",
                                           "state_dict."};
    for (int i = 0; i < 5; i++)
        if (begins(*name, wrappers[i])) {
            *encoder = *encoder || i == 0;
            *name += strlen(wrappers[i]);
            return true;
        }
    return false;
}

/* Removes prefixes from a name. torch.compile may have wrapped inner parts too. timm's ViTs call
 * layer scale ls1.gamma, all others gamma_1. A name that is too long for ours is cut, and still
 * matches none. */
static void make_plain(char *plain, size_t n, bool *encoder, const char *name) {
    static const char compiled[] = "_orig_mod.";
    while (skip_wrapper(&name, encoder))
        ;
    size_t used = 0;
    while (*name && used + 1 < n)
        if (begins(name, compiled))
            name += sizeof compiled - 1;
        else
            plain[used++] = *name++;
    plain[used] = 0;
    if (ends(plain, ".ls1.gamma") || ends(plain, ".ls2.gamma")) {
        char *at = plain + used - strlen("ls1.gamma");
        memcpy(at, at[2] == '1' ? "gamma_1" : "gamma_2", sizeof "gamma_1");
    }
}

static int make_all_plain(ImportSource *s) {
    int count = weight_file_count(s->file);
    s->plain = mem_alloc((size_t)count, sizeof *s->plain);
    s->encoder = mem_alloc((size_t)count, sizeof *s->encoder);
    if (!s->plain || !s->encoder)
        return ERR_FAIL;
    for (int i = 0; i < count; i++)
        make_plain(s->plain[i], sizeof *s->plain, &s->encoder[i], weight_file_at(s->file, i)->name);
    return 0;
}

/* The index of a plain name, or -1. */
static int find_plain(const ImportSource *s, const char *name) {
    for (int i = 0; i < weight_file_count(s->file); i++)
        if (strcmp(s->plain[i], name) == 0)
            return i;
    return -1;
}

static int recognise(ImportSource *s, const char *path) {
    const WeightFile *f = s->file;
    int qkv = find_plain(s, "blocks.0.attn.qkv.weight");
    bool tables = find_plain(s, BLOCK_TABLE) >= 0 || find_plain(s, SHARED_TABLE) >= 0;
    if (weight_file_metadata(f, "network"))
        s->family = normalcy;
    else if (qkv >= 0 && s->encoder[qkv])
        s->family = simmim;
    else if (qkv >= 0)
        s->family = find_plain(s, "pos_embed") >= 0 && !tables ? mae : beit;
    else
        return err_set(
            ERR_FAIL,
            "%s: no vision transformer of SimMIM, BEiT or MAE: expected a tensor "
            "blocks.0.attn.qkv.weight, found %d tensors, the first %s; 'normalcy weights "
            "list' shows them all, docs/weights.md says which files fit",
            path, weight_file_count(f), weight_file_count(f) ? weight_file_at(f, 0)->name : "none");
    return 0;
}

/* ---- the index of a position bias: it follows from the grid, but some files hold it. */

/* The root of x, or -1 if x is not a square. */
static int64_t square_root(int64_t x) {
    if (x < 0 || x > (int64_t)1 << 40)
        return -1;
    int64_t root = llrint(sqrt((double)x));
    return root * root == x ? root : -1;
}

/* The row of the table for query a and key b (method A.3); token 0 is cls. */
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

/* Adds a tensor under the name prefix + name, cut like plain names. */
static void take(ImportSource *s, const SafeTensor *t, const char *prefix, const char *name) {
    char *ours = s->names[s->count];
    snprintf(ours, sizeof *s->names, "%s%s", prefix, name);
    s->theirs[s->count] = t->name;
    s->tensors[s->count] = *t;
    s->tensors[s->count++].name = ours;
}

/* MAE keeps the biases of query, key and value in one vector. */
static void take_qkv_bias(ImportSource *s, const SafeTensor *t, const char *prefix,
                          const char *plain) {
    static const char *const parts[] = {"q_bias", "k_bias", "v_bias"};
    int stem = (int)(strlen(plain) - strlen("qkv.bias"));
    for (int i = 0; i < 3; i++) {
        char name[sizeof *s->plain];
        SafeTensor part = *t;
        part.shape[0] = part.count = t->count / 3;
        part.bytes = t->bytes / 3;
        part.data = (const char *)t->data + i * part.bytes;
        snprintf(name, sizeof name, "%.*s%s", stem, plain, parts[i]);
        take(s, &part, prefix, name);
    }
}

/* Is this a tensor that changes the network's features and has no place in ours? Ignoring it would
 * be silently wrong. Heads and decoders may be ignored, since they only read the features. */
static bool is_foreign(const char *plain) {
    static const char *const parts[] = {"norm_pre.",         "reg_token",
                                        "dist_token",        "register_tokens",
                                        "patch_embed.norm.", "patch_embed.backbone."};
    static const char *const of_blocks[] = {
#define TOP(...)
#define TAIL(...)
#define BLOCK(field, name, ...) name,
#include "model/vit.def"
#undef TOP
#undef TAIL
#undef BLOCK
        "attn.qkv.bias"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (begins(plain, parts[i]))
            return true;
    const char *part = begins(plain, "blocks.") ? strchr(plain + strlen("blocks."), '.') : NULL;
    for (size_t i = 0; part && i < sizeof of_blocks / sizeof *of_blocks; i++)
        if (strcmp(part + 1, of_blocks[i]) == 0)
            return false;
    return part;
}

/* What a file of ours holds besides the network. */
static bool is_beside(const char *name) {
    static const char *const beside[] = {"optimizer.", "motion.", "stays.", "error.", "ignore."};
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        if (begins(name, beside[i]))
            return true;
    return false;
}

static int translate(ImportSource *s, int i, bool has_norm, const char *path) {
    const SafeTensor *t = weight_file_at(s->file, i);
    const char *plain = s->plain[i];
    if (s->family == normalcy) {
        if (!is_beside(t->name))
            take(s, t, "", t->name);
        return 0;
    }
    /* SimMIM's decoder lies outside its encoder. MAE's mask token belongs to its decoder, even if
     * the width fits. */
    bool beside = (s->family == simmim && !s->encoder[i]) ||
                  (s->family == mae && strcmp(plain, "mask_token") == 0);
    const char *prefix = beside ? "" : "encoder.";
    if (ends(plain, "relative_position_index"))
        return check_index(t, path);
    if (!beside && is_foreign(plain))
        return err_set(ERR_FAIL,
                       "%s: tensor %s is part of another transformer than SimMIM's, BEiT's and "
                       "MAE's; without it the others mean something else, so it needs weights of "
                       "one of those",
                       path, t->name);
    if (begins(plain, "fc_norm.") && !has_norm) {
        s->fc_norm = true;
        take(s, t, prefix, plain + strlen("fc_"));
    } else if (ends(plain, ".attn.qkv.bias") && t->rank == 1 && t->count % 3 == 0) {
        take_qkv_bias(s, t, prefix, plain);
    } else {
        take(s, t, prefix, plain);
    }
    return 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp((*(const SafeTensor *const *)a)->name, (*(const SafeTensor *const *)b)->name);
}

/* Two names with different prefixes may be the same without them. */
static int check_names(const ImportSource *s, const char *path) {
    const SafeTensor **sorted = mem_alloc((size_t)s->count, sizeof *sorted);
    int code = sorted ? 0 : ERR_FAIL;
    for (int i = 0; i < s->count && !code; i++)
        sorted[i] = &s->tensors[i];
    if (!code)
        qsort(sorted, (size_t)s->count, sizeof *sorted, by_name);
    for (int i = 1; i < s->count && !code; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            code = err_set(ERR_FAIL,
                           "%s: two tensors for %s: %s and %s; expected the weights of one network",
                           path, sorted[i]->name, s->theirs[sorted[i - 1] - s->tensors],
                           s->theirs[sorted[i] - s->tensors]);
    mem_free(sorted);
    return code;
}

static int translate_all(ImportSource *s, const char *path) {
    int count = weight_file_count(s->file), code = 0;
    s->names = mem_alloc(3 * (size_t)count, sizeof *s->names);
    s->tensors = mem_alloc(3 * (size_t)count, sizeof *s->tensors);
    s->theirs = mem_alloc(3 * (size_t)count, sizeof *s->theirs);
    if (!s->names || !s->tensors || !s->theirs)
        return ERR_FAIL;
    bool has_norm = find_plain(s, "norm.weight") >= 0;
    for (int i = 0; i < count && !code; i++)
        code = translate(s, i, has_norm, path);
    return code ? code : check_names(s, path);
}

/* ---- the network, from the shapes. */

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

/* Without a table no shape depends on the number of heads. Published ViTs have 64 features in a
 * head, except ViT-H. For other widths 64 is a guess. */
static int guess_heads(ImportSource *s, const char *path) {
    static const int64_t published[][2] = {{192, 3}, {384, 6}, {768, 12}, {1024, 16}, {1280, 16}};
    VitConfig *c = &s->network;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        if (c->width == published[i][0]) {
            c->heads = published[i][1];
            return 0;
        }
    if (c->width > 64 && c->width % 64)
        return err_set(ERR_FAIL,
                       "%s: nothing tells its number of attention heads: expected a table of "
                       "relative positions, a published width (192, 384, 768, 1024, 1280) or a "
                       "multiple of 64, found width %lld; give weights of one of those",
                       path, (long long)c->width);
    c->heads = c->width < 64 ? 1 : c->width / 64;
    s->heads_guessed = true;
    return 0;
}

static int derive_positions(ImportSource *s, const char *path) {
    VitConfig *c = &s->network;
    const SafeTensor *shared = import_source_find(s, IMPORT_SHARED_TABLE);
    const SafeTensor *block = import_source_find(s, "encoder." BLOCK_TABLE);
    const SafeTensor *table = shared ? shared : block;
    const SafeTensor *embed = import_source_find(s, "encoder.pos_embed");
    int64_t grid = -1;
    c->relpos = shared ? RELPOS_SHARED : block ? RELPOS_BLOCK : RELPOS_NONE;
    c->pos_embed = embed;
    if (table) {
        int64_t span = table->rank == 2 ? square_root(table->shape[0] - 3) : -1;
        grid = span % 2 == 1 ? (span + 1) / 2 : -1;
        c->heads = table->rank == 2 ? table->shape[1] : 0;
    } else if (embed) {
        grid = embed->rank == 3 ? square_root(embed->shape[1] - 1) : -1;
    }
    if (!table && !embed)
        return err_set(ERR_FAIL, "%s: no table of positions tells the size of its input", path);
    const SafeTensor *told = table ? table : embed;
    char found[192];
    if (grid < 1)
        return err_set(
            ERR_FAIL,
            "%s: its positions are not those of a square grid and cls: %s has shape %s; expected "
            "(1, patches + 1, width) or a table of (offsets + 3, heads)",
            path, told->name, safetensors_shape_text(found, sizeof found, told->rank, told->shape));
    c->image = grid * c->patch;
    return table ? 0 : guess_heads(s, path);
}

/* Checks the ranges that the options have on the command line. */
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
    code = derive_positions(s, path);
    if (code)
        return code;
    return check_ranges(c) ? err_context(ERR_FAIL, "%s", path) : 0;
}

/* ---- */

int import_source_open(ImportSource *out, const char *from) {
    char path[4096];
    model_path(path, sizeof path, from);
    if (file_is_folder(from) && !file_exists(path))
        return err_set(ERR_FAIL,
                       "%s: expected weights, this is a folder without " CHECKPOINT_NAME
                       "; give a .pth or .safetensors file, or the folder of a run",
                       from);
    int code = weight_file_open(&out->file, path);
    if (!code)
        code = make_all_plain(out);
    if (!code)
        code = recognise(out, path);
    if (!code)
        code = translate_all(out, path);
    if (!code && out->family == normalcy)
        code = model_network(&out->network, weight_file_metadata(out->file, "network"), path);
    else if (!code)
        code = derive(out, path);
    if (code)
        return code;
    const char *format = weight_file_metadata(out->file, "format");
    bool trained = out->family == normalcy && !(format && strcmp(format, IMPORTED_FORMAT) == 0);
    out->heads_told = trained || out->network.relpos != RELPOS_NONE;
    return 0;
}

void import_source_free(ImportSource *s) {
    weight_file_free(&s->file);
    mem_free(s->names);
    mem_free(s->plain);
    mem_free(s->encoder);
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
