/* Checkpoints: one safetensors file that can score, and resume a run bit for bit.
 *
 * It holds the weights by SimMIM's names, AdamW's moments as "optimizer.exp_avg." and
 * "optimizer.exp_avg_sq." + name, and metadata: "format" (normalcy), "version", "step",
 * "steps_per_epoch", "interval", "compute", "network" and "training" (settings as JSON), "data"
 * (path, pairs); and what the trainer knows of motion and errors (score/motion.h,
 * score/calibration.h). The random numbers and the loader's position are functions of (seed, step),
 * so they need no state of their own. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "model/model_file.h"
#include "train/trainer.h"

typedef struct {
    ModelInfo model;
    TrainSettings training;
} CheckpointInfo;

/* Writes a text that identifies the rounding and its order, such as "cpu, avx512_bf16, bf16". A run
 * resumes bit for bit only if this text is the same. */
void checkpoint_compute(char *buf, size_t n, const Backend *be);

/* Writes atomically. Without `moments` the file can score but not resume. */
int checkpoint_save(const Trainer *t, const char *data, bool moments, const char *path);

/* Reads the settings in a file. ERR_FAIL if it is not a checkpoint of ours. Call
 * checkpoint_info_free in any case; it accepts a zeroed one. */
int checkpoint_info(CheckpointInfo *out, const Safetensors *file, const char *path);
void checkpoint_info_free(CheckpointInfo *info);

/* Loads weights, moments and step into a trainer opened with the same settings. `info` is the
 * file's. ERR_FAIL if a weight or moment is missing, does not fit or is not finite, a second moment
 * is negative, or the step lies beyond the run's end. */
int checkpoint_load(Trainer *t, const CheckpointInfo *info, const Safetensors *file,
                    const char *path);

#endif
