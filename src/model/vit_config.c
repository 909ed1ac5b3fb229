#include "model/vit_config.h"

#include <string.h>

#include "base/err.h"
#include "compute/backend.h"

static const char *const colours_names[] = {"bgr", "imagenet", NULL};
static const char *const relpos_names[] = {"shared", "block", "none", NULL};
static const char *const memory_names[] = {"none", "memae", "mnad", NULL};

const Opt vit_options[] = {
    OPT_INT_ROW(VitConfig, image, "image", "224", 8, 4096, "N", "input size in pixels, square"),
    OPT_INT_ROW(VitConfig, patch, "patch", "16", 2, 256, "N", "patch size in pixels"),
    OPT_INT_ROW(VitConfig, frames, "frames", "1", 1, 16, "N", "input frames, stacked as channels"),
    OPT_INT_ROW(VitConfig, width, "width", "768", 8, 4096, "N", "features of a token"),
    OPT_INT_ROW(
        VitConfig, depth, "depth", "12", 0, 64, "N",
        "transformer blocks; 0: no network, the next frame is expected to be like this one"),
    OPT_INT_ROW(VitConfig, heads, "heads", "12", 1, 64, "N", "attention heads"),
    OPT_REAL_ROW(VitConfig, layer_scale, "layer-scale", "0.1", 0, 10,
                 "initial layer scale; 0: none"),
    OPT_CHOICE_ROW(VitConfig, relpos, "relpos", "shared", relpos_names,
                   "relative position bias: one table, one for each block (BEiT), or none (MAE)"),
    OPT_FLAG_ROW(VitConfig, pos_embed, "pos-embed", "learned absolute positions (MAE)"),
    OPT_FLAG_ROW(VitConfig, key_bias, "key-bias", "a learned bias of the keys (MAE)"),
    OPT_FLAG_ROW(VitConfig, residual, "residual",
                 "predict the change from the newest input frame, not the next frame itself"),
    OPT_CHOICE_ROW(VitConfig, colours, "colours", "bgr", colours_names,
                   "input: BGR in [-1, 1], or RGB normalised by ImageNet's mean and deviation"),
    OPT_CHOICE_ROW(VitConfig, memory, "memory", "none", memory_names,
                   "memory between features and decoder: none, MemAE's or MNAD's"),
    OPT_INT_ROW(VitConfig, items, "memory-items", "0", 0, 100000, "N",
                "items of the memory; 0: as published, 2000 (memae) or 10 (mnad)"),
    OPT_END,
};

const char *vit_size_options(const char *size) {
    static const char *const presets[][2] = {{"tiny", "width=192 depth=12 heads=3"},
                                             {"small", "width=384 depth=12 heads=6"},
                                             {"base", "width=768 depth=12 heads=12"}};
    for (int i = 0; i < 3; i++)
        if (strcmp(size, presets[i][0]) == 0)
            return presets[i][1];
    return NULL;
}

int vit_config_check(const VitConfig *c) {
    if (c->image % c->patch)
        return err_set(ERR_USAGE, "image %lld is not a multiple of patch %lld", (long long)c->image,
                       (long long)c->patch);
    if (c->width % c->heads)
        return err_set(ERR_USAGE, "width %lld is not a multiple of heads %lld", (long long)c->width,
                       (long long)c->heads);
    if (c->width % NOISE_LANES)
        return err_set(ERR_USAGE, "width %lld is not a multiple of %d", (long long)c->width,
                       NOISE_LANES);
    if (c->residual && c->colours != COLOURS_BGR)
        return err_set(ERR_USAGE,
                       "residual adds the input to the prediction: it needs colours bgr");
    if (c->memory == MEMORY_MNAD && c->items == 1)
        return err_set(ERR_USAGE, "memory mnad keeps items apart: memory-items must be 2 or more");
    return 0;
}

int64_t vit_patches(const VitConfig *c) {
    return (c->image / c->patch) * (c->image / c->patch);
}

int64_t vit_items(const VitConfig *c) {
    int64_t published = c->memory == MEMORY_MEMAE ? 2000 : 10;
    return c->memory == MEMORY_NONE ? 0 : c->items ? c->items : published;
}

int64_t vit_decoded(const VitConfig *c) {
    return c->memory == MEMORY_MNAD ? 2 * c->width : c->width;
}
