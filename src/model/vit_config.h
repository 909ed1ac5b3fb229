/* The settings of a network, their options and presets, and numbers that follow from them. */
#ifndef MODEL_VIT_CONFIG_H
#define MODEL_VIT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"

enum { VIT_COLOURS = 3, VIT_MLP_RATIO = 4 };

typedef enum { RELPOS_SHARED, RELPOS_BLOCK, RELPOS_NONE } Relpos;

/* How input pixels become numbers: as in the authors' code, or as for networks trained on ImageNet.
 * The prediction is BGR in [-1, 1] in both cases. */
typedef enum { COLOURS_BGR, COLOURS_IMAGENET } Colours;

/* The settings that decide the weights, their shapes and the computation. */
typedef struct {
    int64_t image;  /* side of the square input, pixels; a multiple of patch */
    int64_t patch;  /* side of a patch */
    int64_t frames; /* input frames, stacked as channels, oldest first; 1 = the paper */
    int64_t width, depth, heads;
    double layer_scale; /* initial gamma; 0: none */
    int relpos;         /* Relpos: tables of relative positions */
    bool pos_embed;     /* learned absolute positions, for cls too */
    bool key_bias;      /* is the key bias learned, or zero? */
    bool residual;      /* predict the change from the newest input frame; the frame is not added
                           to a masked patch, since that would show what the mask hides */
    int colours;        /* Colours of the input */
    int memory;         /* MemoryKind: the memory between the features and the decoder */
    int64_t items;      /* of the memory; 0: as published */
} VitConfig;

/* The rows of VitConfig's options; their object is a VitConfig. */
extern const Opt vit_options[];

/* The presets of "size=" (tiny, small, base) as option lists for opt_set_list. NULL if unknown. */
const char *vit_size_options(const char *size);

/* Checks what the rows cannot: image % patch, width % heads, width % 8. The message of ERR_USAGE
 * names the setting. */
int vit_config_check(const VitConfig *config);

int64_t vit_patches(const VitConfig *config); /* N */
int64_t vit_items(const VitConfig *config);   /* of the memory; 0 without one */
int64_t vit_decoded(const VitConfig *config); /* values of a token that the decoder reads */

/* In int8 the inputs of a block's four layers are bytes. Their scale comes from the observed
 * values: ranges[block][site] = {lowest, highest}. The sites are qkv, proj, fc1, fc2, in this
 * order. */
enum { VIT_SITES = 4 };
typedef float VitRange[2];

#endif
