/* What decides a training run besides the network and the data (method B). */
#ifndef TRAIN_SETTINGS_H
#define TRAIN_SETTINGS_H

#include <stdint.h>

#include "base/opt.h"
#include "model/vit.h"

typedef enum { SCHEDULE_COSINE, SCHEDULE_CONSTANT } Schedule;

typedef struct {
    int64_t epochs, batch; /* batch: pairs a step, each with its pseudo anomaly */
    double lr, lr_min, warmup_lr, warmup_epochs;
    int schedule; /* Schedule */
    double weight_decay, clip;
    double mask_ratio;
    int64_t mask_cell; /* pixels */
    double lambda_int, lambda_gd, lambda_cst;
    double dropout, drop_path;
    int64_t seed;
} TrainSettings;

/* The rows; their object is a TrainSettings. */
extern const Opt train_options[];

/* "preset=" option lists for opt_set_list: the paper's data sets. NULL where unknown. */
extern const char *const preset_names[];
const char *preset_options(const char *name);

/* Checks what the rows cannot: mask cells against image and patch. ERR_USAGE names it. */
int train_settings_check(const TrainSettings *t, const VitConfig *v);

#endif
