/* Checkpoints: one safetensors file that scores, and resumes bit for bit.
 *
 * It holds the weights by SimMIM's names, AdamW's moments as "optimizer.exp_avg." and
 * "optimizer.exp_avg_sq." + name, and metadata: "format" (normalcy), "version", "step",
 * "steps_per_epoch", "compute", "network" and "training" (settings as JSON), "data" (path, pairs).
 * The random numbers and the loader's position are functions of (seed, step), so the step says
 * both. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "model/model_file.h"
#include "train/trainer.h"

typedef struct {
    ModelInfo model;
    TrainSettings training;
} CheckpointInfo;

/* "cpu, avx512_bf16, bf16": what rounds and in which order; a run resumed on anything else does not
 * go on bit for bit. */
void checkpoint_compute(char *buf, size_t n, const Backend *be);

/* Writes atomically; without `moments` what scores but does not resume. */
int checkpoint_save(const Trainer *t, const char *data, bool moments, const char *path);

/* The settings inside; ERR_FAIL where it is no checkpoint of ours. Freed by checkpoint_info_free
 * in any case, which accepts a zeroed one. */
int checkpoint_info(CheckpointInfo *out, const Safetensors *file, const char *path);
void checkpoint_info_free(CheckpointInfo *info);

/* Loads weights, moments and step into a trainer opened with the same settings; `info` is the
 * file's. ERR_FAIL where a weight or moment is missing, does not fit or is not finite, a second
 * moment is negative, or the step lies beyond the run's end. */
int checkpoint_load(Trainer *t, const CheckpointInfo *info, const Safetensors *file,
                    const char *path);

#endif
