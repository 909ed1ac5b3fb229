/* The settings of a training run other than those of the network and the data (method B). */
#ifndef TRAIN_SETTINGS_H
#define TRAIN_SETTINGS_H

#include <stdint.h>

#include "base/opt.h"
#include "model/vit_config.h"

typedef enum { SCHEDULE_COSINE, SCHEDULE_CONSTANT } Schedule;

/* The target: the next frame, or (SimMIM's pre-training) the masked patches of the input frame. */
typedef enum { OBJECTIVE_NEXT_FRAME, OBJECTIVE_SIMMIM } Objective;

/* How X becomes X^P: the mask token replaces patches (the paper), an intruder's patch is blended in
 * (LNRA's SmoothMixS, method C.2), frames are skipped (LNRA's skip-frame, C.3), or patches stand
 * still for one frame (C.5). */
typedef enum { PSEUDO_NONE, PSEUDO_MASK, PSEUDO_PATCH, PSEUDO_SKIP, PSEUDO_STALE } Pseudo;

/* Whether a step sees both X and X^P of every pair (the paper), or either: X^P with probability
 * pseudo_p (method B.5). */
typedef enum { PASSES_BOTH, PASSES_EITHER } Passes;

/* The target of a pseudo anomaly: the true next frame (positive), or anything but its own input
 * (negative: STEAL, method C.4). */
typedef enum { PSEUDO_LOSS_POSITIVE, PSEUDO_LOSS_NEGATIVE } PseudoLoss;

typedef struct {
    int64_t epochs, batch; /* batch: pairs in a step, each with its pseudo anomaly */
    double lr, lr_min, warmup_lr, warmup_epochs;
    int schedule;                     /* Schedule */
    double weight_decay, beta2, clip; /* of AdamW; clip: the largest norm of the gradients */
    int objective;                    /* Objective */
    int pseudo;                       /* Pseudo */
    int passes;                       /* Passes */
    int pseudo_loss;                  /* PseudoLoss */
    double pseudo_p;
    char *intruders;   /* CIFAR-100 file of pictures for the patches; NULL: other clips' frames */
    double patch_size; /* largest side of an intruder's patch, as a share of the frame's */
    double mask_ratio;
    int64_t mask_cell; /* pixels */
    double lambda_int, lambda_gd, lambda_cst;
    double dropout, drop_path;
    double interval; /* seconds between frames, at least; 0: every frame */
    double hold_out; /* share of the pairs that the network never sees (data/pairs.h) */
    int64_t seed;
} TrainSettings;

/* The rows of TrainSettings' options; their object is a TrainSettings. */
extern const Opt train_options[];

/* The presets of "preset=" as option lists for opt_set_list: the paper's data sets, and settings
 * for a start from random weights (docs/results.md), which set the network too. NULL if unknown. */
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

/* Does a step see every pair twice, as X and X^P? Are the two compared? How many images has it? */
bool train_doubled(const TrainSettings *t);
bool train_consistency(const TrainSettings *t);
int64_t train_images(const TrainSettings *t);

/* Checks what the rows cannot: settings against each other and the network. The message of
 * ERR_USAGE names them. */
int train_settings_check(const TrainSettings *t, const VitConfig *v);

#endif
