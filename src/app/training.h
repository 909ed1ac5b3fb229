/* A run of training, from its settings to its checkpoint: what `train` and `pretrain` do. */
#ifndef APP_TRAINING_H
#define APP_TRAINING_H

#include "compute/compute_options.h"
#include "data/pairs.h"
#include "score/judgement.h"
#include "train/checkpoint.h"
#include "train/run_log.h"

typedef struct {
    char *output, *config, *recipe, *init, *ignore;
    int preset, size;
    bool resume;
    int64_t checkpoint_every, keep, steps, cache;
} TrainArgs;

/* Rows of TrainArgs. Not stored in checkpoints: a resumed run needs them again, like the compute
 * options. */
extern const Opt training_run_options[];

/* The differences between train and pretrain. */
typedef struct {
    const char *name, *usage;
    const char *preset;  /* the preset for random weights; NULL: the paper's */
    const char *options; /* set after the preset */
    bool judges;         /* also learns what motion and which errors are normal */
} TrainCommand;

typedef struct {
    const TrainCommand *command;
    TrainArgs args;
    ComputeArgs compute;
    VitConfig network;
    TrainSettings training;
    OptGroup groups[6];
    const char *data; /* borrowed from argv or from `stored` */
    char *shown;      /* the same without secrets: for messages and files */
    CheckpointInfo stored;
    Safetensors *checkpoint; /* open while resuming */
    char *checkpoint_path, *log_path, *settings_path;
    Dataset *dataset;
    Pairs *pairs;
    Backend *be;
    Trainer *trainer;
    Judgement judgement; /* its errors are those of the weights as they are */
    bool unsaved;        /* the checkpoint lacks it */
    RunLog *log;
    int lock; /* of the run's folder */
} Train;

/* Names the files of the run; refuses a folder that has a run already unless it is resumed. */
int training_paths(Train *t);
int training_check_new(const Train *t);

/* Opens the footage, then everything else; learns what the scene shows, then the network. The
 * settings are there, and the checkpoint is open if the run is resumed. ERR_STOPPED once the user
 * was told how to go on. */
int training_run(Train *t);

/* Frees all of it, and ends the lock of the folder. Accepts one that is zeroed but for lock
 * NO_LOCK.
 */
void training_close(Train *t);

#endif
