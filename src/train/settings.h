/* What decides a training run besides the network and the data (method B). */
#ifndef TRAIN_SETTINGS_H
#define TRAIN_SETTINGS_H

#include <stdint.h>

#include "base/opt.h"
#include "model/vit_config.h"

typedef enum { SCHEDULE_COSINE, SCHEDULE_CONSTANT } Schedule;

/* What the network learns: the next frame, or what the mask hides of this one (SimMIM's
 * pre-training). */
typedef enum { OBJECTIVE_NEXT_FRAME, OBJECTIVE_SIMMIM } Objective;

/* How X becomes X^P: patches under the mask token (the paper's), an intruder's patch (LNRA's
 * SmoothMixS, method C.2), or older frames from further back (LNRA's skip-frame, C.3). */
typedef enum { PSEUDO_NONE, PSEUDO_MASK, PSEUDO_PATCH, PSEUDO_SKIP } Pseudo;

/* What a step sees of each pair: X and X^P (the paper's), or one of the two: X^P with probability
 * pseudo_p (method B.5). */
typedef enum { PASSES_BOTH, PASSES_EITHER } Passes;

/* What the loss asks for a pseudo anomaly: the true next frame, or anything but its own input
 * (STEAL, method C.4). */
typedef enum { PSEUDO_LOSS_POSITIVE, PSEUDO_LOSS_NEGATIVE } PseudoLoss;

typedef struct {
    int64_t epochs, batch; /* batch: pairs a step, each with its pseudo anomaly */
    double lr, lr_min, warmup_lr, warmup_epochs;
    int schedule;                     /* Schedule */
    double weight_decay, beta2, clip; /* AdamW; the largest norm of the gradients */
    int objective;                    /* Objective */
    int pseudo;                       /* Pseudo */
    int passes;                       /* Passes */
    int pseudo_loss;                  /* PseudoLoss */
    double pseudo_p;
    char *intruders; /* CIFAR-100 file whose pictures the patches show; NULL: other clips' frames */
    double patch_size; /* of an intruder's patch: the largest share of a side */
    double mask_ratio;
    int64_t mask_cell; /* pixels */
    double lambda_int, lambda_gd, lambda_cst;
    double dropout, drop_path;
    int64_t seed;
} TrainSettings;

/* The rows; their object is a TrainSettings. */
extern const Opt train_options[];

/* The option list of a preset, for opt_set_list: the paper's settings for its data sets, and
 * settings for a start from random weights, found on Ped2 (docs/results.md), which set the network
 * too. NULL for an unknown name. */
extern const char *const preset_names[];
const char *preset_options(const char *name);

/* The paper's method, its ablations (Table 4) and its rivals on this network (method B.5, C, E). */
typedef struct {
    const char *name;
    const char *about;   /* one line, lower case, no full stop */
    const char *options; /* for opt_set_list */
} Recipe;

extern const Recipe recipes[]; /* the last has no name */

const Recipe *recipe_find(const char *name); /* NULL where unknown */

/* train_doubled: does a step see both X and X^P of each pair? train_consistency: does the loss
 * compare the features of the two? train_images: the images that the network sees in a step. */
bool train_doubled(const TrainSettings *t);
bool train_consistency(const TrainSettings *t);
int64_t train_images(const TrainSettings *t);

/* Checks what the option rows cannot: settings against each other and against the network.
 * ERR_USAGE names the ones that clash. */
int train_settings_check(const TrainSettings *t, const VitConfig *v);

#endif
