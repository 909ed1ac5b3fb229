/* Networks of tests: the paper's, and one whose step takes milliseconds. */
#ifndef TESTS_NETWORKS_H
#define TESTS_NETWORKS_H

#include "model/vit_config.h"

static const VitConfig base = {.image = 224,
                               .patch = 16,
                               .frames = 1,
                               .width = 768,
                               .depth = 12,
                               .heads = 12,
                               .layer_scale = 0.1};
static const VitConfig tiny = {
    .image = 32, .patch = 8, .frames = 1, .width = 24, .depth = 2, .heads = 3, .layer_scale = 0.1};

#endif
