/* The options of an input that need not be a file. */
#ifndef VIDEO_SOURCE_OPTIONS_H
#define VIDEO_SOURCE_OPTIONS_H

#include "base/opt.h"

typedef struct {
    double timeout;    /* seconds without a byte until a stream or camera counts as gone */
    bool no_reconnect; /* a lost stream or camera is an error */
} SourceOptions;

/* Their object is a SourceOptions. */
extern const Opt source_options[];

#endif
