/* Training settings of tests: the defaults, then a list of options. */
#ifndef TESTS_PRESET_H
#define TESTS_PRESET_H

#include "train/settings.h"

/* "name=value name=value"; fails the test where one does not fit. */
static inline TrainSettings preset(const char *options) {
    TrainSettings t = {0};
    OptGroup groups[] = {{"", train_options, &t}, {NULL, NULL, NULL}};
    assert_int_equal(opt_defaults(groups), 0);
    assert_int_equal(opt_set_list(groups, "", options), 0);
    return t;
}

#endif
