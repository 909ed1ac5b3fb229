/* The metadata of a model file (train/checkpoint.h describes the whole file). */
#ifndef MODEL_MODEL_FILE_H
#define MODEL_MODEL_FILE_H

#include "base/json.h"
#include "model/safetensors.h"
#include "model/vit_config.h"

#define CHECKPOINT_NAME "checkpoint.safetensors"

typedef struct {
    VitConfig network;
    int64_t step, steps_per_epoch; /* step: updates done; 0 if the file does not say */
    int64_t epochs, seed;          /* of its training settings */
    double interval;               /* seconds between the frames it learned; 0: every frame */
    char compute[64];              /* a resumed run is exact only on the same */
    char version[32];              /* of the program that wrote the file */
    char data[1024];               /* the training data, as given */
} ModelInfo;

/* Writes the path of the model file into buf; `model` is that file or its run folder. */
void model_path(char *buf, size_t n, const char *model);

/* Whether `model` is a file that begins as a model file does, or a folder with one. */
bool model_is(const char *model);

/* Reads the network from the text of the metadata "network" (NULL if the file has none). ERR_FAIL
 * if a setting does not fit. */
int model_network(VitConfig *out, const char *text, const char *path);

/* ERR_FAIL if the file is not a model of ours or a setting does not fit; the message names it. */
int model_info(ModelInfo *out, const Safetensors *file, const char *path);

/* Like model_info, and gives all training settings as a JSON object, which the caller interprets
 * and frees. *training is untouched on failure. */
int model_info_and_training(ModelInfo *out, Json **training, const Safetensors *file,
                            const char *path);

/* Settings as metadata `key` of a file to write: the values of the rows of `object`. */
int model_add_settings(SafeWriter *w, const char *key, const Opt *rows, const void *object);

/* Copies the model at `from` to `to`, without the optimizer's state and with these ranges
 * (network.depth x VIT_SITES) for int8. */
int model_with_ranges(const char *from, const VitRange *ranges, const char *to);

#endif
