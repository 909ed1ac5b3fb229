#include "train/settings.h"

#include <string.h>

#include "base/err.h"

static const char *const schedule_names[] = {"cosine", "constant", NULL};

const Opt train_options[] = {
    OPT_INT_ROW(TrainSettings, epochs, "epochs", "60", 1, 100000, "N", "passes over the data"),
    OPT_INT_ROW(TrainSettings, batch, "batch", "4", 1, 1024, "N",
                "pairs a step, each with its pseudo anomaly"),
    OPT_REAL_ROW(TrainSettings, lr, "lr", "1e-4", 0, 10, "base learning rate"),
    OPT_REAL_ROW(TrainSettings, lr_min, "lr-min", "5e-6", 0, 10, "final rate of the cosine"),
    OPT_REAL_ROW(TrainSettings, warmup_lr, "warmup-lr", "5e-7", 0, 10, "rate of the first step"),
    OPT_REAL_ROW(TrainSettings, warmup_epochs, "warmup-epochs", "10", 0, 100000,
                 "epochs of linear warm-up"),
    OPT_CHOICE_ROW(TrainSettings, schedule, "schedule", "cosine", schedule_names,
                   "the paper's cosine, or the released code's constant rate"),
    OPT_REAL_ROW(TrainSettings, weight_decay, "weight-decay", "0.05", 0, 10, "AdamW's decay"),
    OPT_REAL_ROW(TrainSettings, clip, "clip", "5", 0, 1e9, "largest global gradient norm; 0: none"),
    OPT_REAL_ROW(TrainSettings, mask_ratio, "mask-ratio", "0.75", 0, 1,
                 "share of cells masked in a pseudo anomaly"),
    OPT_INT_ROW(TrainSettings, mask_cell, "mask-cell", "32", 1, 4096, "N",
                "side of a mask cell in pixels"),
    OPT_REAL_ROW(TrainSettings, lambda_int, "lambda-int", "1", 0, 1e6,
                 "weight of the intensity loss"),
    OPT_REAL_ROW(TrainSettings, lambda_gd, "lambda-gd", "1", 0, 1e6, "weight of the gradient loss"),
    OPT_REAL_ROW(TrainSettings, lambda_cst, "lambda-cst", "0.3", 0, 1e6,
                 "weight of the normalcy consistency"),
    OPT_REAL_ROW(TrainSettings, dropout, "dropout", "0.1", 0, 0.99,
                 "dropout of tokens and branches"),
    OPT_REAL_ROW(TrainSettings, drop_path, "drop-path", "0.1", 0, 0.99,
                 "drop-path of the last block; the first has none"),
    OPT_INT_ROW(TrainSettings, seed, "seed", "2022", 0, 4294967295.0, "N",
                "seed of weights, order, masks and noise"),
    OPT_END,
};

const char *const preset_names[] = {"ped2", "avenue", "shanghaitech", NULL};

const char *preset_options(const char *name) {
    static const char *const options[] = {"epochs=60 mask-ratio=0.75", "epochs=40 mask-ratio=0.25",
                                          "epochs=10 mask-ratio=0.75"};
    for (int i = 0; preset_names[i]; i++)
        if (strcmp(name, preset_names[i]) == 0)
            return options[i];
    return NULL;
}

int train_settings_check(const TrainSettings *t, const VitConfig *v) {
    if (v->image % t->mask_cell || t->mask_cell % v->patch)
        return err_set(
            ERR_USAGE,
            "mask-cell %lld does not fit: it must divide image %lld and be a multiple of "
            "patch %lld",
            (long long)t->mask_cell, (long long)v->image, (long long)v->patch);
    return 0;
}
