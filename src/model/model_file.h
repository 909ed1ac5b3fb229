/* What a model file says of itself in its metadata (train/checkpoint.h says what is in one). */
#ifndef MODEL_MODEL_FILE_H
#define MODEL_MODEL_FILE_H

#include "base/json.h"
#include "model/safetensors.h"
#include "model/vit_config.h"

#define CHECKPOINT_NAME "checkpoint.safetensors"

typedef struct {
    VitConfig network;
    int64_t step, steps_per_epoch; /* updates done; 0 where the file does not say */
    int64_t epochs, seed;          /* of its training settings */
    char compute[64];              /* backend and precision: a resumed run with the same is exact */
    char version[32];              /* of the program that wrote it */
    char data[1024];               /* what it was trained on, as given */
} ModelInfo;

/* The file that `model`, a run folder or a file, stands for. */
void model_path(char *buf, size_t n, const char *model);

/* The network of the metadata "network" (text, NULL where there is none). ERR_FAIL where a setting
 * does not fit. */
int model_network(VitConfig *out, const char *text, const char *path);

/* Reads the metadata. ERR_FAIL where the file is no model of ours or a setting does not fit; the
 * message names it. */
int model_info(ModelInfo *out, const Safetensors *file, const char *path);

/* Reads the training settings too, as a JSON object that the caller interprets and frees. It is
 * untouched on failure. */
int model_info_and_training(ModelInfo *out, Json **training, const Safetensors *file,
                            const char *path);

/* Settings as metadata `key` of a file to write: the values of the rows of `object`. */
int model_add_settings(SafeWriter *w, const char *key, const Opt *rows, const void *object);

/* Copies the model at `from` to `to`, without the optimizer's state and with these ranges
 * (network.depth x VIT_SITES) for int8. */
int model_with_ranges(const char *from, const VitRange *ranges, const char *to);

#endif
