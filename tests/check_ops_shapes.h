/* The shapes that check_ops_table.c runs its operations at.
 *
 * Rows that are no multiple of a task's or of a tile's (6, 14 or 32), and odd
 * ones, which bf16 takes in pairs; columns that are no multiple of a panel's, and those of the
 * image side, which are any number; widths of less than a vector; no image, one and many. */
#ifndef TESTS_CHECK_OPS_SHAPES_H
#define TESTS_CHECK_OPS_SHAPES_H

#include "check_ops.h"

#define ROWS(n, in, o)                                                                             \
    { .images = 1, .tokens = n, .width = in, .out = o }
static const Shape linear_shapes[] = {
    ROWS(1, 8, 8),
    ROWS(2, 16, 16),
    ROWS(2, 2, 8),
    ROWS(3, 24, 48),
    ROWS(4, 8, 64),
    ROWS(5, 8, 24),
    ROWS(6, 72, 104),
    ROWS(7, 27, 40),
    ROWS(8, 40, 27),
    ROWS(9, 12, 12),
    ROWS(10, 16, 88),
    ROWS(11, 33, 56),
    ROWS(12, 8, 32),
    ROWS(13, 32, 33),
    ROWS(14, 24, 72),
    ROWS(15, 1100, 40),
    ROWS(9, 1024, 40), /* rows a multiple of 4 KB apart: see product.c */
    ROWS(10, 2048, 40),
    ROWS(33, 1600, 424), /* more than a chunk, several sets of panels: see product.c */
    {.images = 0, .tokens = 5, .width = 24, .out = 40},
    {.images = 3, .tokens = 17, .width = 40, .out = 24, .without = true},
    {.images = 13, .tokens = 5, .width = 24, .out = 40, .wide = true},
    {.images = 1, .tokens = 197, .width = 192, .out = 40},
    {.images = 2, .tokens = 64, .width = 24, .out = 192, .without = true, .wide = true},
    {.images = 2, .tokens = 197, .width = 56, .out = 136},
};
static const Shape residual_shapes[] = {
    ROWS(1, 8, 8),
    ROWS(5, 8, 24),
    {.images = 3, .tokens = 17, .width = 40, .out = 24, .in_place = true, .gelu = true},
    {.images = 2, .tokens = 17, .width = 24, .out = 8, .drop = .1, .step = 0, .site = 1},
    {.images = 2, .tokens = 17, .width = 24, .out = 8, .drop = .1, .step = 9, .site = 2},
    {.images = 4, .tokens = 5, .width = 8, .out = 16, .drop = .3, .part = {3, 2, 6}},
    {.images = 13, .tokens = 5, .width = 8, .out = 40, .drop_path = .1, .keep = KEEP_SOME},
    {.images = 3, .tokens = 7, .width = 32, .out = 72, .drop_path = .9, .keep = KEEP_NONE},
    {.images = 4, .tokens = 17, .width = 16, .out = 8, .keep = KEEP_NONE, .in_place = true},
    {.images = 1,
     .tokens = 197,
     .width = 40,
     .out = 192,
     .drop = .1,
     .drop_path = .1,
     .gelu = true},
    {.images = 4,
     .tokens = 50,
     .width = 72,
     .out = 56,
     .drop = .2,
     .drop_path = .3,
     .keep = KEEP_SOME,
     .gelu = true},
    {.images = 5,
     .tokens = 17,
     .width = 24,
     .out = 24,
     .drop = .5,
     .drop_path = .5,
     .step = 77,
     .site = 24,
     .keep = KEEP_SOME,
     .in_place = true,
     .without = true},
};
static const Shape token_shapes[] = {
    {.images = 1, .tokens = 1, .width = 8},
    {.images = 1, .tokens = 5, .width = 24},
    {.images = 3, .tokens = 17, .width = 40, .keep = KEEP_SOME},
    {.images = 1, .tokens = 197, .width = 192},
    {.images = 13, .tokens = 5, .width = 192, .keep = KEEP_SOME},
    {.images = 2, .tokens = 5, .width = 16, .keep = KEEP_NONE},
    {.images = 2, .tokens = 64, .width = 8, .scale = 30},
};
static const Shape relpos_shapes[] = {
    {.size = 8, .patch = 8, .heads = 1},
    {.size = 16, .patch = 8, .heads = 3},
    {.size = 32, .patch = 8, .heads = 2},
    {.size = 224, .patch = 16, .heads = 3},
};
static const Shape attention_shapes[] = {
    {.images = 0, .tokens = 5, .width = 8, .heads = 1},
    {.images = 1, .tokens = 5, .width = 8, .heads = 1},
    {.images = 2, .tokens = 10, .width = 24, .heads = 8},
    {.images = 3, .tokens = 17, .width = 24, .heads = 3},
    {.images = 13, .tokens = 5, .width = 40, .heads = 5},
    {.images = 1, .tokens = 16, .width = 24, .heads = 3},
    {.images = 1, .tokens = 197, .width = 48, .heads = 2},
    {.images = 1, .tokens = 17, .width = 192, .heads = 3},
    {.images = 2, .tokens = 17, .width = 40, .heads = 1, .scale = 4}, /* nearly one-hot rows */
};
static const Shape patch_shapes[] = {
    {.images = 1, .size = 8, .patch = 8, .channels = 3, .lead = 0},
    {.images = 5, .size = 8, .patch = 4, .channels = 3, .lead = 1},
    {.images = 2, .size = 24, .patch = 8, .channels = 6, .lead = 1},
    {.images = 3, .size = 48, .patch = 16, .channels = 6, .lead = 0},
    {.images = 1, .size = 64, .patch = 16, .channels = 3, .lead = 1},
};
static const Shape embed_shapes[] = {
    {.images = 1, .inputs = 1, .tokens = 5, .width = 8},
    {.images = 4, .inputs = 2, .tokens = 17, .width = 24, .mask = MASK_SOME},
    {.images = 3, .inputs = 3, .tokens = 17, .width = 40, .mask = MASK_ALL},
    {.images = 6, .inputs = 2, .tokens = 5, .width = 192, .drop = .1, .step = 2},
    {.images = 4, .inputs = 2, .tokens = 17, .width = 8, .mask = MASK_SOME, .drop = .1, .step = 3},
    {.images = 13, .inputs = 1, .tokens = 5, .width = 24, .mask = MASK_SOME, .drop = .5, .site = 4},
    {.images = 2, .inputs = 1, .tokens = 197, .width = 40, .mask = MASK_ALL, .drop = .1, .step = 9},
    {.images = 4,
     .inputs = 2,
     .tokens = 17,
     .width = 24,
     .mask = MASK_SOME,
     .drop = .1,
     .pos = true},
    {.images = 1, .inputs = 1, .tokens = 5, .width = 8, .pos = true},
    {.images = 4, .inputs = 2, .tokens = 5, .width = 8, .drop = .3, .part = {3, 2, 6}},
};
static const Shape frame_shapes[] = {
    {.images = 1, .inputs = 1, .size = 8, .patch = 8, .channels = 3},
    {.images = 4, .inputs = 2, .size = 24, .patch = 8, .channels = 6, .mask = MASK_SOME},
    {.images = 3, .inputs = 3, .size = 32, .patch = 16, .channels = 12, .mask = MASK_ALL},
    {.images = 0, .inputs = 1, .size = 8, .patch = 4, .channels = 3, .mask = MASK_SOME},
    {.images = 13, .inputs = 1, .size = 5, .patch = 1, .channels = 9, .mask = MASK_SOME},
    {.images = 5, .inputs = 5, .size = 35, .patch = 5, .channels = 6, .mask = MASK_SOME},
    {.images = 2, .inputs = 1, .size = 63, .patch = 7, .channels = 3},
};
static const Shape masked_shapes[] = {
    {.images = 1, .size = 8, .patch = 8, .channels = 3, .mask = MASK_ALL},
    {.images = 4, .size = 24, .patch = 8, .channels = 3, .mask = MASK_SOME},
    {.images = 0, .size = 8, .patch = 4, .channels = 3, .mask = MASK_SOME},
    {.images = 13, .size = 5, .patch = 1, .channels = 3, .mask = MASK_SOME},
    {.images = 5, .size = 35, .patch = 5, .channels = 6, .mask = MASK_SOME},
    {.images = 1, .size = 63, .patch = 7, .channels = 3, .mask = MASK_SOME},
    {.images = 2, .size = 15, .patch = 3, .channels = 3},
};
static const Shape image_shapes[] = {
    {.images = 1, .inputs = 1, .size = 8, .channels = 3},
    {.images = 4, .inputs = 2, .size = 17, .channels = 3},
    {.images = 2, .inputs = 2, .size = 24, .channels = 6, .without = true},
    {.images = 13, .inputs = 1, .size = 5, .channels = 3},
    {.images = 2, .inputs = 1, .size = 64, .channels = 3},
};
static const Shape pair_shapes[] = {
    {.images = 2, .tokens = 5, .width = 8},
    {.images = 6, .tokens = 17, .width = 40, .scale = 3},
    {.images = 2, .tokens = 197, .width = 192},
};
#define MEMORY(b, t, w, n, kind)                                                                   \
    { .images = b, .tokens = t, .width = w, .out = n, .memory = MEMORY_##kind }
static const Shape memory_shapes[] = {
    MEMORY(1, 5, 8, 3, MEMAE),     MEMORY(3, 17, 24, 37, MEMAE), MEMORY(2, 64, 40, 300, MEMAE),
    MEMORY(1, 197, 56, 33, MEMAE), MEMORY(1, 5, 8, 2, MNAD),     MEMORY(3, 17, 40, 10, MNAD),
    MEMORY(1, 197, 192, 11, MNAD),
};
static const Shape mnad_shapes[] = {
    MEMORY(1, 5, 8, 2, MNAD), MEMORY(3, 17, 40, 10, MNAD),
    MEMORY(1, 197, 192, 40, MNAD), /* more than queries may choose */
};
static const Shape value_shapes[] = {
    {.images = 1, .tokens = 1, .width = 1},
    {.images = 1, .tokens = 7, .width = 143},
    {.images = 1, .tokens = 1, .width = 16384, .without = true},
    {.images = 1, .tokens = 5, .width = 3277},
    {.images = 3, .tokens = 17, .width = 1001, .without = true},
};

/* Base at a batch of 4 pairs: 8 images, 1576 rows. */
#define BASE .images = 8, .inputs = 4, .tokens = 197
static const Shape qkv_base[] = {{BASE, .width = 768, .out = 2304}};
static const Shape fc1_base[] = {{BASE, .width = 768, .out = 3072}};
static const Shape fc2_base[] = {
    {BASE, .width = 3072, .out = 768, .drop = .1, .drop_path = .1, .step = 1, .gelu = true}};
static const Shape tokens_base[] = {{BASE, .width = 768, .heads = 12}};
static const Shape embed_base[] = {{BASE, .width = 768, .mask = MASK_SOME, .drop = .1}};
static const Shape image_base[] = {
    {BASE, .size = 224, .patch = 16, .channels = 3, .lead = 1, .heads = 12}};
static const Shape frame_base[] = {
    {BASE, .size = 224, .patch = 16, .channels = 3, .mask = MASK_SOME}};
static const Shape masked_base[] = {
    {.images = 4, .size = 224, .patch = 16, .channels = 3, .mask = MASK_SOME}};
static const Shape memae_base[] = {MEMORY(8, 197, 768, 2000, MEMAE)};
static const Shape mnad_base[] = {MEMORY(8, 197, 768, 10, MNAD)};
static const Shape block_base[] = {{.images = 1, .tokens = 1, .width = 7088640}};

static const Shape flow_shapes[] = {
    {.width = 60, .out = 40, .scale = 40}, {.width = 61, .out = 33, .scale = 4},
    {.width = 17, .out = 16, .scale = 40}, {.width = 9, .out = 70, .scale = 40},
    {.width = 3, .out = 2, .scale = 40},   {.width = 1, .out = 5, .scale = 40},
    {.width = 6, .out = 1, .scale = 40},
};
static const Shape flow_base[] = {{.width = 180, .out = 120, .scale = 40}};

#endif
