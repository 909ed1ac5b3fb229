#include "train/settings.h"

#include <string.h>

#include "base/err.h"

static const char *const schedule_names[] = {"cosine", "constant", NULL};
static const char *const objective_names[] = {"next-frame", "simmim", NULL};
static const char *const pseudo_names[] = {"none", "mask", "patch", "skip", "stale", NULL};
static const char *const passes_names[] = {"both", "either", NULL};
static const char *const pseudo_loss_names[] = {"positive", "negative", NULL};

const Opt train_options[] = {
    OPT_INT_ROW(TrainSettings, epochs, "epochs", "60", 1, 100000, "N", "passes over the data"),
    OPT_INT_ROW(TrainSettings, batch, "batch", "4", 1, 1024, "N",
                "pairs in a step; a pair and its pseudo anomaly count as one"),
    OPT_REAL_ROW(TrainSettings, lr, "lr", "1e-4", 0, 10, "base learning rate"),
    OPT_REAL_ROW(TrainSettings, lr_min, "lr-min", "5e-6", 0, 10, "final rate of the cosine"),
    OPT_REAL_ROW(TrainSettings, warmup_lr, "warmup-lr", "5e-7", 0, 10, "rate of the first step"),
    OPT_REAL_ROW(TrainSettings, warmup_epochs, "warmup-epochs", "10", 0, 100000,
                 "epochs of linear warm-up"),
    OPT_CHOICE_ROW(TrainSettings, schedule, "schedule", "cosine", schedule_names,
                   "the paper's cosine, or the released code's constant rate"),
    OPT_REAL_ROW(TrainSettings, weight_decay, "weight-decay", "0.05", 0, 10,
                 "weight decay of AdamW"),
    OPT_REAL_ROW(TrainSettings, beta2, "beta2", "0.999", 0.5, 0.99999,
                 "AdamW's beta2: decay rate of its mean of squared gradients"),
    OPT_REAL_ROW(TrainSettings, clip, "clip", "5", 0, 1e9, "largest global gradient norm; 0: none"),
    OPT_CHOICE_ROW(TrainSettings, objective, "objective", "next-frame", objective_names,
                   "predict the next frame, or what a mask hides of this one (SimMIM)"),
    OPT_CHOICE_ROW(TrainSettings, pseudo, "pseudo", "mask", pseudo_names,
                   "pseudo anomalies: none, patches replaced by the mask token, a patch of another "
                   "picture blended in (LNRA), older input frames (LNRA), patches that stand still "
                   "for a frame"),
    OPT_CHOICE_ROW(TrainSettings, passes, "passes", "both", passes_names,
                   "see each pair both as it is and as pseudo anomaly, or only one of them"),
    OPT_REAL_ROW(TrainSettings, pseudo_p, "pseudo-p", "0.2", 0, 1,
                 "probability of the pseudo anomaly with passes=either"),
    OPT_CHOICE_ROW(TrainSettings, pseudo_loss, "pseudo-loss", "positive", pseudo_loss_names,
                   "for a pseudo anomaly, predict the next frame, or avoid its own input (STEAL)"),
    OPT_TEXT_ROW(TrainSettings, intruders, "intruders", NULL, "FILE",
                 "CIFAR-100's training file for pseudo=patch; without it frames of other clips"),
    OPT_REAL_ROW(TrainSettings, patch_size, "patch-size", "0.5", 0.01, 1,
                 "largest side of a patch of pseudo=patch, as a share of the frame's"),
    OPT_REAL_ROW(TrainSettings, mask_ratio, "mask-ratio", "0.75", 0, 1,
                 "share of cells masked in a pseudo anomaly"),
    OPT_INT_ROW(TrainSettings, mask_cell, "mask-cell", "32", 1, 4096, "N",
                "side of a mask cell in pixels"),
    OPT_REAL_ROW(TrainSettings, lambda_int, "lambda-int", "1", 0, 1e6,
                 "weight of the intensity loss"),
    OPT_REAL_ROW(TrainSettings, lambda_gd, "lambda-gd", "1", 0, 1e6, "weight of the gradient loss"),
    OPT_REAL_ROW(TrainSettings, lambda_cst, "lambda-cst", "0.3", 0, 1e6,
                 "weight of the normalcy consistency loss"),
    OPT_REAL_ROW(TrainSettings, dropout, "dropout", "0.1", 0, 0.99,
                 "dropout of tokens and branches"),
    OPT_REAL_ROW(TrainSettings, drop_path, "drop-path", "0.1", 0, 0.99,
                 "drop-path of the last block; the first has none"),
    OPT_REAL_ROW(TrainSettings, interval, "interval", "0", 0, 3600,
                 "seconds between the frames of a video, at least: every k-th; 0: every frame"),
    OPT_REAL_ROW(TrainSettings, hold_out, "hold-out", "0", 0, 0.5,
                 "share of the footage that the network does not learn from: it tells how large "
                 "errors are; 0: none, and errors have no surprise"),
    OPT_INT_ROW(TrainSettings, seed, "seed", "2022", 0, 4294967295.0, "N",
                "seed of weights, order, masks and noise"),
    OPT_END,
};

const char *const preset_names[] = {"ped2",         "avenue",  "shanghaitech",
                                    "ped2-scratch", "footage", NULL};

/* A network that learns from random weights how things move (docs/results.md). */
#define SCRATCH                                                                                    \
    "image=168 patch=8 mask-cell=24 frames=4 residual=yes width=192 depth=4 heads=3 "              \
    "layer-scale=0 warmup-epochs=1 lr=1e-3 beta2=0.95 lambda-gd=0 dropout=0 drop-path=0 "          \
    "pseudo=none lambda-cst=0 "

const char *preset_options(const char *name) {
    static const char *const options[] = {"epochs=60 mask-ratio=0.75", "epochs=40 mask-ratio=0.25",
                                          "epochs=10 mask-ratio=0.75", SCRATCH "epochs=24",
                                          SCRATCH "epochs=8 interval=0.08 hold-out=0.1"};
    for (int i = 0; preset_names[i]; i++)
        if (strcmp(name, preset_names[i]) == 0)
            return options[i];
    return NULL;
}

const Recipe recipes[] = {
    {"ours", "the paper's: pseudo anomalies and consistency",
     "pseudo=mask passes=both lambda-cst=0.3"},
    {"stale", "the paper's structure, with patches that stand still in place of masked ones",
     "frames=4 pseudo=stale passes=both mask-ratio=0.5 lambda-cst=0.3"},
    {"ablation/ae", "autoencoder only", "pseudo=none lambda-cst=0"},
    {"ablation/mask", "masked frames with p = 0.2, no consistency",
     "pseudo=mask passes=either pseudo-p=0.2 lambda-cst=0"},
    {"ablation/no-consistency", "both passes, no consistency",
     "pseudo=mask passes=both lambda-cst=0"},
    {"lnra/patch", "LNRA's patches", "pseudo=patch passes=either pseudo-p=0.2 lambda-cst=0"},
    {"lnra/skip", "LNRA's skipped frames", "pseudo=skip passes=either pseudo-p=0.2 lambda-cst=0"},
    {"steal", "STEAL: skipped frames, a negative loss",
     "pseudo=skip passes=either pseudo-p=0.01 pseudo-loss=negative lambda-cst=0"},
    {"frame-pred", "Frame-Pred's objective: 4 frames in, no flow, no GAN",
     "frames=4 pseudo=none lambda-cst=0"},
    {"memae", "MemAE's memory on the tokens", "memory=memae pseudo=none lambda-cst=0"},
    {"mnad", "MNAD's memory on the tokens: 4 frames in",
     "frames=4 memory=mnad pseudo=none lambda-cst=0"},
    {NULL, NULL, NULL},
};

const Recipe *recipe_find(const char *name) {
    for (const Recipe *r = recipes; r->name; r++)
        if (strcmp(name, r->name) == 0)
            return r;
    return NULL;
}

bool train_doubled(const TrainSettings *t) {
    return t->objective == OBJECTIVE_NEXT_FRAME && t->pseudo != PSEUDO_NONE &&
           t->passes == PASSES_BOTH;
}

bool train_consistency(const TrainSettings *t) {
    return train_doubled(t) && t->lambda_cst > 0;
}

int64_t train_images(const TrainSettings *t) {
    return train_doubled(t) ? 2 * t->batch : t->batch;
}

int train_settings_check(const TrainSettings *t, const VitConfig *v) {
    if (t->lambda_cst > 0 && !train_doubled(t) && t->objective == OBJECTIVE_NEXT_FRAME)
        return err_set(ERR_USAGE,
                       "lambda-cst %g compares a pair with its pseudo anomaly: it needs pseudo "
                       "anomalies and passes=both, or lambda-cst 0",
                       t->lambda_cst);
    if (t->pseudo_loss == PSEUDO_LOSS_NEGATIVE && train_doubled(t))
        return err_set(ERR_USAGE, "pseudo-loss negative needs passes=either");
    if (t->pseudo_loss == PSEUDO_LOSS_NEGATIVE && v->colours != COLOURS_BGR)
        return err_set(ERR_USAGE, "pseudo-loss negative compares with the input: it needs colours "
                                  "bgr");
    if (v->residual && t->objective == OBJECTIVE_SIMMIM)
        return err_set(ERR_USAGE, "objective simmim hides what residual would add: leave one out");
    if (t->pseudo == PSEUDO_STALE && (v->frames < 2 || v->image % t->mask_cell))
        return err_set(ERR_USAGE,
                       "pseudo stale needs frames 2 or more, found %lld, and a mask-cell that "
                       "divides image %lld, found %lld",
                       (long long)v->frames, (long long)v->image, (long long)t->mask_cell);
    bool masks = t->objective == OBJECTIVE_SIMMIM || t->pseudo == PSEUDO_MASK;
    if (masks && (v->image % t->mask_cell || t->mask_cell % v->patch))
        return err_set(
            ERR_USAGE,
            "mask-cell %lld does not fit: it must divide image %lld and be a multiple of "
            "patch %lld",
            (long long)t->mask_cell, (long long)v->image, (long long)v->patch);
    return 0;
}
