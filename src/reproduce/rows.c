#include "reproduce/rows.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

const char *const reproduce_sets[] = {"ped2", "avenue", "shanghaitech", NULL};

#define NOT_THERE                                                                                  \
    "not in the paper", {                                                                          \
        NAN, NAN, NAN                                                                              \
    }

/* Table 4 names no data set. It is most likely ShanghaiTech: the last row is the 76.57 of Table 1.
 * Table 4 does not give p either, and the released code's schedule is not the paper's (method A.9,
 * B.5). */
const ReproduceRow reproduce_rows[] = {
    {"ours",
     "ours",
     "",
     "pseudo anomalies and consistency (ours)",
     "Tables 1 to 4",
     {95.5, 87.63, 76.57}},
    {"ours/constant",
     "ours",
     "schedule=constant",
     "ours by the released code's learning rate: constant after its warm-up",
     "Tables 1 to 4, if they are of that code",
     {95.5, 87.63, 76.57}},
    {"ablation/ae", "ablation/ae", "", "autoencoder only", "Table 4, row 1", {NAN, NAN, 73.2}},
    {"ablation/mask",
     "ablation/mask",
     "",
     "masked frames with p = 0.2, no consistency",
     "Table 4, row 2",
     {NAN, NAN, 75.46}},
    {"ablation/mask/p0.01",
     "ablation/mask",
     "pseudo-p=0.01",
     "masked frames with p = 0.01, no consistency",
     "Table 4, row 2",
     {NAN, NAN, 75.46}},
    {"ablation/mask/p0.1",
     "ablation/mask",
     "pseudo-p=0.1",
     "masked frames with p = 0.1, no consistency",
     "Table 4, row 2",
     {NAN, NAN, 75.46}},
    {"ablation/mask/p0.5",
     "ablation/mask",
     "pseudo-p=0.5",
     "masked frames with p = 0.5, no consistency",
     "Table 4, row 2",
     {NAN, NAN, 75.46}},
    {"ablation/no-consistency", "ablation/no-consistency", "", "both passes, no consistency",
     NOT_THERE},
    {"stale", "stale", "", "cells that stand still in place of masked ones: 4 frames in",
     NOT_THERE},
    {"lnra/patch",
     "lnra/patch",
     "",
     "LNRA's patches on this network",
     "Tables 2, 3",
     {NAN, NAN, NAN}},
    {"lnra/skip", "lnra/skip", "",
     "LNRA's skipped frames on this network; a single input frame is an older one", NOT_THERE},
    {"steal", "steal", "",
     "STEAL's negative loss on this network; a single input frame is an older one", NOT_THERE},
    {"frame-pred", "frame-pred", "",
     "Frame-Pred's objective on this network: 4 frames in, no flow, no GAN", NOT_THERE},
    {"memae", "memae", "", "MemAE's memory on this network's tokens", NOT_THERE},
    {"mnad", "mnad", "",
     "MNAD's memory on this network's tokens: 4 frames in, scored by PSNR alone", NOT_THERE},
    {NULL, NULL, NULL, NULL, NULL, {0}},
};

_Static_assert(sizeof reproduce_rows / sizeof *reproduce_rows <= REPRODUCE_MOST_ROWS + 1,
               "a reproduction may have all rows");

int reproduce_row_find(const char *name) {
    for (int i = 0; reproduce_rows[i].name; i++)
        if (strcmp(name, reproduce_rows[i].name) == 0)
            return i;
    return -1;
}
