/* Reads a file of named tensors: safetensors or torch.save, told apart by content. */
#ifndef MODEL_WEIGHT_FILE_H
#define MODEL_WEIGHT_FILE_H

#include "model/safetensors.h"

typedef struct WeightFile WeightFile;

/* Maps and checks a file. The message of ERR_FAIL names the file and the fault. */
int weight_file_open(WeightFile **out, const char *path);
void weight_file_free(WeightFile **f);

/* "safetensors" or "torch.save". */
const char *weight_file_format(const WeightFile *f);

/* All borrowed; NULL if the file has none of that name. */
int weight_file_count(const WeightFile *f);
const SafeTensor *weight_file_at(const WeightFile *f, int i);
const SafeTensor *weight_file_find(const WeightFile *f, const char *name);

/* A text of a safetensors file's metadata, or NULL. */
const char *weight_file_metadata(const WeightFile *f, const char *key);

#endif
